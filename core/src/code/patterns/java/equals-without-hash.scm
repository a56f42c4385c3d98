; id: equals-without-hash
; severity: major
; reason: Equal objects may have different hashes, so maps and sets do not find them.
; action: Write `hashCode` over the same fields.
; needs: equals
; not-in: tests

((class_declaration body: (class_body (method_declaration name: (identifier) @finding parameters: (formal_parameters . (formal_parameter type: (type_identifier) @type) .))) @body)
  (#eq? @finding "equals")
  (#eq? @type "Object")
  (#not-match? @body "\\bint\\s+hashCode\\s*\\("))
