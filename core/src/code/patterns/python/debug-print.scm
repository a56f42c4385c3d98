; id: debug-print
; severity: minor
; reason: Output for debugging is left in code that others call.
; action: Remove it, or use the log.
; needs: print|breakpoint|set_trace|post_mortem
; not-in: tests, scripts

((call function: (_) @name) @finding
  (#any-of? @name "breakpoint" "pdb.set_trace" "ipdb.set_trace" "pudb.set_trace" "pdb.post_mortem"))

((expression_statement (call function: (identifier) @name arguments: (argument_list) @args) @finding)
  (#eq? @name "print")
  (#in-function? @finding ".")
  (#not-in-function? @finding "(?i)print|usage|show|dump|report|display|help|list|main")
  (#not-match? @args "\\bfile\\s*=")
  (#not-file-has? "__main__|argparse|optparse|import click|sys\\.argv"))
