; id: skipped-test
; severity: info
; reason: The test does not run, and nobody knows when it may again.
; action: Mend it, delete it, or give the reason.
; needs: skip

((decorator (attribute) @name) @finding
  (#any-of? @name "pytest.mark.skip" "unittest.skip"))

((decorator (call function: (_) @name arguments: (argument_list) @args)) @finding
  (#any-of? @name "pytest.mark.skip" "unittest.skip")
  (#eq? @args "()"))
