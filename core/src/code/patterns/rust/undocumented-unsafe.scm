; id: undocumented-unsafe
; severity: info
; reason: The compiler leaves it to people to see that this is sound, and nobody says why it is.
; action: Write a comment above that begins with `SAFETY:` and says why it holds.
; needs: unsafe
; not-in: tests

((unsafe_block) @finding
  (#not-commented? @finding "(?i)safe|sound"))
