; id: bare-except
; severity: major
; reason: It also catches an interrupt and an exit, and hides every mistake in the code above.
; action: Name the exceptions that are expected, or catch `Exception` and report it.
; needs: except
; not-in: tests

((except_clause "except" @finding . ":" (block) @body)
  (#not-has? @body raise_statement "!function_definition"))
