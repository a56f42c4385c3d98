; id: switch-fallthrough
; severity: major
; reason: This case runs on into the next one, and nothing says that it should.
; action: End it with `break`, or say in a comment that it falls through.
; languages: javascript, typescript, tsx

((switch_case) @finding
  (#falls-through? @finding))
