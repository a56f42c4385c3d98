; id: sleep-in-tests
; severity: info
; reason: The test waits too long on a fast machine and not long enough on a slow one.
; action: Wait for the condition itself, with a limit.
; needs: sleep|Sleep
; only-in: tests

((call_expression function: (selector_expression) @function arguments: (argument_list . (_) @time)) @finding
  (#eq? @function "time.Sleep")
  (#match? @time "time\\.(Second|Minute)$"))
