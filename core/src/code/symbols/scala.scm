(package_clause name: (package_identifier) @name) @definition.module
(trait_definition name: (identifier) @name) @definition.trait
(enum_definition name: (identifier) @name) @definition.enum
(class_definition name: (identifier) @name) @definition.class
(object_definition name: (identifier) @name) @definition.class
(function_definition name: (identifier) @name) @definition.function
(function_declaration name: (identifier) @name) @definition.function
(type_definition name: (type_identifier) @name) @definition.type
(val_definition pattern: (identifier) @name) @definition.variable
(var_definition pattern: (identifier) @name) @definition.variable
(import_declaration) @import
(extends_clause (type_identifier) @reference.implementation)
(extends_clause (generic_type (type_identifier) @reference.implementation))
(call_expression function: (identifier) @reference.call)
(call_expression function: (field_expression value: (_) @qualifier field: (identifier) @reference.call))
(instance_expression (type_identifier) @reference.call)
(type_identifier) @reference.type
