; id: shell-injection
; severity: critical
; reason: A command line is put together from text, so a value can add commands.
; action: Pass the program and its arguments as a list, without a shell.
; languages: javascript, typescript, tsx
; needs: exec
; not-in: tests, scripts

((call_expression function: (_) @function arguments: (arguments . [(template_string (template_substitution)) (binary_expression)])) @finding
  (#match? @function "^((child_process|cp|shell|shelljs)\\.)?(exec|execSync)$")
  (#file-has? "child_process|shelljs"))
