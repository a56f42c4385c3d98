; id: world-writable
; severity: minor
; reason: Every user of the machine can change the file.
; action: Give rights to the owner or a group alone.
; needs: chmod|Chmod
; not-in: tests

((command name: (command_name) @name argument: [(word) (number)] @mode) @finding
  (#eq? @name "chmod")
  (#match? @mode "^([0-7]?[0-7][0-7][2367]|a\\+[rx]*w[rx]*|o\\+[rx]*w[rx]*|ugo\\+[rx]*w[rx]*)$"))
