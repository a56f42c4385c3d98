; id: unsafe-cast-any
; severity: info
; reason: `any` switches type checks off for everything that comes out of it.
; action: Name the type, or use `unknown` and check.
; languages: typescript, tsx
; needs: any
; not-in: tests

((as_expression (_) (predefined_type) @type) @finding
  (#eq? @type "any")
  (#parent? @finding variable_declarator return_statement))
