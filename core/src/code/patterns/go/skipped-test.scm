; id: skipped-test
; severity: info
; reason: The test does not run, and nobody knows when it may again.
; action: Mend it, delete it, or give the reason.
; needs: Skip

((call_expression function: (selector_expression) @function arguments: (argument_list) @args) @finding
  (#any-of? @function "t.Skip" "t.SkipNow" "b.Skip")
  (#eq? @args "()")
  (#not-commented? @finding "\\w{3}"))
