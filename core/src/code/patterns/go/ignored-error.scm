; id: ignored-error
; severity: major
; reason: The call says that it failed and nobody listens, so the next step works on what is not there.
; action: Check the error, return it, or assign it to `_` with a comment that says why.
; not-in: tests

((expression_statement (call_expression function: (_) @callee) @finding)
  (#calls-fallible? @callee))

((expression_statement (call_expression function: (selector_expression) @callee) @finding)
  (#match? @callee "^(os\\.(Rename|Mkdir|MkdirAll|WriteFile|Chmod|Chdir|Setenv|Symlink|Truncate)|json\\.Unmarshal|xml\\.Unmarshal|yaml\\.Unmarshal|io\\.(Copy|ReadFull|WriteString)|binary\\.(Read|Write)|filepath\\.Walk(Dir)?)$"))
