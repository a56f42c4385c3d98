; id: unfinished-code
; severity: major
; reason: Whoever comes here learns at run time that this was never written.
; action: Write it, or refuse the call where it is made.
; needs: mplement|TODO|todo
; not-in: tests, scripts

((throw_statement (object_creation_expression arguments: (argument_list (string_literal) @message))) @finding
  (#match? @message "(?i)\\btodo\\b|not (yet )?implemented|unimplemented"))
