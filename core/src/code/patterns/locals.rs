//! What a file says of its own functions: which are async, which give an error back, which are tests.

use std::collections::HashSet;
use std::ops::Range;

use tree_sitter::Node;

use super::search::Look;
use crate::code::language::Language;
use crate::code::parse::Parsed;

/// Names of functions of one file; those that stand there twice with a different nature are left out.
#[derive(Debug, Default)]
pub(super) struct Locals {
    functions: HashSet<Vec<u8>>,
    methods: HashSet<Vec<u8>>,
}

impl Locals {
    /// Whether `callee` names an async function of this file, or a method of `this` that is one.
    pub(super) fn calls_async<'t>(look: &mut Look<'_, 't>, callee: Node<'t>) -> bool {
        let text = look.text_of(callee).to_vec();
        let locals = look.locals(asynchronous);
        match text.strip_prefix(b"this.".as_slice()) {
            Some(method) => locals.methods.contains(method),
            None => callee.kind() == "identifier" && locals.functions.contains(&text),
        }
    }

    /// Whether the nearest function around is async.
    pub(super) fn in_async<'t>(look: &mut Look<'_, 't>, node: Node<'t>) -> bool {
        look.around(node).iter().rev().find(|node| is_function(node.kind())).is_some_and(is_async)
    }

    /// Whether `callee` names a function of this file, or a method on the receiver at hand, whose
    /// last result is an `error`.
    pub(super) fn calls_fallible<'t>(look: &mut Look<'_, 't>, callee: Node<'t>) -> bool {
        let text = look.text_of(callee).to_vec();
        if callee.kind() == "identifier" {
            return look.locals(fallible).functions.contains(&text);
        }
        let (Some(operand), Some(field)) =
            (callee.child_by_field_name("operand"), callee.child_by_field_name("field"))
        else {
            return false;
        };
        let Some(method) =
            look.around(callee).into_iter().rev().find(|node| node.kind() == "method_declaration")
        else {
            return false;
        };
        let Some((name, class)) = receiver(look.parsed.text, method) else { return false };
        if name != look.text_of(operand) {
            return false;
        }
        let key = [class, b".", look.text_of(field)].concat();
        look.locals(fallible).methods.contains(&key)
    }
}

fn is_function(kind: &str) -> bool {
    matches!(
        kind,
        "function_declaration"
            | "function_expression"
            | "arrow_function"
            | "method_definition"
            | "generator_function"
            | "generator_function_declaration"
    )
}

fn is_async(node: &Node<'_>) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .take_while(|child| child.kind() != "formal_parameters")
        .any(|child| child.kind() == "async")
}

/// Calls `meet` with every node, in order.
fn every<'t>(parsed: &'t Parsed<'_>, mut meet: impl FnMut(Node<'t>)) {
    let mut cursor = parsed.tree.walk();
    loop {
        meet(cursor.node());
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

fn text<'a>(source: &'a [u8], node: Node<'_>) -> &'a [u8] {
    source.get(node.byte_range()).unwrap_or_default()
}

fn asynchronous(parsed: &Parsed<'_>) -> Locals {
    let mut found = Locals::default();
    let mut plain = Locals::default();
    every(parsed, |node| {
        let (function, is_method) = match node.kind() {
            "function_declaration" | "generator_function_declaration" => (Some(node), false),
            "method_definition" => (Some(node), true),
            "variable_declarator" => {
                (node.child_by_field_name("value").filter(|value| is_function(value.kind())), false)
            }
            _ => return,
        };
        let (Some(function), Some(name)) = (function, node.child_by_field_name("name")) else { return };
        let generator = function.kind().starts_with("generator");
        let into = if is_async(&function) && !generator { &mut found } else { &mut plain };
        let into = if is_method { &mut into.methods } else { &mut into.functions };
        into.insert(text(parsed.text, name).to_vec());
    });
    found.functions.retain(|name| !plain.functions.contains(name));
    found.methods.retain(|name| !plain.methods.contains(name));
    found
}

/// The receiver's name and its type without `*` and type parameters.
fn receiver<'a>(source: &'a [u8], method: Node<'_>) -> Option<(&'a [u8], &'a [u8])> {
    let list = method.child_by_field_name("receiver")?;
    let one = list.named_child(0)?;
    let name = text(source, one.child_by_field_name("name")?);
    let class = text(source, one.child_by_field_name("type")?);
    let class = class.strip_prefix(b"*").unwrap_or(class);
    let end = class.iter().position(|byte| *byte == b'[').unwrap_or(class.len());
    Some((name, &class[..end]))
}

fn fallible(parsed: &Parsed<'_>) -> Locals {
    let mut found = Locals::default();
    every(parsed, |node| {
        if !matches!(node.kind(), "function_declaration" | "method_declaration") {
            return;
        }
        let Some(result) = node.child_by_field_name("result") else { return };
        let last = match result.kind() {
            "parameter_list" => {
                let count = u32::try_from(result.named_child_count()).unwrap_or(0);
                count
                    .checked_sub(1)
                    .and_then(|at| result.named_child(at))
                    .and_then(|last| last.child_by_field_name("type"))
            }
            _ => Some(result),
        };
        let is_error = last.is_some_and(|last| text(parsed.text, last) == b"error");
        let (true, Some(name)) = (is_error, node.child_by_field_name("name")) else { return };
        let name = text(parsed.text, name);
        match receiver(parsed.text, node) {
            Some((_, class)) => found.methods.insert([class, b".", name].concat()),
            None => found.functions.insert(name.to_vec()),
        };
    });
    found
}

/// The byte ranges of test code inside a file that is not all test (Rust).
pub(super) fn test_code(parsed: &Parsed<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if parsed.language != Language::Rust {
        return found;
    }
    let mut open = vec![parsed.tree.root_node()];
    while let Some(list) = open.pop() {
        let mut cursor = list.walk();
        let mut marked = false;
        for item in list.named_children(&mut cursor) {
            match item.kind() {
                "attribute_item" => marked |= is_test_attribute(text(parsed.text, item)),
                "inner_attribute_item" if is_test_attribute(text(parsed.text, item)) => {
                    found.push(list.byte_range())
                }
                "line_comment" | "block_comment" => {}
                kind => {
                    if std::mem::take(&mut marked) {
                        found.push(item.byte_range());
                    } else if matches!(kind, "mod_item" | "impl_item")
                        && let Some(body) = item.child_by_field_name("body")
                    {
                        open.push(body);
                    }
                }
            }
        }
    }
    found
}

fn is_test_attribute(attribute: &[u8]) -> bool {
    let text: String = String::from_utf8_lossy(attribute).split_whitespace().collect();
    if text.contains("not(test)") {
        return false;
    }
    let name = text.trim_start_matches(['#', '!']).trim_start_matches('[');
    let path = name.split(['(', ']', '=']).next().unwrap_or_default();
    path.rsplit("::").next().is_some_and(|last| matches!(last, "test" | "bench" | "rstest" | "test_case"))
        || (path == "cfg"
            && (text.contains("(test)")
                || text.contains("(test,")
                || text.contains(",test)")
                || text.contains(",test,")))
}
