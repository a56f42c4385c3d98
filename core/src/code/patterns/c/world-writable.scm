; id: world-writable
; severity: minor
; reason: Every user of the machine can change the file.
; action: Give rights to the owner or a group alone.
; languages: c, cpp
; needs: chmod|Chmod
; not-in: tests

((call_expression function: (identifier) @function arguments: (argument_list (_) . (number_literal) @mode)) @finding
  (#any-of? @function "chmod" "fchmod")
  (#match? @mode "^0[0-7]*[2367]$"))
