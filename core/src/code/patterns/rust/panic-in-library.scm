; id: panic-in-library
; severity: info
; reason: Whoever calls this cannot go on: the whole program ends.
; action: Return an error.
; needs: panic!
; not-in: tests, scripts

((macro_invocation macro: (identifier) @name) @finding
  (#eq? @name "panic")
  (#not-match? @finding "(?i)unreachable|not implemented|impossible|should never|bug|internal error|inconsistent|invalid")
  (#not-commented? @finding "\\w{3}|panic"))
