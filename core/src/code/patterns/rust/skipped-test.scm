; id: skipped-test
; severity: info
; reason: The test does not run, and nobody knows when it may again.
; action: Mend it, delete it, or give the reason.
; needs: ignore

((attribute_item) @finding
  (#eq? @finding "#[ignore]")
  (#not-commented? @finding "\\w{3}"))
