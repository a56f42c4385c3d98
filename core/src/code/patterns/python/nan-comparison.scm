; id: nan-comparison
; severity: critical
; reason: NaN is equal to nothing, itself included, so this comparison always has the same result.
; action: Use the language's own test for NaN.
; needs: nan|NaN|NAN

((comparison_operator (_) ["==" "!="] (_) @nan) @finding
  (#match? @nan "^(float\\([\"'](?i:nan)[\"']\\)|(math|np|numpy)\\.(nan|NaN|NAN))$"))
