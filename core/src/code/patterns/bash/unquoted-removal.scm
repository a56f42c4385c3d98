; id: unquoted-removal
; severity: major
; reason: An empty value or a space in it makes this remove something else.
; action: Put the value in double quotes, and use `${name:?}` so that an empty one stops the script.
; needs: rm

((command name: (command_name) @name argument: (word) @flag argument: [(simple_expansion) (expansion) (concatenation [(simple_expansion) (expansion)])] @finding)
  (#eq? @name "rm")
  (#match? @flag "^-[a-zA-Z]*[rR]")
  (#not-match? @finding ":\\?|^\\$\\{?#"))
