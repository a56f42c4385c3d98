; id: debug-print
; severity: minor
; reason: Output for debugging is left in code that others call.
; action: Remove it, or use the log.
; languages: javascript, typescript, tsx
; needs: console|debugger
; not-in: tests, scripts

(debugger_statement) @finding

((expression_statement (call_expression function: (member_expression object: (identifier) @object property: (property_identifier) @name)) @finding)
  (#eq? @object "console")
  (#any-of? @name "log" "debug" "trace" "dir"))
