; id: backward-goto
; severity: minor
; reason: It is a loop that does not look like one, and nobody sees when it ends.
; action: Write a loop.
; needs: goto

((goto_statement (label_name) @label) @finding
  (#jumps-back? @label))
