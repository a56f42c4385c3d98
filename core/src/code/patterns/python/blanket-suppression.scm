; id: blanket-suppression
; severity: minor
; reason: Every warning is switched off here, those that nobody has thought of yet included.
; action: Name the one warning, and say why it does not count.
; needs: noqa|nosec|ignore|pylint|pyright
; not-in: tests

((comment) @finding
  (#match? @finding "^#\\s*(noqa|nosec|type:\\s*ignore|pyright:\\s*ignore|pylint:\\s*(disable=all|skip-file)|flake8:\\s*noqa)\\s*$"))
