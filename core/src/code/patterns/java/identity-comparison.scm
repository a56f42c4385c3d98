; id: identity-comparison
; severity: critical
; reason: It asks whether both are the same object, and not whether they are equal.
; action: Compare with `equals` (Java) or `==` (Python).

((binary_expression left: (_) @left operator: ["==" "!="] right: (_) @right) @finding
  (#match? @finding "\"")
  (#not-match? @finding "\\bnull\\b")
  (#has? @finding string_literal "!method_invocation" "!binary_expression" "!lambda_expression" "!array_access"))
