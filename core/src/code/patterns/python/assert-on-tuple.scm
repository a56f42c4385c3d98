; id: assert-on-tuple
; severity: critical
; reason: A tuple with something in it is always true, so this assertion never fails.
; action: Take the parentheses away: `assert condition, message`.
; needs: assert

((assert_statement . (tuple) @finding)
  (#count-over? @finding 1))
