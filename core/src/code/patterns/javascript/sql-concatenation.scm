; id: sql-concatenation
; severity: critical
; reason: SQL is put together from text, so a value can change the statement.
; action: Pass values as parameters of the statement.
; languages: javascript, typescript, tsx
; needs: SELECT |select |Select |INSERT |insert |UPDATE |update |DELETE |delete from|DROP |drop table
; not-in: tests

((call_expression function: (member_expression property: (property_identifier) @method)
    arguments: (arguments . [(template_string (template_substitution)) (binary_expression)] @sql)) @finding
  (#any-of? @method "query" "execute" "raw" "run" "all" "get" "exec" "prepare" "$queryRawUnsafe")
  (#match? @sql "(?is)\\b(select\\s.+\\sfrom\\s|insert\\s+into\\s|update\\s.+\\sset\\s|delete\\s+from\\s|drop\\s+table\\s)"))
