; id: insecure-random
; severity: major
; reason: Whoever has seen a few of these numbers can guess the next ones.
; action: Use the system's secure source of random numbers.
; needs: rand.
; not-in: tests

([(short_var_declaration left: (_) @name right: (_) @value) (assignment_statement left: (_) @name right: (_) @value)] @finding
  (#match? @name "(?i)(token|secret|passw(or)?d|nonce|salt|otp|session_?id|csrf|api_?key|verification_?code)$")
  (#match? @value "^[^{]*\\brand\\.(Int\\w*|Uint\\w*|Float\\w*|Perm)\\(")
  (#file-has? "\"math/rand"))
