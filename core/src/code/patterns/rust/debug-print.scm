; id: debug-print
; severity: minor
; reason: Output for debugging is left in code that others call.
; action: Remove it, or use the log.
; needs: dbg!
; not-in: tests, scripts

((macro_invocation macro: (identifier) @name) @finding
  (#eq? @name "dbg"))
