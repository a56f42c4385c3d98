; id: unsafe-c-function
; severity: major
; reason: It writes as far as its source goes, past the end of where it writes to.
; action: Use the form that takes the size: `snprintf`, `strlcpy`, `fgets`.
; languages: c, cpp
; needs: strcpy|strcat|stpcpy|sprintf|gets
; not-in: tests

((call_expression function: (identifier) @name arguments: (argument_list (_) . (_) @source)) @finding
  (#any-of? @name "strcpy" "strcat" "stpcpy")
  (#not-match? @source "^\""))

((call_expression function: (identifier) @name arguments: (argument_list (_) . (string_literal) @format)) @finding
  (#any-of? @name "sprintf" "vsprintf")
  (#match? @format "%[-0-9]*s"))

((call_expression function: (identifier) @name) @finding
  (#eq? @name "gets"))
