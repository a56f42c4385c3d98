; id: blanket-suppression
; severity: minor
; reason: Every warning is switched off here, those that nobody has thought of yet included.
; action: Name the one warning, and say why it does not count.
; languages: c, cpp
; needs: NOLINT|cppcheck
; not-in: tests

((comment) @finding
  (#match? @finding "^/[/*]\\s*(NOLINT|NOLINTNEXTLINE|cppcheck-suppress-file)\\s*(\\*/)?$"))
