; id: return-in-finally
; severity: major
; reason: The return throws away an exception that is on its way.
; action: Return behind the `try`.
; languages: javascript, typescript, tsx
; needs: finally

((finally_clause "finally" @finding body: (_) @body)
  (#has? @body return_statement "!function_declaration" "!function_expression" "!arrow_function" "!method_definition"))
