//! Symbols of a file: what it defines, what it uses, what it imports; one query cursor per file.
//!
//! The queries (`*.scm`) say which nodes are symbols. What nests in what, which names are local and
//! which of two readings of a word holds is decided here, the same for every language.

mod answer;
mod import;
mod query;
pub mod record;

use std::collections::{HashMap, HashSet};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::time::{Duration, Instant};

use streaming_iterator::StreamingIterator;
use tree_sitter::{Node, QueryCursor, QueryCursorOptions};

pub use self::answer::{Symbols, answer};
use self::query::{Capture, tags};
use self::record::{Symbol, SymbolKind, SymbolRole};
use super::language::Language;
use super::parse::Parsed;
use crate::base::cancel::CancelToken;
use crate::error::{Error, Result};

/// How long one file may take; real code of a megabyte takes about 100 ms.
const LONGEST: Duration = Duration::from_secs(30);

/// Longest name that is kept, in bytes; a longer one is none.
const LONGEST_NAME: usize = 256;

/// Deepest nesting that a scope spells out; below it the scope stays the same.
const DEEPEST: usize = 64;

/// A word that a query has found.
struct Word<'tree> {
    /// First byte of the name.
    at: usize,
    /// The pattern that found it: of two for one word the earlier one holds.
    pattern: usize,
    role: SymbolRole,
    kind: SymbolKind,
    name: Node<'tree>,
    /// The whole of what is defined; of a reference the name.
    whole: Node<'tree>,
    owner: Option<Node<'tree>>,
    /// What stands before the name.
    qualifier: Option<Range<usize>>,
}

/// What a range of the text means for the names in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Names in it are members.
    Type,
    /// Names in it are local.
    Function,
    /// Names in it are those of a module.
    Module,
    /// Names directly in it are exported.
    Export,
}

/// A range with names in it.
struct Container<'tree> {
    node: Node<'tree>,
    place: Place,
    /// The word that names it; none for a function without a name, an export statement.
    word: Option<usize>,
    /// The name where no word gives it.
    name: Option<Node<'tree>>,
}

/// A container around the place that is looked at.
struct Open {
    end: usize,
    place: Place,
    word: Option<usize>,
    /// Its own name after those of what is around it.
    scope: Arc<str>,
    /// Whether other files can reach into it.
    exported: bool,
    /// Whether other files can use its members although they do not say so.
    public: bool,
}

/// The symbols of a file, by place.
///
/// Errors: `code.too_slow` past 30 s, `call.cancelled`.
pub fn symbols(parsed: &Parsed<'_>, cancel: &CancelToken) -> Result<Vec<Symbol>> {
    let mut found = Found::default();
    found.collect(parsed, cancel)?;
    Ok(found.sweep(parsed))
}

/// What the query has found in one file.
#[derive(Default)]
struct Found<'tree> {
    words: Vec<Word<'tree>>,
    imports: Vec<(Node<'tree>, usize, Option<Node<'tree>>)>,
    containers: Vec<Container<'tree>>,
    exported: HashSet<&'tree [u8]>,
    /// `__all__`: these names alone are exported.
    exports: Option<Node<'tree>>,
    access: Vec<Node<'tree>>,
}

