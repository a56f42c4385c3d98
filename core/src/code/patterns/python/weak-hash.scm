; id: weak-hash
; severity: minor
; reason: Two texts of the same MD5 or SHA-1 hash can be made at will.
; action: Use SHA-256 or better; where it is no matter of security, say so in a comment.
; needs: hashlib
; not-in: tests

((call function: (_) @function) @finding
  (#any-of? @function "hashlib.md5" "hashlib.sha1")
  (#not-match? @finding "usedforsecurity\\s*=\\s*False")
  (#not-commented? @finding "(?i)secur|crypto|md5|sha1"))
