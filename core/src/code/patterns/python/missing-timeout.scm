; id: missing-timeout
; severity: minor
; reason: A server that does not answer stops this program for good.
; action: Pass `timeout=`.
; needs: requests
; not-in: tests

((call function: (attribute object: (identifier) @object attribute: (identifier) @name) arguments: (argument_list) @args) @finding
  (#eq? @object "requests")
  (#any-of? @name "get" "post" "put" "delete" "patch" "head" "request")
  (#not-match? @args "\\btimeout\\s*=|\\*\\*"))