impl<'tree> Found<'tree> {
    fn collect(&mut self, parsed: &'tree Parsed<'_>, cancel: &CancelToken) -> Result<()> {
        let Some(tags) = tags(parsed.language) else { return Ok(()) };
        let start = Instant::now();
        let mut stopped = false;
        let mut progress = |_: &tree_sitter::QueryCursorState| {
            stopped = cancel.is_cancelled() || start.elapsed() > LONGEST;
            if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut cursor = QueryCursor::new();
        let options = QueryCursorOptions::new().progress_callback(&mut progress);
        let mut matches =
            cursor.matches_with_options(&tags.query, parsed.tree.root_node(), parsed.text, options);
        while let Some(one) = matches.next() {
            let (mut name, mut owner, mut bound, mut whole) = (None, None, None, None);
            let mut qualifier: Option<Range<usize>> = None;
            for capture in one.captures() {
                let node = capture.node;
                match tags.captures.get(capture.index as usize).copied().unwrap_or(Capture::Other) {
                    Capture::Name => name = Some(node),
                    Capture::Owner => owner = Some(node),
                    Capture::Qualifier => {
                        let start = qualifier.map_or(node.start_byte(), |before| before.start);
                        qualifier = Some(start..node.end_byte());
                    }
                    Capture::Bound => bound = Some(node),
                    Capture::Symbol(role, kind) => whole = Some((node, role, kind)),
                    Capture::Import => self.imports.push((node, one.pattern_index, None)),
                    Capture::Scope => self.containers.push(Container {
                        node,
                        place: Place::Type,
                        word: None,
                        name: Some(node),
                    }),
                    Capture::Block => self.contain(node, Place::Function),
                    Capture::Export => self.contain(node, Place::Export),
                    Capture::Exported => {
                        self.exported.extend(parsed.text.get(node.byte_range()));
                    }
                    Capture::Exports => self.exports = Some(node),
                    Capture::Access => self.access.push(node),
                    Capture::Other => {}
                }
            }
            if let (Some(bound), Some(import)) = (bound, self.imports.last_mut()) {
                import.2 = Some(bound);
            }
            if let (None, Some(owner), Some(scope)) = (whole, owner, self.containers.last_mut()) {
                scope.name = Some(owner);
            }
            if let Some((whole, role, kind)) = whole {
                let name = name.unwrap_or(whole);
                self.words.push(Word {
                    at: name.start_byte(),
                    pattern: one.pattern_index,
                    role,
                    kind,
                    name,
                    whole,
                    owner,
                    qualifier,
                });
            }
        }
        drop(matches);
        if stopped {
            cancel.check()?;
            let text =
                format!("the text took longer than {} s to search; leave the file out", LONGEST.as_secs());
            return Err(Error::new("code.too_slow", text));
        }
        self.words.sort_by_key(|word| (word.at, word.pattern));
        self.words.dedup_by_key(|word| word.at);
        self.imports.sort_by_key(|(node, pattern, _)| (node.start_byte(), *pattern));
        self.imports.dedup_by_key(|(node, ..)| node.start_byte());
        for (at, word) in self.words.iter().enumerate() {
            if let Some(place) = place_of(word) {
                self.containers.push(Container { node: word.whole, place, word: Some(at), name: None });
            }
        }
        // Outer ones first; of two with the same range the one that is named lies outside.
        self.containers
            .sort_by_key(|one| (one.node.start_byte(), usize::MAX - one.node.end_byte(), one.word.is_none()));
        self.access.sort_by_key(Node::start_byte);
        Ok(())
    }

    fn contain(&mut self, node: Node<'tree>, place: Place) {
        self.containers.push(Container { node, place, word: None, name: None });
    }

    /// Goes through words and imports in the order of the text, with what is open around them.
    fn sweep(self, parsed: &'tree Parsed<'_>) -> Vec<Symbol> {
        let language = parsed.language;
        let text = parsed.text;
        let mut names = Names::default();
        let empty = names.shared("");
        let alone: Option<HashSet<&[u8]>> = self.exports.map(|list| listed(list, text));
        let mut variables: HashSet<(Arc<str>, Arc<str>)> = HashSet::new();
        let mut symbols = Vec::with_capacity(self.words.len() + self.imports.len());
        let mut open: Vec<Open> = Vec::new();
        let mut containers = self.containers.iter().peekable();
        let mut access = self.access.iter().peekable();
        let mut imports = self.imports.iter().peekable();
        let mut words = self.words.iter().enumerate().peekable();
        loop {
            let next_import = imports.peek().map(|(node, ..)| node.start_byte());
            let next_word = words.peek().map(|(_, word)| word.at);
            let at = match (next_import, next_word) {
                (Some(import), Some(word)) => import.min(word),
                (Some(at), None) | (None, Some(at)) => at,
                (None, None) => break,
            };
            while let Some(container) = containers.next_if(|one| one.node.start_byte() <= at) {
                close(&mut open, container.node.start_byte());
                if container.node.end_byte() > at {
                    let entry = self.enter(container, &open, &mut names, parsed, alone.as_ref());
                    open.push(entry);
                }
            }
            close(&mut open, at);
            while let Some(node) = access.next_if(|node| node.start_byte() <= at) {
                let inside = open.iter_mut().rev().find(|one| one.place == Place::Type);
                if let Some(inside) = inside {
                    inside.public = matches!(text.get(node.byte_range()), Some(b"public"));
                }
            }
            if next_import == Some(at) {
                let Some((node, _, bound)) = imports.next() else { break };
                let scope = open.last().map_or_else(|| empty.clone(), |open| open.scope.clone());
                import::expand(language, *node, *bound, text, &mut |import, place| {
                    let start = place.start_position();
                    symbols.push(Symbol {
                        role: SymbolRole::Import,
                        kind: import.kind,
                        name: names.shared(import.name),
                        scope: scope.clone(),
                        origin: names.shared(&import.origin),
                        alias: names.shared(import.alias),
                        line: number(start.row) + 1,
                        column: number(start.column) + 1,
                        end_line: last_line(*node),
                        exported: import.exported,
                        relative: import.relative,
                    });
                });
                // The word that says "import" is no call.
                words.next_if(|(_, word)| word.at == at && word.role == SymbolRole::Reference);
                continue;
            }
            let Some((index, word)) = words.next() else { break };
            let around = open.iter().rev().find(|open| open.word != Some(index));
            let inside = open.iter().rev().find(|one| one.word != Some(index) && one.place != Place::Export);
            let scope = around.map_or_else(|| empty.clone(), |open| open.scope.clone());
            let start = word.name.start_position();
            let mut symbol = Symbol {
                role: word.role,
                kind: word.kind,
                name: empty.clone(),
                scope,
                origin: empty.clone(),
                alias: empty.clone(),
                line: number(start.row) + 1,
                column: number(start.column) + 1,
                end_line: last_line(word.whole),
                exported: false,
                relative: false,
            };
            if word.role == SymbolRole::Reference {
                symbol.name = names.name(word.name, text);
                if let Some(qualifier) = &word.qualifier {
                    symbol.origin = names.path(qualifier.clone(), text);
                }
            } else {
                let local = inside.is_some_and(|one| one.place == Place::Function);
                let value =
                    matches!(symbol.kind, SymbolKind::Variable | SymbolKind::Constant | SymbolKind::Field);
                let member = inside.is_some_and(|one| one.place == Place::Type);
                if local && word.owner.is_none() && (value || word.role == SymbolRole::Declaration) {
                    continue;
                }
                let (owner, name) = split(word.name, text);
                symbol.name = match symbol.kind {
                    // `namespace a::b`
                    SymbolKind::Module if language == Language::Cpp => {
                        names.shared(&String::from_utf8_lossy(name).replace("::", "."))
                    }
                    _ => names.bytes(name),
                };
                if let Some(owner) = owner {
                    symbol.scope = names.join(&symbol.scope, &owner);
                }
                if let Some(owner) = word.owner {
                    let owner = String::from_utf8_lossy(text.get(owner.byte_range()).unwrap_or_default());
                    let owner = owner.trim_end_matches(".prototype");
                    if !matches!(owner, "exports" | "module.exports") {
                        if owner.len() > LONGEST_NAME {
                            continue;
                        }
                        symbol.scope = names.join(&symbol.scope, owner);
                    }
                }
                if symbol.kind == SymbolKind::Function && (member || split_owner(word.name)) {
                    symbol.kind = SymbolKind::Method;
                }
                if symbol.kind == SymbolKind::Variable && member {
                    symbol.kind = SymbolKind::Field;
                }
                let field = matches!(symbol.kind, SymbolKind::Variable | SymbolKind::Field);
                if language == Language::Python && field && capitals(&symbol.name) {
                    symbol.kind = SymbolKind::Constant;
                }
                symbol.exported = self.is_exported(index, around, parsed, alone.as_ref());
                // An assignment is a definition only the first time.
                if field
                    && matches!(language, Language::Python | Language::Bash | Language::Ruby)
                    && !variables.insert((symbol.scope.clone(), symbol.name.clone()))
                {
                    continue;
                }
            }
            if !matches!(&*symbol.name, "" | "_") {
                symbols.push(symbol);
            }
        }
        symbols
    }

    fn enter(
        &self,
        container: &Container<'tree>,
        open: &[Open],
        names: &mut Names,
        parsed: &Parsed<'_>,
        alone: Option<&HashSet<&[u8]>>,
    ) -> Open {
        let outer = open.last();
        let mut scope = outer.map_or_else(|| names.shared(""), |open| open.scope.clone());
        let mut exported = outer.is_none_or(|open| open.exported);
        if let Some((index, word)) = container.word.and_then(|at| Some((at, self.words.get(at)?))) {
            exported = self.is_exported(index, outer, parsed, alone);
            if open.len() < DEEPEST {
                let (owner, name) = split(word.name, parsed.text);
                if let Some(owner) = owner {
                    scope = names.join(&scope, &owner);
                }
                if let Some(owner) = word.owner {
                    let owner = names.path(owner.byte_range(), parsed.text);
                    let owner = owner.trim_end_matches(".prototype");
                    if !matches!(owner, "exports" | "module.exports") {
                        scope = names.join(&scope, owner);
                    }
                }
                let name = String::from_utf8_lossy(name);
                let name =
                    if parsed.language == Language::Cpp { name.replace("::", ".") } else { name.into() };
                scope = names.join(&scope, &name);
            }
        } else if let Some(name) = container.name
            && open.len() < DEEPEST
        {
            let name = names.name(name, parsed.text);
            scope = names.join(&scope, &name);
        }
        let place = container.place;
        let kind = container.word.and_then(|at| self.words.get(at)).map(|word| word.kind);
        let public = match parsed.language {
            Language::C | Language::Cpp => kind != Some(SymbolKind::Class),
            // What implements a trait is as visible as the trait.
            Language::Rust if kind.is_none() => container.node.child_by_field_name("trait").is_some(),
            _ => matches!(kind, Some(SymbolKind::Interface | SymbolKind::Trait)),
        };
        Open { end: container.node.end_byte(), place, word: container.word, scope, exported, public }
    }

    /// Whether other files can use a definition whose nearest container is `around`.
    fn is_exported(
        &self,
        index: usize,
        around: Option<&Open>,
        parsed: &Parsed<'_>,
        alone: Option<&HashSet<&[u8]>>,
    ) -> bool {
        let Some(word) = self.words.get(index) else { return false };
        let text = parsed.text;
        let name = text.get(word.name.byte_range()).unwrap_or_default();
        let top = around.is_none();
        let place = around.map(|open| open.place);
        if place == Some(Place::Function) || around.is_some_and(|open| !open.exported) {
            return false;
        }
        match parsed.language {
            Language::Python => match alone {
                Some(alone) if top => alone.contains(name),
                _ => !name.starts_with(b"_") || (name.starts_with(b"__") && name.ends_with(b"__")),
            },
            Language::JavaScript | Language::TypeScript | Language::Tsx => match place {
                Some(Place::Export) => true,
                Some(Place::Type) => {
                    !name.starts_with(b"#")
                        && !has(word.whole, text, "accessibility_modifier", &[b"private", b"protected"])
                }
                _ => {
                    let owner = word.owner.and_then(|owner| text.get(owner.byte_range()));
                    matches!(owner, Some(b"exports" | b"module.exports"))
                        || (top && word.owner.is_none() && self.exported.contains(name))
                }
            },
            Language::Java => {
                has(word.whole, text, "modifiers", &[b"public"])
                    || word.kind == SymbolKind::Module
                    || place == Some(Place::Type)
                        && (word.kind == SymbolKind::Constant && word.whole.kind() != "field_declaration"
                            || around.is_some_and(|open| open.public)
                                && !has(word.whole, text, "modifiers", &[b"private"]))
            }
            Language::Go => std::str::from_utf8(name)
                .ok()
                .and_then(|name| name.chars().next())
                .is_some_and(|first| first.is_uppercase() || word.kind == SymbolKind::Module),
            Language::Rust => {
                let mut cursor = word.whole.walk();
                let open =
                    word.whole.children(&mut cursor).any(|child| child.kind() == "visibility_modifier");
                open || word.kind == SymbolKind::Macro
                    || place == Some(Place::Type)
                        && (around.is_some_and(|open| open.public) || word.whole.kind() == "enum_variant")
            }
            Language::C | Language::Cpp => {
                place == Some(Place::Type) && around.is_some_and(|open| open.public)
                    || place != Some(Place::Type)
                        && !has(word.whole, text, "storage_class_specifier", &[b"static"])
            }
            Language::Bash => word.kind == SymbolKind::Function || self.exported.contains(name),
            Language::CSharp | Language::Kotlin | Language::Swift | Language::Scala | Language::Php => {
                let closed = [&b"private"[..], b"protected", b"internal", b"fileprivate"];
                !["modifiers", "modifier", "visibility_modifier", "access_modifier"]
                    .iter()
                    .any(|kind| has(word.whole, text, kind, &closed))
            }
            Language::Ruby => true,
        }
    }
}

fn close(open: &mut Vec<Open>, at: usize) {
    while open.last().is_some_and(|open| open.end <= at) {
        open.pop();
    }
}

fn place_of(word: &Word<'_>) -> Option<Place> {
    if word.role != SymbolRole::Definition {
        return None;
    }
    match word.kind {
        SymbolKind::Function | SymbolKind::Method => Some(Place::Function),
        SymbolKind::Class
        | SymbolKind::Struct
        | SymbolKind::Interface
        | SymbolKind::Trait
        | SymbolKind::Enum => Some(Place::Type),
        SymbolKind::Module => Some(Place::Module),
        _ => None,
    }
}

/// Whether a child of this kind holds one of the words.
fn has(node: Node<'_>, text: &[u8], kind: &str, words: &[&[u8]]) -> bool {
    let mut cursor = node.walk();
    node.children(&mut cursor).any(|child| {
        child.kind() == kind
            && text
                .get(child.byte_range())
                .unwrap_or_default()
                .split(|byte| byte.is_ascii_whitespace())
                .any(|word| words.contains(&word))
    })
}

/// Whether the name says which type it belongs to: `A::f` in C++.
fn split_owner(name: Node<'_>) -> bool {
    name.kind() == "qualified_identifier"
}

/// The owner that a qualified name spells out, with `.` between its parts, and the name itself.
fn split<'a>(name: Node<'_>, text: &'a [u8]) -> (Option<String>, &'a [u8]) {
    let mut node = name;
    let mut owner = String::new();
    for _ in 0..DEEPEST {
        if node.kind() != "qualified_identifier" {
            break;
        }
        if let Some(scope) = node.child_by_field_name("scope") {
            let scope = scope.child_by_field_name("name").unwrap_or(scope);
            if !owner.is_empty() {
                owner.push('.');
            }
            owner.push_str(&String::from_utf8_lossy(text.get(scope.byte_range()).unwrap_or_default()));
        }
        match node.child_by_field_name("name") {
            Some(inner) => node = inner,
            None => break,
        }
    }
    let name = text.get(node.byte_range()).unwrap_or_default();
    ((!owner.is_empty() && owner.len() <= LONGEST_NAME).then_some(owner), name)
}

