; id: print-stack-trace
; severity: minor
; reason: The trace goes past the log, and the error is not handled.
; action: Log it with its cause, or throw it on.
; needs: printStackTrace
; not-in: tests, scripts

((method_invocation name: (identifier) @name arguments: (argument_list) @args) @finding
  (#eq? @name "printStackTrace")
  (#eq? @args "()"))
