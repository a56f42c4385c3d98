; id: focused-test
; severity: critical
; reason: All other tests of the file are left out, and the run is green.
; action: Take the focus away.
; languages: javascript, typescript, tsx
; needs: .only|fit|fdescribe|ddescribe|iit
; only-in: tests

((call_expression function: (member_expression object: (identifier) @object property: (property_identifier) @name)) @finding
  (#any-of? @object "it" "test" "describe" "context" "suite" "specify")
  (#eq? @name "only"))

((call_expression function: (identifier) @name) @finding
  (#any-of? @name "fit" "fdescribe" "ddescribe" "iit"))
