; id: weak-cipher
; severity: major
; reason: The cipher or its mode is broken: what it hides can be read.
; action: Use AES-GCM or ChaCha20-Poly1305.
; languages: javascript, typescript, tsx
; needs: ipher
; not-in: tests

((call_expression function: (_) @function arguments: (arguments . (string) @name)) @finding
  (#match? @function "(^|\\.)create(C|Dec)ipher(iv)?$")
  (#match? @name "(?i)^.(des|rc2|rc4|bf)|-ecb.$"))
