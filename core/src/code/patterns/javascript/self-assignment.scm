; id: self-assignment
; severity: major
; reason: A thing is assigned to itself, which does nothing.
; action: Assign what was meant, or delete the line.
; languages: javascript, typescript, tsx
; not-in: tests

((expression_statement (assignment_expression left: (_) @left right: (_) @right) @finding)
  (#eq? @left @right)
  (#not-match? @left "\\(|\\.|\\["))
