; id: weak-hash
; severity: minor
; reason: Two texts of the same MD5 or SHA-1 hash can be made at will.
; action: Use SHA-256 or better; where it is no matter of security, say so in a comment.
; languages: javascript, typescript, tsx
; needs: createHash
; not-in: tests

((call_expression function: (_) @function arguments: (arguments . (string) @name)) @finding
  (#match? @function "(^|\\.)createHash$")
  (#match? @name "(?i)^.(md5|sha1|sha-1|md4).$")
  (#not-commented? @finding "(?i)secur|crypto|md5|sha1"))
