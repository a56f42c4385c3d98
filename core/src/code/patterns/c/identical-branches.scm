; id: identical-branches
; severity: major
; reason: Both branches do the same, so the condition decides nothing.
; action: Delete the condition, or write what the other branch was meant to do.
; languages: c, cpp
; not-in: tests

((if_statement "if" @finding consequence: (_) @yes alternative: (else_clause (_) @no))
  (#eq? @yes @no)
  (#not-empty? @yes))

((conditional_expression consequence: (_) @yes alternative: (_) @no) @finding
  (#eq? @yes @no))
