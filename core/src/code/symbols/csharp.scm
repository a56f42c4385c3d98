(namespace_declaration name: (_) @name) @definition.module
(file_scoped_namespace_declaration name: (_) @name) @definition.module
(class_declaration name: (identifier) @name) @definition.class
(record_declaration name: (identifier) @name) @definition.class
(struct_declaration name: (identifier) @name) @definition.struct
(interface_declaration name: (identifier) @name) @definition.interface
(enum_declaration name: (identifier) @name) @definition.enum
(enum_member_declaration name: (identifier) @name) @definition.constant
(delegate_declaration name: (identifier) @name) @definition.type
(method_declaration name: (identifier) @name) @definition.method
(constructor_declaration name: (identifier) @name) @definition.method
(property_declaration name: (identifier) @name) @definition.field
(field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @definition.field
(using_directive) @import
(base_list (identifier) @reference.implementation)
(base_list (generic_name (identifier) @reference.implementation))
(invocation_expression function: (identifier) @reference.call)
(invocation_expression function: (member_access_expression expression: (_) @qualifier name: (identifier) @reference.call))
(object_creation_expression type: (identifier) @reference.call)
(variable_declaration type: (identifier) @reference.type)
(parameter type: (identifier) @reference.type)
