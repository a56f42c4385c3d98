; Of two patterns that name the same word the earlier one holds.
(package_declaration [(scoped_identifier) (identifier)] @name) @definition.module
(class_declaration name: (identifier) @name) @definition.class
(record_declaration name: (identifier) @name) @definition.class
(interface_declaration name: (identifier) @name) @definition.interface
(annotation_type_declaration name: (identifier) @name) @definition.interface
(enum_declaration name: (identifier) @name) @definition.enum
(enum_constant name: (identifier) @name) @definition.constant
(method_declaration name: (identifier) @name) @definition.method
(constructor_declaration name: (identifier) @name) @definition.method
(compact_constructor_declaration name: (identifier) @name) @definition.method
(annotation_type_element_declaration name: (identifier) @name) @definition.method
(constant_declaration declarator: (variable_declarator name: (identifier) @name)) @definition.constant
(field_declaration (modifiers "static" "final") declarator: (variable_declarator name: (identifier) @name)) @definition.constant
(field_declaration declarator: (variable_declarator name: (identifier) @name)) @definition.field

(import_declaration) @import

(superclass (type_identifier) @reference.implementation)
(superclass (generic_type (type_identifier) @reference.implementation))
(superclass (scoped_type_identifier (type_identifier) @reference.implementation .))
(type_list (type_identifier) @reference.implementation)
(type_list (generic_type (type_identifier) @reference.implementation))
(type_list (scoped_type_identifier (type_identifier) @reference.implementation .))
(method_invocation object: (_) @qualifier name: (identifier) @reference.call)
(method_invocation name: (identifier) @reference.call)
(object_creation_expression type: (type_identifier) @reference.call)
(object_creation_expression type: (generic_type (type_identifier) @reference.call))
(object_creation_expression type: (scoped_type_identifier (_) @qualifier (type_identifier) @reference.call .))
(method_reference . (_) @qualifier (identifier) @reference.call .)
(marker_annotation name: (identifier) @reference.type)
(annotation name: (identifier) @reference.type)
(type_identifier) @reference.type
