; id: tls-verification-off
; severity: critical
; reason: Nobody checks who is at the other end, so anybody on the way can read and change what is sent.
; action: Verify certificates; add a private authority to the trusted ones instead.
; needs: verify|check_hostname|CERT_NONE|_create_unverified
; not-in: tests

((keyword_argument name: (identifier) @name value: (false)) @finding
  (#any-of? @name "verify" "verify_ssl" "check_hostname" "verify_certs" "ssl_verify")
  (#nested-in? @finding call)
  (#file-has? "requests|httpx|aiohttp|ssl|urllib3|session"))

((attribute object: (identifier) @object attribute: (identifier) @name) @finding
  (#eq? @object "ssl")
  (#any-of? @name "_create_unverified_context" "CERT_NONE"))
