; Of two patterns that name the same word the earlier one holds.
(package_clause (package_identifier) @name) @definition.module
(function_declaration name: (identifier) @name) @definition.function
(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @owner
    (pointer_type (type_identifier) @owner)
    (generic_type type: (type_identifier) @owner)
    (pointer_type (generic_type type: (type_identifier) @owner))]))
  name: (field_identifier) @name) @definition.method
(type_spec name: (type_identifier) @name type: (struct_type)) @definition.struct
(type_spec name: (type_identifier) @name type: (interface_type)) @definition.interface
(type_spec name: (type_identifier) @name) @definition.type
(type_alias name: (type_identifier) @name) @definition.type
(const_spec name: (identifier) @name) @definition.constant
(var_spec name: (identifier) @name) @definition.variable
(field_declaration name: (field_identifier) @name) @definition.field
(method_elem name: (field_identifier) @name) @definition.method

(import_spec) @import

(field_declaration !name type: (type_identifier) @reference.implementation)
(field_declaration !name type: (qualified_type package: (_) @qualifier name: (type_identifier) @reference.implementation))
(interface_type (type_elem (type_identifier) @reference.implementation))
(interface_type (type_elem (qualified_type package: (_) @qualifier name: (type_identifier) @reference.implementation)))
(call_expression function: (identifier) @reference.call)
(call_expression function: (selector_expression operand: (_) @qualifier field: (field_identifier) @reference.call))
(call_expression function: (parenthesized_expression (identifier) @reference.call))
(qualified_type package: (_) @qualifier name: (type_identifier) @reference.type)
(type_identifier) @reference.type
(func_literal) @block
