; id: assignment-in-condition
; severity: major
; reason: It assigns where a comparison was likely meant.
; action: Write the comparison, or put the assignment in front or in parentheses of its own.
; languages: javascript, typescript, tsx

([(if_statement condition: (parenthesized_expression (assignment_expression) @finding)) (while_statement condition: (parenthesized_expression (assignment_expression) @finding))])
