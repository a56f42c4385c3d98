; id: lost-cause
; severity: minor
; reason: A new exception takes the place of the caught one, and where it came from is lost.
; action: Pass the caught exception on as the cause.
; languages: javascript, typescript, tsx
; needs: catch
; not-in: tests

((catch_clause parameter: (identifier) @name body: (statement_block (throw_statement (new_expression)) @finding) @body)
  (#not-mentions? @body @name))
