; id: tls-verification-off
; severity: critical
; reason: Nobody checks who is at the other end, so anybody on the way can read and change what is sent.
; action: Verify certificates; add a private authority to the trusted ones instead.
; needs: danger_accept
; not-in: tests

((call_expression function: (field_expression field: (field_identifier) @name) arguments: (arguments (boolean_literal) @value)) @finding
  (#any-of? @name "danger_accept_invalid_certs" "danger_accept_invalid_hostnames")
  (#eq? @value "true"))
