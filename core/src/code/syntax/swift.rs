//! What the nodes of tree-sitter-swift mean.

use super::flag::*;
use super::{Description, Habits, Role};

pub(super) const SWIFT: Description = Description {
    named: &[
        ("function_declaration", Role::Function, STATEMENT),
        ("init_declaration", Role::Function, STATEMENT),
        ("deinit_declaration", Role::Function, STATEMENT),
        ("lambda_literal", Role::Lambda, BODY),
        ("parameter", Role::Plain, PARAMETER),
        ("class_declaration", Role::Class, STATEMENT),
        ("protocol_declaration", Role::Class, STATEMENT),
        ("property_declaration", Role::Binding, STATEMENT | FIELD),
        ("assignment", Role::Binding, STATEMENT),
        ("if_statement", Role::If, STATEMENT | DECISION),
        ("else", Role::Plain, ELSE | OPERATOR),
        ("guard_statement", Role::Loop, STATEMENT | DECISION),
        ("for_statement", Role::Loop, STATEMENT | DECISION),
        ("while_statement", Role::Loop, STATEMENT | DECISION),
        ("repeat_while_statement", Role::Loop, STATEMENT | DECISION),
        ("switch_statement", Role::Switch, STATEMENT),
        ("switch_entry", Role::Arm, 0),
        ("catch_block", Role::Catch, DECISION),
        ("ternary_expression", Role::Ternary, DECISION),
        ("conjunction_expression", Role::Binary, 0),
        ("disjunction_expression", Role::Binary, 0),
        ("tuple_expression", Role::Group, 0),
        // The grammar ranks comparisons below logical operators in places.
        ("comparison_expression", Role::Group, 0),
        ("equality_expression", Role::Group, 0),
        ("control_transfer_statement", Role::Jump, STATEMENT),
        ("throw_keyword", Role::Plain, EXIT | OPERATOR),
        ("import_declaration", Role::Import, STATEMENT),
        ("comment", Role::Plain, COMMENT | ATOM),
        ("multiline_comment", Role::Plain, COMMENT | ATOM),
        ("shebang_line", Role::Plain, COMMENT | ATOM),
        ("do_statement", Role::Plain, STATEMENT),
        ("typealias_declaration", Role::Plain, STATEMENT),
        ("simple_identifier", Role::Plain, NAME | LABEL),
        ("self_expression", Role::Plain, SELF | ATOM),
    ],
    tokens: &[("{", Role::Plain, THEN), ("return", Role::Plain, EXIT)],
    nested_fields: &[],
    habits: Habits {
        implicit_this: true,
        overloads: true,
        module_functions: false,
        decorators: false,
        expression_lambdas: false,
    },
};
