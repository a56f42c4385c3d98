; id: defer-in-loop
; severity: major
; reason: What is deferred runs at the end of the function, so every turn of the loop adds one that waits.
; action: Move the body of the loop into a function, or release at the end of the turn.
; needs: defer
; not-in: tests

((defer_statement) @finding
  (#nested-in? @finding for_statement "!func_literal" "!function_declaration" "!method_declaration"))
