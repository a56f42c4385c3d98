; id: identical-branches
; severity: major
; reason: Both branches do the same, so the condition decides nothing.
; action: Delete the condition, or write what the other branch was meant to do.
; not-in: tests

((if_statement "if" @finding consequence: (block) @yes . alternative: (else_clause body: (block) @no))
  (#eq? @yes @no))
