; id: empty-block
; severity: minor
; reason: Nothing happens here, and nobody can tell whether something was forgotten.
; action: Write what is missing, turn the condition round, or say in a comment why nothing is to be done.
; languages: c, cpp

([(if_statement consequence: (compound_statement) @finding) (else_clause (compound_statement) @finding)]
  (#empty? @finding))
