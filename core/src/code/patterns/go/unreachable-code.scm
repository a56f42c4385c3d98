; id: unreachable-code
; severity: major
; reason: Nothing ever runs this.
; action: Delete it, or move it before the statement that leaves.

((statement_list [(return_statement) (continue_statement) (break_statement)] .
    [(expression_statement) (if_statement) (for_statement) (return_statement) (short_var_declaration) (assignment_statement)] @finding))
