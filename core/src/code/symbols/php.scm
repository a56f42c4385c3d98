(namespace_definition name: (namespace_name) @name) @definition.module
(class_declaration name: (name) @name) @definition.class
(interface_declaration name: (name) @name) @definition.interface
(trait_declaration name: (name) @name) @definition.trait
(enum_declaration name: (name) @name) @definition.enum
(function_definition name: (name) @name) @definition.function
(method_declaration name: (name) @name) @definition.method
(const_element (name) @name) @definition.constant
(property_element (variable_name (name) @name)) @definition.field
(namespace_use_declaration) @import
(base_clause (name) @reference.implementation)
(class_interface_clause (name) @reference.implementation)
(object_creation_expression (name) @reference.call)
(function_call_expression function: (name) @reference.call)
(scoped_call_expression scope: (_) @qualifier name: (name) @reference.call)
(member_call_expression object: (_) @qualifier name: (name) @reference.call)
(named_type (name) @reference.type)
