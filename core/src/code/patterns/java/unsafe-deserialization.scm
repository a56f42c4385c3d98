; id: unsafe-deserialization
; severity: major
; reason: Whoever made the data can run code here.
; action: Use a format that holds data alone, such as JSON, or a safe loader.
; needs: readObject
; not-in: tests, scripts

((method_invocation object: (_) name: (identifier) @name arguments: (argument_list) @args) @finding
  (#eq? @name "readObject")
  (#eq? @args "()")
  (#file-has? "ObjectInputStream")
  (#not-file-has? "SafeObjectInputStream|ObjectInputFilter")
  (#not-in-function? @finding "^(readObject|readExternal)$"))
