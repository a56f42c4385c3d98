; id: debug-print
; severity: minor
; reason: Output for debugging is left in code that others call.
; action: Remove it, or use the log.
; needs: System.out
; not-in: tests, scripts

((expression_statement (method_invocation object: (field_access) @object name: (identifier) @name) @finding)
  (#eq? @object "System.out")
  (#match? @name "^print")
  (#not-file-has? "static void main\\("))
