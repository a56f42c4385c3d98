; id: guard-dropped
; severity: critical
; reason: `_` drops the guard at once, so the lock is free again on the next line.
; action: Give the guard a name, such as `_guard`.
; needs: let _

((let_declaration pattern: "_" value: (_) @value) @finding
  (#match? @value "\\.(lock|read|write)\\(\\)(\\.unwrap\\(\\)|\\.expect\\([^)]*\\)|\\.await|\\?)?$"))
