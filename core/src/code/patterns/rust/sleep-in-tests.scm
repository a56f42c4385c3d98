; id: sleep-in-tests
; severity: info
; reason: The test waits too long on a fast machine and not long enough on a slow one.
; action: Wait for the condition itself, with a limit.
; needs: sleep|Sleep
; only-in: tests

((call_expression function: (_) @function arguments: (arguments . (_) @time)) @finding
  (#match? @function "^(std::)?thread::sleep$")
  (#match? @time "from_secs\\("))
