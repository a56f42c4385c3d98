; id: exit-in-library
; severity: minor
; reason: Whoever calls this loses the process, with whatever else it was doing.
; action: Return or throw an error and let the entry point decide.
; needs: exit|quit
; not-in: tests, scripts

((call function: (_) @function) @finding
  (#any-of? @function "os._exit" "exit" "quit")
  (#not-file-has? "__main__|argparse|os\\.fork|import .*\\bexit\\b|def exit\\("))
