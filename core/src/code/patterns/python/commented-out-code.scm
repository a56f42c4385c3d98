; id: commented-out-code
; severity: minor
; reason: Code in comments is not compiled, tested or kept up to date, and nobody knows whether it is meant.
; action: Delete it; the history keeps it.

((comment) @finding
  (#code? @finding))
