; id: blanket-suppression
; severity: minor
; reason: Every warning is switched off here, those that nobody has thought of yet included.
; action: Name the one warning, and say why it does not count.
; needs: SuppressWarnings
; not-in: tests

((annotation name: (identifier) @name arguments: (annotation_argument_list) @args) @finding
  (#eq? @name "SuppressWarnings")
  (#match? @args "\"all\""))
