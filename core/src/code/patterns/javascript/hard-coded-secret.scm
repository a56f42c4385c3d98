; id: hard-coded-secret
; severity: critical
; reason: Whoever can read the code can use the secret, and so can whoever reads its history.
; action: Take it from the environment or a secret store, and replace it where it is in use.
; languages: javascript, typescript, tsx
; not-in: tests

((variable_declarator name: (_) @name value: (string) @value) @finding
  (#match? @name "(?i)(passw(or)?d|passwd|pwd|secret|api_?key|access_?key|auth_?key|private_?key|client_?secret|credential|token)s?[\"']?\\]?$")
  (#secret-value? @value))

((assignment_expression left: (_) @name right: (string) @value) @finding
  (#match? @name "(?i)(passw(or)?d|passwd|pwd|secret|api_?key|access_?key|auth_?key|private_?key|client_?secret|credential|token)s?[\"']?\\]?$")
  (#secret-value? @value))

((pair key: (_) @name value: (string) @value) @finding
  (#match? @name "(?i)(passw(or)?d|passwd|pwd|secret|api_?key|access_?key|auth_?key|private_?key|client_?secret|credential|token)s?[\"']?\\]?$")
  (#secret-value? @value))
