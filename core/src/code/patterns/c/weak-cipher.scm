; id: weak-cipher
; severity: major
; reason: The cipher or its mode is broken: what it hides can be read.
; action: Use AES-GCM or ChaCha20-Poly1305.
; languages: c, cpp
; needs: EVP_
; not-in: tests

((call_expression function: (identifier) @finding)
  (#match? @finding "^EVP_(des|rc2|rc4|bf)(_\\w+)?$|^EVP_\\w+_ecb$"))
