; id: assert-with-side-effect
; severity: major
; reason: Assertions can be switched off, and then this change does not happen.
; action: Do it before, and assert its result.
; needs: assert
; not-in: tests

((assert_statement . (_) @condition) @finding
  (#has? @condition assignment_expression update_expression "!lambda_expression"))
