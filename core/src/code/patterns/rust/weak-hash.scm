; id: weak-hash
; severity: minor
; reason: Two texts of the same MD5 or SHA-1 hash can be made at will.
; action: Use SHA-256 or better; where it is no matter of security, say so in a comment.
; needs: md5|Md5|Sha1
; not-in: tests

((call_expression function: (scoped_identifier) @function) @finding
  (#match? @function "^(md5::compute|Md5::(new|digest)|Sha1::(new|digest|from))$")
  (#not-commented? @finding "(?i)secur|crypto|md5|sha1"))
