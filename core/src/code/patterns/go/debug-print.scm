; id: debug-print
; severity: minor
; reason: Output for debugging is left in code that others call.
; action: Remove it, or use the log.
; needs: print|fmt.Print
; not-in: tests, scripts

((expression_statement (call_expression function: (identifier) @name) @finding)
  (#any-of? @name "print" "println")
  (#not-file-has? "func (print|println)\\("))

((expression_statement (call_expression function: (selector_expression) @name) @finding)
  (#any-of? @name "fmt.Println" "fmt.Printf" "fmt.Print")
  (#not-in-function? @finding "(?i)print|usage|show|dump|report|display|help|list")
  (#not-file-has? "(?m)^package main\\b|cobra|[pP]rinter"))
