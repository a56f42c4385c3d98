; id: skipped-test
; severity: info
; reason: The test does not run, and nobody knows when it may again.
; action: Mend it, delete it, or give the reason.
; needs: Disabled|Ignore

((marker_annotation name: (identifier) @name) @finding
  (#any-of? @name "Disabled" "Ignore")
  (#not-commented? @finding "\\w{3}"))
