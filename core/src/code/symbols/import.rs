//! Import statements taken apart: one row for each name that comes in.

use tree_sitter::Node;

use super::record::SymbolKind;
use crate::code::language::Language;

/// One thing that an import statement brings in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Import<'a> {
    pub(super) kind: SymbolKind,
    pub(super) name: &'a str,
    pub(super) origin: String,
    pub(super) alias: &'a str,
    pub(super) relative: bool,
    pub(super) exported: bool,
}

/// Deepest nesting of `use a::{b::{c}}` that is followed; each level costs the length of its path.
const DEEPEST: usize = 64;

/// Longest statement of a language whose imports are read as text.
const LONGEST: usize = 4096;

/// Calls `found` for everything that the import statement `node` brings in, with the node to point at;
/// `bound` is what an import that is an expression is bound to, or what is taken out of it.
pub(super) fn expand<'a, 'tree>(
    language: Language,
    node: Node<'tree>,
    bound: Option<Node<'tree>>,
    text: &'a [u8],
    found: &mut dyn FnMut(Import<'a>, Node<'tree>),
) {
    match language {
        Language::Python => python(node, text, found),
        Language::JavaScript | Language::TypeScript | Language::Tsx => ecmascript(node, bound, text, found),
        Language::Java => java(node, text, found),
        Language::Go => go(node, text, found),
        Language::Rust => rust(node, text, found),
        Language::C | Language::Cpp => c(node, text, found),
        Language::Bash => bash(node, text, found),
        Language::Ruby => ruby(node, text, found),
        Language::CSharp | Language::Kotlin | Language::Swift | Language::Scala => {
            textual(node, text, '.', found);
        }
        Language::Php => textual(node, text, '\\', found),
    }
}

/// The node's text; empty where it is not UTF-8.
pub(super) fn text_of<'a>(node: Node<'_>, text: &'a [u8]) -> &'a str {
    text.get(node.byte_range()).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

fn field<'a>(node: Node<'_>, name: &str, text: &'a [u8]) -> &'a str {
    node.child_by_field_name(name).map_or("", |child| text_of(child, text))
}

fn children<'tree>(node: Node<'tree>) -> Vec<Node<'tree>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

/// A text without the quotes around it.
fn unquoted(text: &str) -> &str {
    text.trim_matches(|letter| matches!(letter, '"' | '\'' | '`'))
}

type Found<'f, 'a, 'tree> = &'f mut dyn FnMut(Import<'a>, Node<'tree>);

fn python<'a, 'tree>(node: Node<'tree>, text: &'a [u8], found: Found<'_, 'a, 'tree>) {
    let module = node.child_by_field_name("module_name");
    let future = node.kind() == "future_import_statement";
    let written = if future { "__future__" } else { module.map_or("", |module| text_of(module, text)) };
    let origin: String = written.split_whitespace().collect();
    let relative = origin.starts_with('.');
    for child in children(node) {
        if Some(child) == module {
            continue;
        }
        let (name, alias) = match child.kind() {
            "aliased_import" => (field(child, "name", text), field(child, "alias", text)),
            "wildcard_import" => ("*", ""),
            "dotted_name" => (text_of(child, text), ""),
            _ => continue,
        };
        let import = if module.is_none() && !future {
            Import { kind: SymbolKind::Module, origin: name.to_owned(), alias, ..Import::default() }
        } else {
            let kind = if name == "*" { SymbolKind::Wildcard } else { SymbolKind::Name };
            Import { kind, name, origin: origin.clone(), alias, relative, exported: false }
        };
        found(import, child);
    }
}

fn ecmascript<'a, 'tree>(
    node: Node<'tree>,
    bound: Option<Node<'tree>>,
    text: &'a [u8],
    found: Found<'_, 'a, 'tree>,
) {
    let exported = node.kind() == "export_statement";
    if node.kind() == "call_expression" {
        return required(node, bound, text, found);
    }
    let clauses = children(node);
    if node.kind() == "import_alias" {
        if let [alias, path, ..] = clauses.as_slice() {
            let origin = text_of(*path, text).to_owned();
            let alias = text_of(*alias, text);
            found(Import { kind: SymbolKind::Module, origin, alias, ..Import::default() }, node);
        }
        return;
    }
    let require = clauses.iter().copied().find(|child| child.kind() == "import_require_clause");
    let origin = unquoted(field(require.unwrap_or(node), "source", text));
    let whole = |kind, name, alias| Import {
        kind,
        name,
        origin: origin.to_owned(),
        alias,
        relative: origin.starts_with('.'),
        exported,
    };
    if let Some(require) = require {
        let alias = require.named_child(0).map_or("", |name| text_of(name, text));
        return found(whole(SymbolKind::Module, "", alias), require);
    }
    let mut named = false;
    for clause in clauses {
        let parts = match clause.kind() {
            "import_clause" => children(clause),
            "export_clause" | "namespace_export" => vec![clause],
            _ => continue,
        };
        named = true;
        for part in parts {
            match part.kind() {
                "identifier" => found(whole(SymbolKind::Name, "default", text_of(part, text)), part),
                "namespace_import" | "namespace_export" => {
                    let alias = part.named_child(0).map_or("", |name| text_of(name, text));
                    found(whole(SymbolKind::Module, "", alias), part);
                }
                _ => {
                    for one in children(part) {
                        let name = unquoted(field(one, "name", text));
                        if !name.is_empty() {
                            found(whole(SymbolKind::Name, name, field(one, "alias", text)), one);
                        }
                    }
                }
            }
        }
    }
    if !named && !origin.is_empty() {
        let (kind, name) = if exported { (SymbolKind::Wildcard, "*") } else { (SymbolKind::Module, "") };
        found(whole(kind, name, ""), node);
    }
}

