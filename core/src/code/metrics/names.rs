//! What functions and classes are called, and what is read off their headers.

use tree_sitter::Node;

use crate::code::syntax::{Kind, Syntax, child, flag};

pub(super) const ANONYMOUS: &str = "(anonymous)";
/// Longer names are cut; only a computed name gets there.
const LONGEST: usize = 200;

fn text_of(node: Node<'_>, text: &[u8]) -> String {
    let range = node.start_byte()..node.end_byte().min(node.start_byte() + LONGEST);
    String::from_utf8_lossy(text.get(range).unwrap_or_default()).into_owned()
}

/// The body of a function; `None` for one that is only declared.
pub(super) fn body<'tree>(node: Node<'tree>, kind: Kind, syntax: &Syntax) -> Option<Node<'tree>> {
    if kind.is(flag::BODY) {
        // The grammar puts the statements of a lambda into it directly.
        return Some(node);
    }
    child(node, syntax.field.body).or_else(|| last_of(node, syntax, flag::BODY))
}

/// The last named child with a flag.
fn last_of<'tree>(node: Node<'tree>, syntax: &Syntax, flags: u32) -> Option<Node<'tree>> {
    if !syntax.flags.is(flags) {
        return None;
    }
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| syntax.kind(child.kind_id()).is(flags)).last()
}

/// The name of a function or method.
pub(super) fn of_function(node: Node<'_>, syntax: &Syntax, text: &[u8]) -> Option<String> {
    if let Some(name) = child(node, syntax.field.name) {
        return Some(text_of(name, text));
    }
    declared(node, syntax).map(|name| text_of(name, text)).filter(|name| !name.is_empty())
}

/// The innermost declarator: `int (*f(int))[3]` declares `f`.
fn declared<'tree>(node: Node<'tree>, syntax: &Syntax) -> Option<Node<'tree>> {
    let mut found = child(node, syntax.field.declarator)?;
    loop {
        let inner = child(found, syntax.field.declarator).or_else(|| {
            // Parentheses and attributes stand between without a field.
            matches!(
                found.kind(),
                "parenthesized_declarator" | "attributed_declarator" | "reference_declarator"
            )
            .then(|| found.named_child(0))
            .flatten()
        });
        match inner {
            Some(inner) => found = inner,
            None => return Some(found),
        }
    }
}

/// The name of a function without one of its own: of what it is bound to.
pub(super) fn of_lambda(
    node: Node<'_>,
    bound: Option<Node<'_>>,
    syntax: &Syntax,
    text: &[u8],
) -> Option<String> {
    if let Some(name) = child(node, syntax.field.name) {
        return Some(text_of(name, text));
    }
    let bound = bound?;
    let fields = syntax.field;
    let target = [fields.name, fields.left, fields.key, fields.property, fields.pattern, fields.declarator]
        .into_iter()
        .find_map(|field| child(bound, field))
        .or_else(|| bound.named_child(0))?;
    if target.start_byte() == node.start_byte() {
        return None;
    }
    let name = text_of(target, text);
    // `exports.read = function` is called `read`.
    let name = name.rsplit(['.', ':', '>']).next().unwrap_or_default();
    let name = name.trim_matches(|c: char| c == '"' || c == '\'' || c == '`' || c.is_whitespace());
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_$#-".contains(c));
    plain.then(|| name.to_string())
}

/// The name of a class and where its body begins; `None` for what only looks like one.
pub(super) fn of_class(
    node: Node<'_>,
    bound: Option<Node<'_>>,
    syntax: &Syntax,
    text: &[u8],
) -> Option<(String, usize)> {
    let body = match child(node, syntax.field.body) {
        Some(body) => body.start_byte(),
        // Go has its structs in the type of a declaration.
        None => child(node, syntax.field.kind)
            .filter(|kind| matches!(kind.kind(), "struct_type" | "interface_type"))
            .or_else(|| last_of(node, syntax, flag::BODY))?
            .start_byte(),
    };
    let name = child(node, syntax.field.name)
        .or_else(|| child(node, syntax.field.kind).filter(|kind| kind.end_byte() <= body))
        .map(|name| text_of(name, text))
        .or_else(|| of_lambda(node, bound, syntax, text))
        .unwrap_or_else(|| ANONYMOUS.to_string());
    Some((without_arguments(&name).to_string(), body))
}

/// `List` of `List<T>` and of `List[T]`.
pub(super) fn without_arguments(name: &str) -> &str {
    name.split(['<', '[']).next().unwrap_or(name).trim()
}

/// The receiver's name and type, where a method stands outside of its class (Go).
pub(super) fn receiver(node: Node<'_>, syntax: &Syntax, text: &[u8]) -> (Option<String>, Option<String>) {
    let Some(list) = child(node, syntax.field.receiver) else { return (None, None) };
    let written = text_of(list, text);
    let written = written.trim_matches(|c| c == '(' || c == ')' || c == ',').trim();
    let (name, kind) = match written.split_once(char::is_whitespace) {
        Some((name, kind)) => (Some(name.to_string()), kind),
        None => (None, written),
    };
    (name, Some(without_arguments(kind.trim_start_matches(['*', ' ', '('])).to_string()))
}

