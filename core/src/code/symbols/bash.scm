(function_definition name: (word) @name) @definition.function
(declaration_command "readonly" (variable_assignment name: (variable_name) @name) @definition.constant)
(declaration_command "export" (variable_name) @exported)
(declaration_command "export" (variable_assignment name: (variable_name) @exported))
(variable_assignment name: (variable_name) @name) @definition.variable

(command name: (command_name (word) @source) argument: [(word) (string) (raw_string) (concatenation)] (#any-of? @source "source" ".")) @import

(command name: (command_name (word) @reference.call))
