; id: unfinished-code
; severity: major
; reason: Whoever comes here learns at run time that this was never written.
; action: Write it, or refuse the call where it is made.
; needs: todo!|unimplemented!
; not-in: tests, scripts

((macro_invocation macro: (identifier) @name) @finding
  (#any-of? @name "todo" "unimplemented")
  (#not-match? @finding "(?i)not supported|unsupported"))
