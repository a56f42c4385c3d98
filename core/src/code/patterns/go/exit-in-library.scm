; id: exit-in-library
; severity: minor
; reason: Whoever calls this loses the process, with whatever else it was doing.
; action: Return or throw an error and let the entry point decide.
; not-in: tests, scripts

((call_expression function: (selector_expression) @function) @finding
  (#any-of? @function "os.Exit" "log.Fatal" "log.Fatalf" "log.Fatalln")
  (#not-file-has? "(?m)^package main\\b|cobra|flag\\.Parse"))
