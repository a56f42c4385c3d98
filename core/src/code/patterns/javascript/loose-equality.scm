; id: loose-equality
; severity: minor
; reason: `==` converts before it compares: `0 == ''` and `[] == false` hold.
; action: Write `===` or `!==`.
; languages: javascript, typescript, tsx

((binary_expression left: (_) @left operator: ["==" "!="] right: (_) @right) @finding
  (#not-match? @left "^(null|undefined|NaN|typeof\\b.*)$")
  (#not-match? @right "^(null|undefined|NaN|Number\\.NaN)$"))
