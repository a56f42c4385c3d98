; What JavaScript, TypeScript and TSX share. Of two patterns that name the same word the earlier one holds.
(function_declaration name: (identifier) @name) @definition.function
(generator_function_declaration name: (identifier) @name) @definition.function
(method_definition name: [(property_identifier) (private_property_identifier)] @name) @definition.method
(variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression) (generator_function)]) @definition.function
(variable_declarator name: (identifier) @name value: (class)) @definition.class
(lexical_declaration kind: "const" (variable_declarator name: (identifier) @name) @definition.constant)
(variable_declarator name: (identifier) @name) @definition.variable
(assignment_expression
  left: (member_expression object: (_) @owner property: (property_identifier) @name)
  right: [(arrow_function) (function_expression) (generator_function)]) @definition.function
(assignment_expression
  left: (member_expression object: (_) @owner property: (property_identifier) @name)
  right: (class)) @definition.class
(assignment_expression
  left: (member_expression object: (identifier) @owner property: (property_identifier) @name)
  (#eq? @owner "exports")) @definition.variable
(pair
  key: (property_identifier) @name
  value: [(arrow_function) (function_expression) (generator_function)]) @definition.function

(export_statement) @export
(export_statement !source (export_clause (export_specifier name: (identifier) @exported)))
(export_statement value: (identifier) @exported)
(assignment_expression
  left: (member_expression object: (identifier) @object property: (property_identifier) @property)
  right: (identifier) @exported
  (#eq? @object "module") (#eq? @property "exports"))
(assignment_expression
  left: (member_expression object: (identifier) @object property: (property_identifier) @property)
  right: (object (shorthand_property_identifier) @exported)
  (#eq? @object "module") (#eq? @property "exports"))

(import_statement) @import
(export_statement source: (string)) @import
(variable_declarator name: (_) @bound value: (await_expression (call_expression function: (import) arguments: (arguments . (string))) @import))
(call_expression function: (import) arguments: (arguments . (string))) @import
(variable_declarator
  name: (_) @bound
  value: (call_expression function: (identifier) @require arguments: (arguments . (string))) @import
  (#eq? @require "require"))
(member_expression
  object: (call_expression function: (identifier) @require arguments: (arguments . (string))) @import
  property: (property_identifier) @bound
  (#eq? @require "require"))
(call_expression function: (identifier) @require arguments: (arguments . (string)) (#eq? @require "require")) @import

(call_expression function: (identifier) @reference.call)
(call_expression function: (member_expression object: (_) @qualifier property: [(property_identifier) (private_property_identifier)] @reference.call))
(new_expression constructor: (identifier) @reference.call)
(new_expression constructor: (member_expression object: (_) @qualifier property: (property_identifier) @reference.call))

; Functions without a name of their own still keep what is local to them.
(arrow_function) @block
(function_expression) @block
