; id: broad-catch
; severity: minor
; reason: It also catches what a program cannot go on from, such as running out of memory or an interrupt.
; action: Catch the exceptions that are expected, or throw it on after clean-up.
; needs: catch
; not-in: tests

((catch_clause "catch" @finding (catch_formal_parameter (catch_type) @type name: (identifier) @name) body: (block) @body)
  (#any-of? @type "Throwable" "Error" "OutOfMemoryError")
  (#not-has? @body throw_statement)
  (#not-mentions? @body @name)
  (#not-match? @body "(?i)\\b(exit|halt)\\(")
  (#not-empty? @body))
