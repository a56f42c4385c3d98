; id: weak-hash
; severity: minor
; reason: Two texts of the same MD5 or SHA-1 hash can be made at will.
; action: Use SHA-256 or better; where it is no matter of security, say so in a comment.
; needs: MessageDigest
; not-in: tests

((method_invocation object: (identifier) @object name: (identifier) @method arguments: (argument_list . (string_literal) @name)) @finding
  (#eq? @object "MessageDigest")
  (#eq? @method "getInstance")
  (#match? @name "(?i)^.(md2|md4|md5|sha1|sha-1).$")
  (#not-commented? @finding "(?i)secur|crypto|md5|sha1"))
