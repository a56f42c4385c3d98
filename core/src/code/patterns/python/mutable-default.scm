; id: mutable-default
; severity: major
; reason: The default is made once, so what one call changes the next one sees.
; action: Use `None` and make the value inside the function.

([(default_parameter value: (_) @finding) (typed_default_parameter value: (_) @finding)]
  (#match? @finding "^(\\[\\]|\\{\\}|(list|dict|set|bytearray|deque|defaultdict|collections\\.\\w+)\\(.*\\)|\\[.*\\]|\\{.*\\})$"))
