; id: pipe-to-shell
; severity: major
; reason: Whatever the server sends is run, half of a broken download included.
; action: Download to a file, check its hash or signature, then run it.
; needs: curl|wget
; not-in: tests

((pipeline (command name: (command_name) @fetch) (command name: (command_name) @shell) .) @finding
  (#any-of? @fetch "curl" "wget")
  (#match? @shell "^(/bin/)?(sh|bash|zsh|python3?|perl)$"))
