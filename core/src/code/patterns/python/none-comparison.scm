; id: none-comparison
; severity: minor
; reason: `==` asks the other object, which may answer anything.
; action: Write `is None` or `is not None`.

((comparison_operator (_) . ["==" "!="] . (none)) @finding
  (#not-parent? @finding argument_list binary_operator parenthesized_expression))
