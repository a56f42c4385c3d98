; id: shell-injection
; severity: critical
; reason: A command line is put together from text, so a value can add commands.
; action: Pass the program and its arguments as a list, without a shell.
; needs: .exec
; not-in: tests, scripts

((method_invocation object: (_) @object name: (identifier) @name arguments: (argument_list . (binary_expression) @command)) @finding
  (#eq? @name "exec")
  (#match? @object "[rR]untime")
  (#has? @command string_literal))
