; id: modified-while-iterating
; severity: major
; reason: What is removed or added while the loop runs makes it skip elements.
; action: Loop over a copy, or make a new list.

((for_statement right: (identifier) @list body: (block [(expression_statement (call function: (attribute object: (identifier) @changed attribute: (identifier) @name)) @finding)
      (if_statement consequence: (block (expression_statement (call function: (attribute object: (identifier) @changed attribute: (identifier) @name)) @finding)))]) @body)
  (#eq? @list @changed)
  (#any-of? @name "remove" "append" "insert" "pop" "add" "discard" "clear")
  (#not-has? @body break_statement return_statement))
