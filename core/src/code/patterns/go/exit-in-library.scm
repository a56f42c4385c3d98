; id: exit-in-library
; severity: minor
; reason: Whoever calls this loses the process, with whatever else it was doing.
; action: Return or throw an error and let the entry point decide.
; needs: os.Exit|log.Fatal
; not-in: tests, scripts

((call_expression function: (selector_expression) @function) @finding
  (#any-of? @function "os.Exit" "log.Fatal" "log.Fatalf" "log.Fatalln")
  (#not-in-function? @finding "^(main|Main|Exit|Usage|usage)$")
  (#not-file-has? "(?m)^package main\\b|cobra|flag\\.Parse"))
