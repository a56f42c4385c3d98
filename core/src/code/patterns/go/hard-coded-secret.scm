; id: hard-coded-secret
; severity: critical
; reason: Whoever can read the code can use the secret, and so can whoever reads its history.
; action: Take it from the environment or a secret store, and replace it where it is in use.
; not-in: tests

((const_spec name: (_) @name value: (expression_list . (interpreted_string_literal) @value)) @finding
  (#match? @name "(?i)(passw(or)?d|passwd|pwd|secret|api_?key|access_?key|auth_?key|private_?key|client_?secret|credential|token)s?[\"']?\\]?$")
  (#secret-value? @value))

((var_spec name: (_) @name value: (expression_list . (interpreted_string_literal) @value)) @finding
  (#match? @name "(?i)(passw(or)?d|passwd|pwd|secret|api_?key|access_?key|auth_?key|private_?key|client_?secret|credential|token)s?[\"']?\\]?$")
  (#secret-value? @value))

((short_var_declaration left: (expression_list (_) @name) right: (expression_list . (interpreted_string_literal) @value)) @finding
  (#match? @name "(?i)(passw(or)?d|passwd|pwd|secret|api_?key|access_?key|auth_?key|private_?key|client_?secret|credential|token)s?[\"']?\\]?$")
  (#secret-value? @value))

((assignment_statement left: (expression_list (_) @name) right: (expression_list . (interpreted_string_literal) @value)) @finding
  (#match? @name "(?i)(passw(or)?d|passwd|pwd|secret|api_?key|access_?key|auth_?key|private_?key|client_?secret|credential|token)s?[\"']?\\]?$")
  (#secret-value? @value))

((keyed_element (literal_element) @name (literal_element (interpreted_string_literal) @value)) @finding
  (#match? @name "(?i)(passw(or)?d|passwd|pwd|secret|api_?key|access_?key|auth_?key|private_?key|client_?secret|credential|token)s?[\"']?\\]?$")
  (#secret-value? @value))
