; id: unreachable-code
; severity: major
; reason: Nothing ever runs this.
; action: Delete it, or move it before the statement that leaves.

((block [(return_statement) (raise_statement) (continue_statement) (break_statement)] . (_) @finding)
  (#not-match? @finding "^(yield|#|if False)"))
