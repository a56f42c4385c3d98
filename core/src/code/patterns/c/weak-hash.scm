; id: weak-hash
; severity: minor
; reason: Two texts of the same MD5 or SHA-1 hash can be made at will.
; action: Use SHA-256 or better; where it is no matter of security, say so in a comment.
; languages: c, cpp
; needs: EVP_|_Init
; not-in: tests

((call_expression function: (identifier) @function) @finding
  (#match? @function "^(EVP_(md2|md4|md5|sha1)|MD[245]_Init|SHA1_Init)$")
  (#not-commented? @finding "(?i)secur|crypto|md5|sha1"))
