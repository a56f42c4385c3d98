; id: identity-comparison
; severity: critical
; reason: It asks whether both are the same object, and not whether they are equal.
; action: Compare with `equals` (Java) or `==` (Python).

((comparison_operator (_) ["is" "is not"] [(string) (integer) (float) (list) (dictionary) (tuple)]) @finding)
