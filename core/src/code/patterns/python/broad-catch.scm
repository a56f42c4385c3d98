; id: broad-catch
; severity: minor
; reason: It also catches what a program cannot go on from, such as running out of memory or an interrupt.
; action: Catch the exceptions that are expected, or throw it on after clean-up.
; needs: BaseException
; not-in: tests

((except_clause "except" @finding [(identifier) @type (as_pattern (identifier) @type)] (block) @body)
  (#eq? @type "BaseException")
  (#not-has? @body raise_statement "!function_definition")
  (#not-match? @body "^\\s*(pass|\\.\\.\\.)\\s*$"))
