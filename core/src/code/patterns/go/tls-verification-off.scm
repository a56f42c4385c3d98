; id: tls-verification-off
; severity: critical
; reason: Nobody checks who is at the other end, so anybody on the way can read and change what is sent.
; action: Verify certificates; add a private authority to the trusted ones instead.
; needs: InsecureSkipVerify
; not-in: tests

((keyed_element (literal_element) @name (literal_element (true))) @finding
  (#eq? @name "InsecureSkipVerify"))

((assignment_statement left: (_) @name right: (expression_list (true))) @finding
  (#match? @name "\\.InsecureSkipVerify$"))
