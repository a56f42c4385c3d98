; id: empty-block
; severity: minor
; reason: Nothing happens here, and nobody can tell whether something was forgotten.
; action: Write what is missing, turn the condition round, or say in a comment why nothing is to be done.

([(if_statement consequence: (block) @finding) (if_statement alternative: (block) @finding) (finally_clause (block) @finding)]
  (#empty? @finding))
