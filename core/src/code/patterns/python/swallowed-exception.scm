; id: swallowed-exception
; severity: major
; reason: An error of any kind is caught and nothing is done with it, so a defect goes on unseen.
; action: Handle or report it, or catch only what is expected and say in a comment why it may be ignored.
; needs: except
; not-in: tests

((except_clause "except" @finding [(identifier) @type (as_pattern (identifier) @type)]
  (block . [(pass_statement) (expression_statement (ellipsis))] .) @body) @clause
  (#any-of? @type "Exception" "BaseException")
  (#not-commented? @clause "\\w{3}"))