/// How many parameters a function declares.
pub(super) fn parameters(node: Node<'_>, syntax: &Syntax, text: &[u8]) -> u32 {
    let fields = syntax.field;
    if child(node, fields.parameter).is_some() {
        return 1;
    }
    let list = child(node, fields.parameters).or_else(|| {
        // C has them in the declarator that is nearest to the name.
        let mut found = None;
        let mut declarator = child(node, fields.declarator);
        while let Some(inner) = declarator {
            found = child(inner, fields.parameters).or(found);
            declarator = child(inner, fields.declarator).or_else(|| {
                matches!(inner.kind(), "parenthesized_declarator" | "reference_declarator")
                    .then(|| inner.named_child(0))
                    .flatten()
            });
        }
        found
    });
    let Some(list) = list.or_else(|| last_of(node, syntax, flag::PARAMETERS)) else {
        if !syntax.flags.is(flag::PARAMETER) {
            return 0;
        }
        let mut cursor = node.walk();
        let found =
            node.named_children(&mut cursor).filter(|child| syntax.kind(child.kind_id()).is(flag::PARAMETER));
        return u32::try_from(found.count()).unwrap_or(u32::MAX);
    };
    if list.named_child_count() == 0 {
        // A lambda's only parameter may stand without parentheses.
        return u32::from(list.child_count() == 0 && !list.byte_range().is_empty());
    }
    let mut cursor = list.walk();
    let mut count = 0;
    for parameter in list.named_children(&mut cursor) {
        let kind = syntax.kind(parameter.kind_id());
        if kind.is(flag::COMMENT | flag::NO_PARAMETER) || parameter.is_extra() {
            continue;
        }
        count += match parameter.kind() {
            // `a, b int` in Go.
            "parameter_declaration" if fields.receiver != 0 => {
                let mut names = parameter.walk();
                let named = parameter.children_by_field_id_or_none(fields.name, &mut names);
                named.max(1)
            }
            // `f(void)` in C.
            "parameter_declaration" if text.get(parameter.byte_range()) == Some(b"void") => 0,
            _ => 1,
        };
    }
    count
}

trait FieldCount<'tree> {
    fn children_by_field_id_or_none(&self, field: u16, cursor: &mut tree_sitter::TreeCursor<'tree>) -> u32;
}

impl<'tree> FieldCount<'tree> for Node<'tree> {
    fn children_by_field_id_or_none(&self, field: u16, cursor: &mut tree_sitter::TreeCursor<'tree>) -> u32 {
        let Some(field) = std::num::NonZeroU16::new(field) else { return 0 };
        u32::try_from(self.children_by_field_id(field, cursor).filter(Node::is_named).count())
            .unwrap_or(u32::MAX)
    }
}

/// Whether a literal has code inside (Python's f-strings).
pub(super) fn interpolates(text: &[u8], node: Node<'_>) -> bool {
    let rest = text.get(node.start_byte()..).unwrap_or_default();
    rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).any(|byte| b"fFtT".contains(byte))
}

/// Whether a body holds declarations alone: a function that stands in for a class or namespace (JavaScript).
pub(super) fn only_declares(body: Node<'_>) -> bool {
    if body.kind() != "statement_block" {
        return false;
    }
    let mut cursor = body.walk();
    body.named_children(&mut cursor).all(|statement| match statement.kind() {
        "comment"
        | "empty_statement"
        | "lexical_declaration"
        | "variable_declaration"
        | "function_declaration"
        | "generator_function_declaration"
        | "class_declaration"
        | "abstract_class_declaration"
        | "interface_declaration"
        | "type_alias_declaration"
        | "enum_declaration" => true,
        // `'use strict'`, `this.read = function ...`.
        "expression_statement" => statement
            .named_child(0)
            .is_some_and(|inner| matches!(inner.kind(), "string" | "assignment_expression")),
        // What the namespace shows to the outside.
        "return_statement" => statement.named_child(0).is_some_and(|inner| inner.kind() == "object"),
        _ => false,
    })
}

/// Whether a body holds a function and a `return` alone: a decorator (Python).
pub(super) fn decorates(body: Node<'_>) -> bool {
    if body.kind() != "block" || body.named_child_count() > 8 {
        return false;
    }
    let mut cursor = body.walk();
    let (mut functions, mut returns, mut others) = (0, 0, 0);
    for statement in body.named_children(&mut cursor) {
        match statement.kind() {
            "function_definition" => functions += 1,
            "decorated_definition" if !statement.child_by_field_name("definition").is_none_or(is_class) => {
                functions += 1
            }
            "return_statement" => returns += 1,
            "comment" => {}
            "expression_statement"
                if statement.named_child(0).is_some_and(|inner| inner.kind() == "string") => {}
            _ => others += 1,
        }
    }
    (functions, returns, others) == (1, 1, 0)
}

fn is_class(node: Node<'_>) -> bool {
    node.kind() == "class_definition"
}
