; id: sql-concatenation
; severity: critical
; reason: SQL is put together from text, so a value can change the statement.
; action: Pass values as parameters of the statement.
; needs: SELECT |select |Select |INSERT |insert |UPDATE |update |DELETE |delete from|DROP |drop table
; not-in: tests

((method_invocation name: (identifier) @method arguments: (argument_list . (binary_expression) @sql)) @finding
  (#any-of? @method "execute" "executeQuery" "executeUpdate" "prepareStatement" "createQuery" "createNativeQuery" "addBatch" "queryForObject" "queryForList")
  (#has? @sql identifier)
  (#match? @sql "(?is)\\b(select\\s.+\\sfrom\\s|insert\\s+into\\s|update\\s.+\\sset\\s|delete\\s+from\\s|drop\\s+table\\s)"))
