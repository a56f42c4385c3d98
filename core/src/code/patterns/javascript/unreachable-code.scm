; id: unreachable-code
; severity: major
; reason: Nothing ever runs this.
; action: Delete it, or move it before the statement that leaves.
; languages: javascript, typescript, tsx

((statement_block [(return_statement) (throw_statement) (continue_statement) (break_statement)] .
    [(expression_statement) (if_statement) (for_statement) (for_in_statement) (return_statement) (throw_statement) (lexical_declaration) (while_statement) (try_statement)] @finding))
