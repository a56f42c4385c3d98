; id: self-assignment
; severity: major
; reason: A thing is assigned to itself, which does nothing.
; action: Assign what was meant, or delete the line.
; not-in: tests

((expression_statement (assignment left: (_) @left !type right: (_) @right) @finding)
  (#eq? @left @right)
  (#not-parent? @finding class_definition)
  (#nested-in? @finding function_definition "!class_definition"))
