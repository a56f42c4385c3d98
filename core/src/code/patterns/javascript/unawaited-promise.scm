; id: unawaited-promise
; severity: major
; reason: The work goes on in the background: its error is lost, and what follows does not wait for it.
; action: Await it, return it, or write `void` in front where that is meant.
; languages: javascript, typescript, tsx
; not-in: tests

((expression_statement (call_expression function: (_) @callee) @finding)
  (#calls-async? @callee)
  (#in-async? @finding))

((expression_statement (call_expression function: (_) @callee) @finding)
  (#match? @callee "^(Promise\\.(all|allSettled|race|any)|fetch)$")
  (#in-async? @finding))

((call_expression function: (member_expression property: (property_identifier) @name) arguments: (arguments . [(arrow_function "async") (function_expression "async")])) @finding
  (#eq? @name "forEach"))

((new_expression constructor: (identifier) @name arguments: (arguments . [(arrow_function "async") (function_expression "async")])) @finding
  (#eq? @name "Promise"))
