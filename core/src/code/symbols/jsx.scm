; Elements whose name starts with a capital are components, all others the browser's own.
(jsx_opening_element name: (identifier) @reference.call (#match? @reference.call "^[A-Z]"))
(jsx_self_closing_element name: (identifier) @reference.call (#match? @reference.call "^[A-Z]"))
(jsx_opening_element name: (member_expression object: (_) @qualifier property: (property_identifier) @reference.call))
(jsx_self_closing_element name: (member_expression object: (_) @qualifier property: (property_identifier) @reference.call))
