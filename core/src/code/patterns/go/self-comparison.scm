; id: self-comparison
; severity: major
; reason: Both sides are the same, so the result is always the same.
; action: Compare with what was meant.
; not-in: tests

((binary_expression left: (_) @left operator: ["==" "<" ">" "<=" ">=" "&&" "||"] right: (_) @right) @finding
  (#eq? @left @right)
  (#not-match? @left "^[\\d'\"]|\\(|\\+\\+|--|true|false|True|False"))
