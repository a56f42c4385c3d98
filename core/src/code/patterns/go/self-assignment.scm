; id: self-assignment
; severity: major
; reason: A thing is assigned to itself, which does nothing.
; action: Assign what was meant, or delete the line.
; not-in: tests

((assignment_statement left: (_) @left operator: "=" right: (_) @right) @finding
  (#eq? @left @right))
