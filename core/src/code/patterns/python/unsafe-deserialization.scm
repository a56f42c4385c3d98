; id: unsafe-deserialization
; severity: major
; reason: Whoever made the data can run code here.
; action: Use a format that holds data alone, such as JSON, or a safe loader.
; needs: yaml.load|ickle|marshal|dill
; not-in: tests, scripts

((call function: (_) @function arguments: (argument_list) @args) @finding
  (#any-of? @function "yaml.load" "yaml.load_all")
  (#not-file-has? "ruamel")
  (#not-match? @args "Safe|Base"))

((call function: (_) @function) @finding
  (#any-of? @function "pickle.load" "pickle.loads" "cPickle.loads" "cPickle.load" "marshal.loads" "dill.loads" "jsonpickle.decode"))
