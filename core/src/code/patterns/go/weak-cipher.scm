; id: weak-cipher
; severity: major
; reason: The cipher or its mode is broken: what it hides can be read.
; action: Use AES-GCM or ChaCha20-Poly1305.
; needs: des.|rc4.
; not-in: tests

((call_expression function: (selector_expression) @finding)
  (#any-of? @finding "des.NewCipher" "des.NewTripleDESCipher" "rc4.NewCipher"))