/// The texts in a list of texts.
fn listed<'a>(list: Node<'_>, text: &'a [u8]) -> HashSet<&'a [u8]> {
    let mut cursor = list.walk();
    list.named_children(&mut cursor)
        .filter(|child| child.kind() == "string")
        .filter_map(|child| text.get(child.byte_range()))
        .map(|word| {
            let quote = |byte: &u8| matches!(byte, b'"' | b'\'');
            let start = word.iter().position(|byte| !quote(byte)).unwrap_or(word.len());
            let end = word.iter().rposition(|byte| !quote(byte)).map_or(start, |last| last + 1);
            word.get(start..end).unwrap_or_default()
        })
        .collect()
}

/// `MAX_SIZE`, and not `_` or `__all__`.
fn capitals(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_uppercase()) && !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// The last line of a node, from 1; a line break at its end is not counted.
fn last_line(node: Node<'_>) -> u32 {
    let (start, end) = (node.start_position(), node.end_position());
    number(if end.column == 0 && end.row > start.row { end.row } else { end.row + 1 })
}

/// Texts of one file, each kept once.
#[derive(Default)]
struct Names(HashMap<Box<[u8]>, Arc<str>>);

impl Names {
    fn shared(&mut self, text: &str) -> Arc<str> {
        self.bytes(text.as_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Arc<str> {
        let bytes = if bytes.len() > LONGEST_NAME * 16 { b"" } else { bytes };
        if let Some(text) = self.0.get(bytes) {
            return text.clone();
        }
        let text: Arc<str> = String::from_utf8_lossy(bytes).into();
        self.0.insert(bytes.into(), text.clone());
        text
    }

    /// A node's text; empty where it is too long for a name.
    fn name(&mut self, node: Node<'_>, text: &[u8]) -> Arc<str> {
        let name = text.get(node.byte_range()).filter(|name| name.len() <= LONGEST_NAME);
        self.bytes(name.unwrap_or_default())
    }

    /// A text where it is a plain path, else empty.
    fn path(&mut self, range: Range<usize>, text: &[u8]) -> Arc<str> {
        let plain = |byte: &u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'$' | b'@' | b'\\' | 0x80..)
        };
        let path = text.get(range).filter(|path| path.len() <= LONGEST_NAME && path.iter().all(plain));
        self.bytes(path.unwrap_or_default())
    }

    fn join(&mut self, scope: &str, name: &str) -> Arc<str> {
        match (scope.is_empty(), name.is_empty()) {
            (true, _) => self.shared(name),
            (_, true) => self.shared(scope),
            _ => self.shared(&format!("{scope}.{name}")),
        }
    }
}

#[cfg(test)]
mod tests;
