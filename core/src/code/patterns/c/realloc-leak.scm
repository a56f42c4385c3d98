; id: realloc-leak
; severity: major
; reason: Where no memory is left, the old block is lost and the program goes on with a null pointer.
; action: Assign to another variable first, and check it.
; languages: c, cpp
; needs: realloc
; not-in: tests

((assignment_expression left: (_) @left right: [(call_expression function: (identifier) @function arguments: (argument_list . (_) @right))
    (cast_expression value: (call_expression function: (identifier) @function arguments: (argument_list . (_) @right)))]) @finding
  (#eq? @function "realloc")
  (#eq? @left @right))
