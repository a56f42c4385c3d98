; id: blanket-suppression
; severity: minor
; reason: Every warning is switched off here, those that nobody has thought of yet included.
; action: Name the one warning, and say why it does not count.
; needs: allow
; not-in: tests

([(attribute_item) (inner_attribute_item)] @finding
  (#match? @finding "^#!?\\[allow\\((warnings|clippy::all)\\)\\]$"))
