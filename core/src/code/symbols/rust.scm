; Of two patterns that name the same word the earlier one holds.
(function_item name: (identifier) @name) @definition.function
(function_signature_item name: (identifier) @name) @definition.function
(struct_item name: (type_identifier) @name) @definition.struct
(union_item name: (type_identifier) @name) @definition.struct
(enum_item name: (type_identifier) @name) @definition.enum
(enum_variant name: (identifier) @name) @definition.constant
(trait_item name: (type_identifier) @name) @definition.trait
(type_item name: (type_identifier) @name) @definition.type
(associated_type name: (type_identifier) @name) @definition.type
(const_item name: (identifier) @name) @definition.constant
(static_item name: (identifier) @name) @definition.variable
(macro_definition name: (identifier) @name) @definition.macro
(mod_item name: (identifier) @name body: (_)) @definition.module
(field_declaration name: (field_identifier) @name) @definition.field
(impl_item type: [
  (type_identifier) @owner
  (generic_type type: (type_identifier) @owner)
  (scoped_type_identifier name: (type_identifier) @owner)
  (generic_type type: (scoped_type_identifier name: (type_identifier) @owner))
  (reference_type type: (type_identifier) @owner)]) @scope

(use_declaration) @import
(extern_crate_declaration) @import
(mod_item !body) @import

(impl_item trait: (type_identifier) @reference.implementation)
(impl_item trait: (generic_type type: (type_identifier) @reference.implementation))
(impl_item trait: (scoped_type_identifier path: (_) @qualifier name: (type_identifier) @reference.implementation))
(impl_item trait: (generic_type type: (scoped_type_identifier path: (_) @qualifier name: (type_identifier) @reference.implementation)))
(trait_item bounds: (trait_bounds (type_identifier) @reference.implementation))
(call_expression function: (identifier) @reference.call)
(call_expression function: (field_expression value: (_) @qualifier field: (field_identifier) @reference.call))
(call_expression function: (scoped_identifier path: (_) @qualifier name: (identifier) @reference.call))
(generic_function function: (identifier) @reference.call)
(generic_function function: (field_expression value: (_) @qualifier field: (field_identifier) @reference.call))
(generic_function function: (scoped_identifier path: (_) @qualifier name: (identifier) @reference.call))
(macro_invocation macro: (identifier) @reference.call)
(macro_invocation macro: (scoped_identifier path: (_) @qualifier name: (identifier) @reference.call))
(scoped_type_identifier path: (_) @qualifier name: (type_identifier) @reference.type)
(type_identifier) @reference.type
