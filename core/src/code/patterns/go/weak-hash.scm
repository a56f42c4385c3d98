; id: weak-hash
; severity: minor
; reason: Two texts of the same MD5 or SHA-1 hash can be made at will.
; action: Use SHA-256 or better; where it is no matter of security, say so in a comment.
; needs: md5.|sha1.
; not-in: tests

((call_expression function: (selector_expression) @function) @finding
  (#any-of? @function "md5.New" "md5.Sum" "sha1.New" "sha1.Sum")
  (#not-commented? @finding "(?i)secur|crypto|md5|sha1"))
