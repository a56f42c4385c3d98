(module name: (_) @name) @definition.module
(class name: (_) @name) @definition.class
(method name: (_) @name) @definition.method
(singleton_method name: (_) @name) @definition.method
(assignment left: (constant) @name) @definition.constant
(call method: (identifier) @require arguments: (argument_list . (string)) (#any-of? @require "require" "require_relative" "load")) @import
(superclass (constant) @reference.implementation)
(superclass (scope_resolution scope: (_)? @qualifier name: (constant) @reference.implementation))
(call receiver: (_) @qualifier method: (identifier) @reference.call)
(call method: (identifier) @reference.call)