/// `require('x')` and `import('x')`, and what is taken out of them at once.
fn required<'a, 'tree>(
    node: Node<'tree>,
    bound: Option<Node<'tree>>,
    text: &'a [u8],
    found: Found<'_, 'a, 'tree>,
) {
    let Some(source) = node.child_by_field_name("arguments").and_then(|list| list.named_child(0)) else {
        return;
    };
    let origin = unquoted(text_of(source, text));
    let import = |kind, name, alias| Import {
        kind,
        name,
        origin: origin.to_owned(),
        alias,
        relative: origin.starts_with('.'),
        exported: false,
    };
    let Some(bound) = bound else { return found(import(SymbolKind::Module, "", ""), node) };
    match bound.kind() {
        "property_identifier" => found(import(SymbolKind::Name, text_of(bound, text), ""), node),
        "object_pattern" => {
            for part in children(bound) {
                match part.kind() {
                    "shorthand_property_identifier_pattern" => {
                        found(import(SymbolKind::Name, text_of(part, text), ""), part);
                    }
                    "pair_pattern" => {
                        let (key, value) = (field(part, "key", text), field(part, "value", text));
                        found(import(SymbolKind::Name, key, value), part);
                    }
                    _ => {}
                }
            }
        }
        _ => found(import(SymbolKind::Module, "", text_of(bound, text)), node),
    }
}

fn java<'a, 'tree>(node: Node<'tree>, text: &'a [u8], found: Found<'_, 'a, 'tree>) {
    let parts = children(node);
    let Some(path) = parts.iter().find(|part| matches!(part.kind(), "scoped_identifier" | "identifier"))
    else {
        return;
    };
    let import = if parts.iter().any(|part| part.kind() == "asterisk") {
        let origin = text_of(*path, text).to_owned();
        Import { kind: SymbolKind::Wildcard, name: "*", origin, ..Import::default() }
    } else {
        let (origin, name) = text_of(*path, text).rsplit_once('.').unwrap_or(("", text_of(*path, text)));
        Import { kind: SymbolKind::Name, name, origin: origin.to_owned(), ..Import::default() }
    };
    found(import, *path);
}

fn go<'a, 'tree>(node: Node<'tree>, text: &'a [u8], found: Found<'_, 'a, 'tree>) {
    let origin = unquoted(field(node, "path", text)).to_owned();
    let relative = origin.starts_with('.');
    let alias = field(node, "name", text);
    let import = if alias == "." {
        Import { kind: SymbolKind::Wildcard, name: "*", origin, relative, ..Import::default() }
    } else {
        Import { kind: SymbolKind::Module, origin, alias, relative, ..Import::default() }
    };
    found(import, node);
}

