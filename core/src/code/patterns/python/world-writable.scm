; id: world-writable
; severity: minor
; reason: Every user of the machine can change the file.
; action: Give rights to the owner or a group alone.
; needs: chmod|Chmod
; not-in: tests

((call function: (_) @function arguments: (argument_list (_) . (integer) @mode)) @finding
  (#eq? @function "os.chmod")
  (#match? @mode "^0o?[0-7]*[2367]$"))
