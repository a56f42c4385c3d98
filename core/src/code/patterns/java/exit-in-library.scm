; id: exit-in-library
; severity: minor
; reason: Whoever calls this loses the process, with whatever else it was doing.
; action: Return or throw an error and let the entry point decide.
; needs: System
; not-in: tests, scripts

((method_invocation object: (identifier) @object name: (identifier) @name) @finding
  (#eq? @object "System")
  (#any-of? @name "exit" "halt")
  (#not-file-has? "static void main\\("))
