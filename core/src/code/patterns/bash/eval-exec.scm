; id: eval-exec
; severity: major
; reason: Text is run as code, and whoever can change the text can run anything.
; action: Parse the text, or look the operation up in a table.
; needs: eval
; not-in: tests

((command name: (command_name) @name argument: (_) @code) @finding
  (#eq? @name "eval")
  (#has? @code simple_expansion expansion)
  (#not-file-has? "GNU Autoconf")
  (#not-match? @code "^\"?\\$\\("))
