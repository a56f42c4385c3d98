; id: shell-injection
; severity: critical
; reason: A command line is put together from text, so a value can add commands.
; action: Pass the program and its arguments as a list, without a shell.
; needs: shell|os.system|os.popen|getoutput
; not-in: tests, scripts

((call function: (_) @function
    arguments: (argument_list . [(binary_operator) (string (interpolation)) (call) (identifier)] (keyword_argument name: (identifier) @name value: (true)))) @finding
  (#match? @function "^(subprocess\\.)?(run|call|Popen|check_call|check_output|getoutput)$")
  (#eq? @name "shell"))

((call function: (_) @function arguments: (argument_list . [(binary_operator) (string (interpolation)) (call)])) @finding
  (#any-of? @function "os.system" "os.popen" "commands.getoutput"))
