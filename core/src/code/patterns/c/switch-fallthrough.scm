; id: switch-fallthrough
; severity: major
; reason: This case runs on into the next one, and nothing says that it should.
; action: End it with `break`, or say in a comment that it falls through.
; languages: c, cpp

((case_statement) @finding
  (#falls-through? @finding))
