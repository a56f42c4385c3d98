; id: sleep-in-tests
; severity: info
; reason: The test waits too long on a fast machine and not long enough on a slow one.
; action: Wait for the condition itself, with a limit.
; needs: sleep|Sleep
; only-in: tests

((call function: (_) @function arguments: (argument_list . [(integer) (float)] @time)) @finding
  (#any-of? @function "time.sleep" "sleep")
  (#not-match? @time "^0?\\.0|^0$"))
