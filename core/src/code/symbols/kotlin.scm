(package_header (qualified_identifier) @name) @definition.module
(class_declaration "interface" name: (identifier) @name) @definition.interface
(class_declaration name: (identifier) @name) @definition.class
(object_declaration name: (identifier) @name) @definition.class
(function_declaration name: (identifier) @name) @definition.function
(type_alias type: (identifier) @name) @definition.type
(enum_entry (identifier) @name) @definition.constant
(property_declaration (variable_declaration (identifier) @name)) @definition.variable
(import) @import
(delegation_specifier (user_type (identifier) @reference.implementation))
(delegation_specifier (constructor_invocation (user_type (identifier) @reference.implementation)))
(call_expression . (identifier) @reference.call)
(call_expression . (navigation_expression (_) @qualifier (identifier) @reference.call .))
(user_type (identifier) @reference.type)
