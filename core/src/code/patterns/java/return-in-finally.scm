; id: return-in-finally
; severity: major
; reason: The return throws away an exception that is on its way.
; action: Return behind the `try`.
; needs: finally

((finally_clause "finally" @finding (block) @body)
  (#has? @body return_statement "!lambda_expression" "!class_body"))
