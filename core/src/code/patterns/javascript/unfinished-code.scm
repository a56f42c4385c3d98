; id: unfinished-code
; severity: major
; reason: Whoever comes here learns at run time that this was never written.
; action: Write it, or refuse the call where it is made.
; languages: javascript, typescript, tsx
; needs: mplement|TODO|todo
; not-in: tests, scripts

((throw_statement (new_expression arguments: (arguments . (string) @message))) @finding
  (#match? @message "(?i)\\btodo\\b|not (yet )?implemented|unimplemented"))
