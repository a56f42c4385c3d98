; id: backward-goto
; severity: minor
; reason: It is a loop that does not look like one, and nobody sees when it ends.
; action: Write a loop.
; languages: c, cpp
; needs: goto

((goto_statement label: (_) @label) @finding
  (#jumps-back? @label))
