; id: assert-with-side-effect
; severity: major
; reason: Assertions can be switched off, and then this change does not happen.
; action: Do it before, and assert its result.
; languages: c, cpp
; needs: assert
; not-in: tests

((call_expression function: (identifier) @name arguments: (argument_list) @condition) @finding
  (#eq? @name "assert")
  (#has? @condition assignment_expression update_expression))
