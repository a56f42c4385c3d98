; id: nan-comparison
; severity: critical
; reason: NaN is equal to nothing, itself included, so this comparison always has the same result.
; action: Use the language's own test for NaN.
; needs: nan|NaN|NAN

((binary_expression operator: ["==" "!="] right: (_) @nan) @finding
  (#any-of? @nan "Double.NaN" "Float.NaN"))
