; id: swallowed-exception
; severity: major
; reason: An error of any kind is caught and nothing is done with it, so a defect goes on unseen.
; action: Handle or report it, or catch only what is expected and say in a comment why it may be ignored.
; needs: catch
; not-in: tests

((catch_clause "catch" @finding (catch_formal_parameter (catch_type) @type name: (identifier) @name) body: (block) @body)
  (#empty? @body)
  (#match? @type "\\b(Exception|Throwable|RuntimeException|Error)$")
  (#not-match? @name "(?i)^(ignor|expected|unused|_)"))
