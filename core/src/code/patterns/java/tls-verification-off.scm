; id: tls-verification-off
; severity: critical
; reason: Nobody checks who is at the other end, so anybody on the way can read and change what is sent.
; action: Verify certificates; add a private authority to the trusted ones instead.
; needs: ALLOW_ALL_HOSTNAME|TrustAllStrategy|NoopHostname|AllowAllHostname
; not-in: tests

((identifier) @finding
  (#any-of? @finding "ALLOW_ALL_HOSTNAME_VERIFIER" "TrustAllStrategy" "NoopHostnameVerifier" "AllowAllHostnameVerifier"))
