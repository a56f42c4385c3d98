; id: panic-in-library
; severity: info
; reason: Whoever calls this cannot go on: the whole program ends.
; action: Return an error.
; needs: panic
; not-in: tests, scripts

((call_expression function: (identifier) @name) @finding
  (#eq? @name "panic")
  (#not-in-function? @finding "^([mM]ust|init$|panic|Panic)")
  (#not-match? @finding "(?i)unreachable|not implemented|impossible|should never|BUG")
  (#not-commented? @finding "\\w{3}")
  (#not-file-has? "(?m)^package main\\b"))
