; id: sleep-in-tests
; severity: info
; reason: The test waits too long on a fast machine and not long enough on a slow one.
; action: Wait for the condition itself, with a limit.
; needs: sleep|Sleep
; only-in: tests

((method_invocation object: (_) @object name: (identifier) @name arguments: (argument_list . (_) @time)) @finding
  (#any-of? @object "Thread" "TimeUnit.SECONDS")
  (#eq? @name "sleep")
  (#match? @time "^([0-9_]{4,}L?|[0-9]+_000L?)$"))
