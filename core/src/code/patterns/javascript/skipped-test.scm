; id: skipped-test
; severity: info
; reason: The test does not run, and nobody knows when it may again.
; action: Mend it, delete it, or give the reason.
; languages: javascript, typescript, tsx
; needs: .skip|xit|xdescribe|xtest

((call_expression function: (member_expression object: (identifier) @object property: (property_identifier) @name) arguments: (arguments . (string))) @finding
  (#any-of? @object "it" "test" "describe" "context")
  (#eq? @name "skip")
  (#not-commented? @finding "\\w{3}"))

((call_expression function: (identifier) @name arguments: (arguments . (string))) @finding
  (#any-of? @name "xit" "xdescribe" "xtest")
  (#not-commented? @finding "\\w{3}"))
