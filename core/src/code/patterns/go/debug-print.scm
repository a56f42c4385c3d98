; id: debug-print
; severity: minor
; reason: Output for debugging is left in code that others call.
; action: Remove it, or use the log.
; not-in: tests, scripts

((expression_statement (call_expression function: (identifier) @name) @finding)
  (#any-of? @name "print" "println"))

((expression_statement (call_expression function: (selector_expression) @name) @finding)
  (#any-of? @name "fmt.Println" "fmt.Printf" "fmt.Print")
  (#not-file-has? "(?m)^package main\\b|cobra"))
