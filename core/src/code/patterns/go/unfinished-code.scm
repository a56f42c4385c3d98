; id: unfinished-code
; severity: major
; reason: Whoever comes here learns at run time that this was never written.
; action: Write it, or refuse the call where it is made.
; needs: mplement|TODO|todo
; not-in: tests, scripts

((call_expression function: (identifier) @name arguments: (argument_list (interpreted_string_literal) @message)) @finding
  (#eq? @name "panic")
  (#match? @message "(?i)\\btodo\\b|not (yet )?implemented|unimplemented"))
