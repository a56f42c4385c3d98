; id: tls-verification-off
; severity: critical
; reason: Nobody checks who is at the other end, so anybody on the way can read and change what is sent.
; action: Verify certificates; add a private authority to the trusted ones instead.
; languages: javascript, typescript, tsx
; needs: rejectUnauthorized|NODE_TLS_REJECT
; not-in: tests

((pair key: (_) @name value: (false)) @finding
  (#match? @name "^['\"]?rejectUnauthorized['\"]?$"))

((assignment_expression left: (_) @name right: (string) @value) @finding
  (#match? @name "NODE_TLS_REJECT_UNAUTHORIZED")
  (#match? @value "^.0.$"))
