; id: shell-injection
; severity: critical
; reason: A command line is put together from text, so a value can add commands.
; action: Pass the program and its arguments as a list, without a shell.
; languages: c, cpp
; needs: system|popen
; not-in: tests, scripts

((call_expression function: (identifier) @function arguments: (argument_list . [(identifier) (field_expression)])) @finding
  (#any-of? @function "system" "popen"))
