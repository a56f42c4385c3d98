; id: hard-coded-secret
; severity: critical
; reason: Whoever can read the code can use the secret, and so can whoever reads its history.
; action: Take it from the environment or a secret store, and replace it where it is in use.
; not-in: tests

((let_declaration pattern: (_) @name value: (string_literal) @value) @finding
  (#match? @name "(?i)(passw(or)?d|passwd|pwd|secret|api_?key|access_?key|auth_?key|private_?key|client_?secret|credential|token)s?[\"']?\\]?$")
  (#secret-value? @value))

((const_item name: (_) @name value: (string_literal) @value) @finding
  (#match? @name "(?i)(passw(or)?d|passwd|pwd|secret|api_?key|access_?key|auth_?key|private_?key|client_?secret|credential|token)s?[\"']?\\]?$")
  (#secret-value? @value))

((static_item name: (_) @name value: (string_literal) @value) @finding
  (#match? @name "(?i)(passw(or)?d|passwd|pwd|secret|api_?key|access_?key|auth_?key|private_?key|client_?secret|credential|token)s?[\"']?\\]?$")
  (#secret-value? @value))

((field_initializer field: (_) @name value: (string_literal) @value) @finding
  (#match? @name "(?i)(passw(or)?d|passwd|pwd|secret|api_?key|access_?key|auth_?key|private_?key|client_?secret|credential|token)s?[\"']?\\]?$")
  (#secret-value? @value))
