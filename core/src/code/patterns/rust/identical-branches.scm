; id: identical-branches
; severity: major
; reason: Both branches do the same, so the condition decides nothing.
; action: Delete the condition, or write what the other branch was meant to do.
; not-in: tests

((if_expression "if" @finding consequence: (_) @yes alternative: (else_clause (_) @no))
  (#eq? @yes @no)
  (#not-empty? @yes))
