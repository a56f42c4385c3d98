; id: shell-injection
; severity: critical
; reason: A command line is put together from text, so a value can add commands.
; action: Pass the program and its arguments as a list, without a shell.
; needs: exec.Command
; not-in: tests, scripts

((call_expression function: (selector_expression) @function
    arguments: (argument_list (interpreted_string_literal) @shell . (interpreted_string_literal) @option . [(binary_expression) (call_expression)])) @finding
  (#any-of? @function "exec.Command" "exec.CommandContext")
  (#match? @shell "sh\"$")
  (#eq? @option "\"-c\""))
