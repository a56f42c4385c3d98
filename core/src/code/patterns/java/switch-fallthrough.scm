; id: switch-fallthrough
; severity: major
; reason: This case runs on into the next one, and nothing says that it should.
; action: End it with `break`, or say in a comment that it falls through.

((switch_block_statement_group) @finding
  (#falls-through? @finding))
