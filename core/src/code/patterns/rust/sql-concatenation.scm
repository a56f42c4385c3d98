; id: sql-concatenation
; severity: critical
; reason: SQL is put together from text, so a value can change the statement.
; action: Pass values as parameters of the statement.
; needs: SELECT |select |Select |INSERT |insert |UPDATE |update |DELETE |delete from|DROP |drop table
; not-in: tests

((call_expression function: (_) @function arguments: (arguments . [(macro_invocation) (reference_expression (macro_invocation))] @sql)) @finding
  (#match? @function "(query\\w*|execute|prepare|sql_query|batch_execute)$")
  (#match? @sql "^&?format!")
  (#match? @sql "(?is)\\b(select\\s.+\\sfrom\\s|insert\\s+into\\s|update\\s.+\\sset\\s|delete\\s+from\\s|drop\\s+table\\s)"))
