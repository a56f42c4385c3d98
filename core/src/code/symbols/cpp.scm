(class_specifier name: (type_identifier) @name body: (_)) @definition.class
(namespace_definition name: (_) @name) @definition.module
(alias_declaration name: (type_identifier) @name) @definition.type
(concept_definition name: (identifier) @name) @definition.type
(function_definition declarator: (function_declarator declarator: [(field_identifier) (destructor_name) (operator_name)] @name)) @definition.method
(function_definition declarator: (function_declarator declarator: (qualified_identifier) @name)) @definition.function
(function_definition declarator: (reference_declarator (function_declarator declarator: [(identifier) (field_identifier) (operator_name) (qualified_identifier)] @name))) @definition.function
(function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: [(field_identifier) (qualified_identifier) (operator_name)] @name))) @definition.function
(field_declaration declarator: (function_declarator declarator: [(field_identifier) (operator_name)] @name)) @declaration.method
(field_declaration declarator: (reference_declarator (function_declarator declarator: [(field_identifier) (operator_name)] @name))) @declaration.method
(field_declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (field_identifier) @name))) @declaration.method
(declaration declarator: (function_declarator declarator: [(destructor_name) (qualified_identifier) (operator_name)] @name)) @declaration.function
(access_specifier) @access

(using_declaration) @import

(base_class_clause (type_identifier) @reference.implementation)
(base_class_clause (template_type name: (type_identifier) @reference.implementation))
(base_class_clause (qualified_identifier scope: (_) @qualifier name: (type_identifier) @reference.implementation))
(call_expression function: (qualified_identifier scope: (_)? @qualifier name: (identifier) @reference.call))
(call_expression function: (qualified_identifier scope: (_)? @qualifier name: (qualified_identifier scope: (_)? @qualifier name: (identifier) @reference.call)))
(call_expression function: (qualified_identifier scope: (_)? @qualifier name: (qualified_identifier scope: (_)? @qualifier name: (qualified_identifier scope: (_)? @qualifier name: (identifier) @reference.call))))
(call_expression function: (qualified_identifier scope: (_)? @qualifier name: (template_function name: (identifier) @reference.call)))
(call_expression function: (template_function name: (identifier) @reference.call))
(call_expression function: (field_expression argument: (_) @qualifier field: (template_method name: (field_identifier) @reference.call)))
(new_expression type: (type_identifier) @reference.call)
(qualified_identifier scope: (_) @qualifier name: (type_identifier) @reference.type)
