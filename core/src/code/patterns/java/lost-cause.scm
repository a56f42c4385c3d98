; id: lost-cause
; severity: minor
; reason: A new exception takes the place of the caught one, and where it came from is lost.
; action: Pass the caught exception on as the cause.
; needs: catch
; not-in: tests

((catch_clause (catch_formal_parameter (catch_type) @type name: (identifier) @name) body: (block (throw_statement (object_creation_expression)) @finding) @body)
  (#not-mentions? @body @name)
  (#match? @type "^(Exception|RuntimeException|Throwable|IOException|SQLException|ExecutionException|ReflectiveOperationException)$"))
