//! What the nodes of tree-sitter-bash mean.

use super::flag::*;
use super::{Description, Habits, Role};

pub(super) const BASH: Description = Description {
    named: &[
        ("function_definition", Role::Function, STATEMENT),
        ("if_statement", Role::If, STATEMENT | DECISION),
        ("elif_clause", Role::ElseIf, STATEMENT | DECISION),
        ("else_clause", Role::Else, BODY),
        ("for_statement", Role::Loop, STATEMENT | DECISION),
        ("c_style_for_statement", Role::Loop, STATEMENT | DECISION),
        ("while_statement", Role::Loop, STATEMENT | DECISION),
        ("case_statement", Role::Switch, STATEMENT),
        ("case_item", Role::Plain, DECISION),
        ("ternary_expression", Role::Ternary, DECISION),
        ("binary_expression", Role::Binary, 0),
        ("list", Role::Binary, 0),
        ("parenthesized_expression", Role::Group, 0),
        ("comment", Role::Plain, COMMENT | ATOM),
        ("command", Role::Plain, STATEMENT),
        ("declaration_command", Role::Plain, STATEMENT),
        ("unset_command", Role::Plain, STATEMENT),
        ("test_command", Role::Plain, STATEMENT),
    ],
    tokens: &[("then", Role::Plain, THEN)],
    nested_fields: &["body"],
    habits: Habits {
        implicit_this: false,
        overloads: false,
        module_functions: false,
        decorators: false,
        expression_lambdas: false,
    },
};
