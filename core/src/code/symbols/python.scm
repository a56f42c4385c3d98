; Definitions. Of two patterns that name the same word the earlier one holds.
(class_definition name: (identifier) @name) @definition.class
(function_definition name: (identifier) @name) @definition.function
(type_alias_statement left: (type (identifier) @name)) @definition.type
(assignment left: (identifier) @name) @definition.variable
(assignment left: (pattern_list (identifier) @name)) @definition.variable
(assignment left: (tuple_pattern (identifier) @name)) @definition.variable
(assignment left: (identifier) @list right: [(list) (tuple)] @exports (#eq? @list "__all__"))

(import_statement) @import
(import_from_statement) @import
(future_import_statement) @import

; References.
(class_definition superclasses: (argument_list (identifier) @reference.implementation))
(class_definition superclasses: (argument_list (attribute object: (_) @qualifier attribute: (identifier) @reference.implementation)))
(class_definition superclasses: (argument_list (subscript value: (identifier) @reference.implementation)))
(call function: (identifier) @reference.call)
(call function: (attribute object: (_) @qualifier attribute: (identifier) @reference.call))
(decorator (identifier) @reference.call)
(decorator (attribute object: (_) @qualifier attribute: (identifier) @reference.call))
(type (identifier) @reference.type)
(type (attribute object: (_) @qualifier attribute: (identifier) @reference.type))
(type (generic_type (identifier) @reference.type))
(type (subscript value: (identifier) @reference.type))
(type (subscript value: (attribute object: (_) @qualifier attribute: (identifier) @reference.type)))
(type (binary_operator (identifier) @reference.type))
(except_clause value: (identifier) @reference.type)
(except_clause value: (tuple (identifier) @reference.type))
(except_clause value: (as_pattern (identifier) @reference.type))
(except_clause value: (as_pattern (tuple (identifier) @reference.type)))
