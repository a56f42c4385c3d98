; id: eval-exec
; severity: major
; reason: Text is run as code, and whoever can change the text can run anything.
; action: Parse the text, or look the operation up in a table.
; languages: javascript, typescript, tsx
; needs: eval|Function|setTimeout|setInterval
; not-in: tests

((call_expression function: (identifier) @name arguments: (arguments . (_) @code)) @finding
  (#eq? @name "eval")
  (#not-match? @code "^['\"]"))

((new_expression constructor: (identifier) @name) @finding
  (#eq? @name "Function"))

((call_expression function: (identifier) @name arguments: (arguments . [(string) (template_string)])) @finding
  (#any-of? @name "setTimeout" "setInterval"))
