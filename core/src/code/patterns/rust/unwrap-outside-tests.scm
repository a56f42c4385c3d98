; id: unwrap-outside-tests
; severity: minor
; reason: A missing value or an error ends the whole program here, with a message that does not say why.
; action: Return the error with `?`, handle it, or use `expect` with the reason why it cannot happen.
; needs: .unwrap
; not-in: tests, scripts

((call_expression function: (field_expression value: (_) @value field: (field_identifier) @name) arguments: (arguments) @args) @finding
  (#eq? @name "unwrap")
  (#eq? @args "()")
  (#not-match? @value "(lock|read|write|borrow|borrow_mut|into_inner|wait|join)\\([^()]*\\)$")
  (#not-commented? @finding "\\w{3}"))
