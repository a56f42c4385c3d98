; id: unreachable-code
; severity: major
; reason: Nothing ever runs this.
; action: Delete it, or move it before the statement that leaves.
; languages: c, cpp

((compound_statement [(return_statement) (continue_statement) (break_statement) (goto_statement)] .
    [(expression_statement) (if_statement) (for_statement) (while_statement) (do_statement) (declaration)] @finding)
  (#not-match? @finding "^;$"))
