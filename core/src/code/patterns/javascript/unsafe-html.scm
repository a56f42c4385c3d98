; id: unsafe-html
; severity: major
; reason: Text becomes part of the page as HTML, so a value can bring scripts along.
; action: Set `textContent`, or clean the HTML first.
; languages: javascript, typescript, tsx
; needs: HTML|document.write
; not-in: tests

((assignment_expression left: (member_expression property: (property_identifier) @name) right: [(template_string (template_substitution)) (binary_expression) (identifier) (member_expression)] @value) @finding
  (#any-of? @name "innerHTML" "outerHTML")
  (#not-commented? @finding "(?i)safe|sanit|trust|escap"))

((call_expression function: (_) @name arguments: (arguments . [(template_string (template_substitution)) (binary_expression) (identifier)])) @finding
  (#any-of? @name "document.write" "document.writeln"))
