; id: sql-concatenation
; severity: critical
; reason: SQL is put together from text, so a value can change the statement.
; action: Pass values as parameters of the statement.
; needs: SELECT |select |Select |INSERT |insert |UPDATE |update |DELETE |delete from|DROP |drop table
; not-in: tests

((call_expression function: (selector_expression field: (field_identifier) @method)
    arguments: (argument_list [(binary_expression) (call_expression function: (selector_expression) @format (#eq? @format "fmt.Sprintf"))] @sql)) @finding
  (#match? @method "^(Query|QueryRow|Exec|Prepare|Raw)(Context)?$")
  (#has? @sql identifier)
  (#match? @sql "(?is)\\b(select\\s.+\\sfrom\\s|insert\\s+into\\s|update\\s.+\\sset\\s|delete\\s+from\\s|drop\\s+table\\s)"))
