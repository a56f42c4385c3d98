; id: insecure-random
; severity: major
; reason: Whoever has seen a few of these numbers can guess the next ones.
; action: Use the system's secure source of random numbers.
; languages: c, cpp
; needs: rand|random
; not-in: tests

([(init_declarator declarator: (_) @name value: (_) @value) (assignment_expression left: (_) @name right: (_) @value)] @finding
  (#match? @name "(?i)(token|secret|passw(or)?d|nonce|salt|otp|session_?id|csrf|api_?key|verification_?code)$")
  (#match? @value "\\b(rand|random|lrand48)\\(\\)"))
