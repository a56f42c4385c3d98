; id: tls-verification-off
; severity: critical
; reason: Nobody checks who is at the other end, so anybody on the way can read and change what is sent.
; action: Verify certificates; add a private authority to the trusted ones instead.
; languages: c, cpp
; needs: CURLOPT_SSL
; not-in: tests

((call_expression function: (identifier) @function arguments: (argument_list (identifier) @option . (number_literal) @value)) @finding
  (#eq? @function "curl_easy_setopt")
  (#any-of? @option "CURLOPT_SSL_VERIFYPEER" "CURLOPT_SSL_VERIFYHOST")
  (#match? @value "^0"))
