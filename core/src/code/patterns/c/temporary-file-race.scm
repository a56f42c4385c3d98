; id: temporary-file-race
; severity: major
; reason: Somebody else can make the file between the choice of its name and its opening.
; action: Use a call that makes and opens the file in one step, such as `mkstemp`.
; languages: c, cpp
; needs: mktemp|tmpnam|tempnam
; not-in: tests

((call_expression function: (identifier) @function) @finding
  (#any-of? @function "tmpnam" "mktemp" "tempnam"))