fn rust<'a, 'tree>(node: Node<'tree>, text: &'a [u8], found: Found<'_, 'a, 'tree>) {
    let exported = children(node).iter().any(|child| child.kind() == "visibility_modifier");
    match node.kind() {
        "mod_item" => {
            let origin = format!("self::{}", field(node, "name", text));
            let kind = SymbolKind::Module;
            return found(Import { kind, origin, relative: true, exported, ..Import::default() }, node);
        }
        "extern_crate_declaration" => {
            let (origin, alias) = (field(node, "name", text).to_owned(), field(node, "alias", text));
            let kind = SymbolKind::Module;
            return found(Import { kind, origin, alias, exported, ..Import::default() }, node);
        }
        _ => {}
    }
    let Some(argument) = node.child_by_field_name("argument") else { return };
    let mut open: Vec<(Node<'tree>, String, usize)> = vec![(argument, String::new(), 0)];
    while let Some((node, prefix, depth)) = open.pop() {
        let under = |path: &str| match (prefix.is_empty(), path.is_empty()) {
            (true, _) => path.to_owned(),
            (_, true) => prefix.clone(),
            _ => format!("{prefix}::{path}"),
        };
        match node.kind() {
            "use_list" | "scoped_use_list" if depth < DEEPEST => {
                let inner = under(field(node, "path", text));
                let list =
                    if node.kind() == "use_list" { Some(node) } else { node.child_by_field_name("list") };
                // Backwards, as the last one pushed is the first one read.
                for child in list.map(children).unwrap_or_default().into_iter().rev() {
                    open.push((child, inner.clone(), depth + 1));
                }
            }
            "use_wildcard" => {
                let origin = under(node.named_child(0).map_or("", |path| text_of(path, text)));
                let relative = is_relative(&origin);
                let kind = SymbolKind::Wildcard;
                found(Import { kind, name: "*", origin, alias: "", relative, exported }, node);
            }
            kind @ ("identifier" | "scoped_identifier" | "self" | "super" | "crate" | "use_as_clause") => {
                let (path, alias) = match kind {
                    "use_as_clause" => (field(node, "path", text), field(node, "alias", text)),
                    _ => (text_of(node, text), ""),
                };
                let (module, name) = path.rsplit_once("::").unwrap_or(("", path));
                let (module, name) = (module.trim(), name.trim());
                let import = if name == "self" || (module.is_empty() && prefix.is_empty()) {
                    let origin = under(if name == "self" && !prefix.is_empty() { module } else { path });
                    Import { kind: SymbolKind::Module, origin, ..Import::default() }
                } else {
                    Import { kind: SymbolKind::Name, name, origin: under(module), ..Import::default() }
                };
                let relative = is_relative(&import.origin);
                found(Import { alias, relative, exported, ..import }, node);
            }
            _ => {}
        }
    }
}

fn is_relative(path: &str) -> bool {
    matches!(path.split("::").next(), Some("self" | "super" | "crate"))
}

fn c<'a, 'tree>(node: Node<'tree>, text: &'a [u8], found: Found<'_, 'a, 'tree>) {
    if let Some(path) = node.child_by_field_name("path") {
        let written = text_of(path, text);
        let origin = unquoted(written).trim_start_matches('<').trim_end_matches('>').to_owned();
        let relative = path.kind() == "string_literal";
        let kind = SymbolKind::Module;
        return found(Import { kind, origin, relative, ..Import::default() }, node);
    }
    // `using a::b;` and `using namespace a;`
    let Some(path) = node.named_child(0) else { return };
    let mut cursor = node.walk();
    let whole = node.children(&mut cursor).any(|child| child.kind() == "namespace");
    let written = text_of(path, text);
    let import = if whole {
        Import { kind: SymbolKind::Wildcard, name: "*", origin: written.to_owned(), ..Import::default() }
    } else {
        let (origin, name) = written.rsplit_once("::").unwrap_or(("", written));
        Import { kind: SymbolKind::Name, name, origin: origin.to_owned(), ..Import::default() }
    };
    found(import, path);
}

fn bash<'a, 'tree>(node: Node<'tree>, text: &'a [u8], found: Found<'_, 'a, 'tree>) {
    let origin = unquoted(field(node, "argument", text)).to_owned();
    let relative = origin.starts_with('.');
    found(Import { kind: SymbolKind::Module, origin, relative, ..Import::default() }, node);
}

fn ruby<'a, 'tree>(node: Node<'tree>, text: &'a [u8], found: Found<'_, 'a, 'tree>) {
    let argument = node.child_by_field_name("arguments").and_then(|list| list.named_child(0));
    let origin = argument.map_or("", |argument| unquoted(text_of(argument, text))).to_owned();
    let relative = field(node, "method", text) == "require_relative";
    found(Import { kind: SymbolKind::Module, origin, relative, ..Import::default() }, node);
}

/// `import a.b.{C, D => E}`, `use A\{B, C as D}`, `using static X.Y`: keyword, path, a list in braces.
fn textual<'a, 'tree>(node: Node<'tree>, text: &'a [u8], separator: char, found: Found<'_, 'a, 'tree>) {
    let written = text_of(node, text);
    if written.len() > LONGEST {
        return;
    }
    let mut rest = written.trim().trim_end_matches(';');
    for keyword in ["global ", "import ", "using ", "use ", "static ", "function ", "const "] {
        rest = rest.strip_prefix(keyword).map_or(rest, str::trim_start);
    }
    let (prefix, list) = match rest.split_once('{') {
        Some((prefix, list)) => {
            (prefix.trim().trim_end_matches(separator), list.split('}').next().unwrap_or_default())
        }
        None => ("", rest),
    };
    for item in list.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let (path, alias) = if let Some((alias, path)) = item.split_once(" = ") {
            (path.trim(), alias.trim())
        } else {
            let parts = item.split_once(" as ").or_else(|| item.split_once("=>"));
            parts.map_or((item, ""), |(path, alias)| (path.trim(), alias.trim()))
        };
        let (module, name) = path.rsplit_once(separator).unwrap_or(("", path));
        let origin = match (prefix.is_empty(), module.is_empty()) {
            (true, _) => module.to_owned(),
            (_, true) => prefix.to_owned(),
            _ => format!("{prefix}{separator}{module}"),
        };
        let import = match name {
            "*" | "_" => Import { kind: SymbolKind::Wildcard, name: "*", origin, ..Import::default() },
            _ if origin.is_empty() => {
                Import { kind: SymbolKind::Module, origin: name.to_owned(), ..Import::default() }
            }
            _ => Import { kind: SymbolKind::Name, name, origin, ..Import::default() },
        };
        found(Import { alias, ..import }, node);
    }
}
