; id: identical-branches
; severity: major
; reason: Both branches do the same, so the condition decides nothing.
; action: Delete the condition, or write what the other branch was meant to do.
; languages: javascript, typescript, tsx
; not-in: tests

((if_statement "if" @finding consequence: (_) @yes alternative: (else_clause (_) @no))
  (#eq? @yes @no)
  (#not-empty? @yes))

((ternary_expression consequence: (_) @yes alternative: (_) @no) @finding
  (#eq? @yes @no))
