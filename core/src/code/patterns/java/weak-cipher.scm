; id: weak-cipher
; severity: major
; reason: The cipher or its mode is broken: what it hides can be read.
; action: Use AES-GCM or ChaCha20-Poly1305.
; needs: Cipher
; not-in: tests

((method_invocation object: (identifier) @object name: (identifier) @method arguments: (argument_list . (string_literal) @name)) @finding
  (#eq? @object "Cipher")
  (#eq? @method "getInstance")
  (#match? @name "(?i)^.(des|desede|rc2|rc4|arcfour|blowfish)\\b|/ecb/|^.aes.$"))
