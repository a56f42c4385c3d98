; id: swallowed-exception
; severity: major
; reason: An error of any kind is caught and nothing is done with it, so a defect goes on unseen.
; action: Handle or report it, or catch only what is expected and say in a comment why it may be ignored.
; needs: catch
; not-in: tests

((catch_clause "catch" @finding body: (compound_statement) @body)
  (#empty? @body))
