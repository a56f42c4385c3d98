(class_declaration name: (type_identifier) @name) @definition.class
(abstract_class_declaration name: (type_identifier) @name) @definition.class
(interface_declaration name: (type_identifier) @name) @definition.interface
(enum_declaration name: (identifier) @name) @definition.enum
(enum_body name: (property_identifier) @name @definition.constant)
(enum_assignment name: (property_identifier) @name) @definition.constant
(type_alias_declaration name: (type_identifier) @name) @definition.type
(internal_module name: [(identifier) (nested_identifier)] @name) @definition.module
(module name: [(identifier) (nested_identifier)] @name) @definition.module
(function_signature name: (identifier) @name) @declaration.function
(method_signature name: [(property_identifier) (private_property_identifier)] @name) @definition.method
(abstract_method_signature name: [(property_identifier) (private_property_identifier)] @name) @definition.method
(public_field_definition name: [(property_identifier) (private_property_identifier)] @name value: [(arrow_function) (function_expression)]) @definition.method
(public_field_definition name: [(property_identifier) (private_property_identifier)] @name) @definition.field
(interface_body (property_signature name: (property_identifier) @name) @definition.field)
(import_alias) @import

(extends_clause value: (identifier) @reference.implementation)
(extends_clause value: (member_expression object: (_) @qualifier property: (property_identifier) @reference.implementation))
(implements_clause (type_identifier) @reference.implementation)
(implements_clause (generic_type name: (type_identifier) @reference.implementation))
(extends_type_clause type: (type_identifier) @reference.implementation)
(extends_type_clause type: (generic_type name: (type_identifier) @reference.implementation))
(nested_type_identifier module: (_) @qualifier name: (type_identifier) @reference.type)
(type_identifier) @reference.type
