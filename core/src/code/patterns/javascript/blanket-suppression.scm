; id: blanket-suppression
; severity: minor
; reason: Every warning is switched off here, those that nobody has thought of yet included.
; action: Name the one warning, and say why it does not count.
; languages: javascript, typescript, tsx
; needs: eslint-disable|@ts-
; not-in: tests

((comment) @finding
  (#match? @finding "^/[/*]\\s*(eslint-disable(-next-line|-line)?|@ts-nocheck|@ts-ignore)\\s*(\\*/)?$"))
