; id: eval-exec
; severity: major
; reason: Text is run as code, and whoever can change the text can run anything.
; action: Parse the text, or look the operation up in a table.
; needs: eval|exec
; not-in: tests

((call function: (identifier) @name arguments: (argument_list . (_) @code)) @finding
  (#any-of? @name "eval" "exec")
  (#not-match? @code "^[rbu]?[\"'][^{]*$"))
