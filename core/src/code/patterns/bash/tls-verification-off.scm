; id: tls-verification-off
; severity: critical
; reason: Nobody checks who is at the other end, so anybody on the way can read and change what is sent.
; action: Verify certificates; add a private authority to the trusted ones instead.
; needs: curl|wget
; not-in: tests

((command name: (command_name) @name argument: (word) @option) @finding
  (#any-of? @name "curl" "wget")
  (#match? @option "^(--insecure|--no-check-certificate|-[a-zA-Z]*k[a-zA-Z]*)$"))
