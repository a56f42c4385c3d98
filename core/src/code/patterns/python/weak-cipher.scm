; id: weak-cipher
; severity: major
; reason: The cipher or its mode is broken: what it hides can be read.
; action: Use AES-GCM or ChaCha20-Poly1305.
; needs: DES|ARC|Blowfish|CAST|MODE_ECB
; not-in: tests

((call function: (_) @function) @finding
  (#match? @function "^(DES3?|ARC[24]|Blowfish|CAST)\\.new$"))

((attribute attribute: (identifier) @finding)
  (#eq? @finding "MODE_ECB"))
