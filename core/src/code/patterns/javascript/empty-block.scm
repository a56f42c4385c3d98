; id: empty-block
; severity: minor
; reason: Nothing happens here, and nobody can tell whether something was forgotten.
; action: Write what is missing, turn the condition round, or say in a comment why nothing is to be done.
; languages: javascript, typescript, tsx

([(if_statement consequence: (statement_block) @finding) (else_clause (statement_block) @finding) (finally_clause body: (statement_block) @finding)]
  (#empty? @finding))
