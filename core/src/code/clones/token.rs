//! A file as a sequence of tokens: numbers that are equal where the texts are.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::base::cancel::CancelToken;
use crate::code::language::Language;
use crate::code::parse::Parsed;
use crate::error::Result;

/// The token begins a statement or declaration.
pub(super) const BEGINS: u32 = 1;
/// The token ends a statement or declaration.
pub(super) const ENDS: u32 = 2;

/// In the low bits of a word's hash: it is a name.
pub(super) const NAME: u64 = 1;
/// In the low bits of a word's hash: it is a number, a text or another literal.
pub(super) const LITERAL: u64 = 2;
/// The low bits of a word's hash that say what it is.
pub(super) const CLASS: u64 = 3;

/// The tokens of one file: what is kept of it to find duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Hashes of the distinct texts, what they are in the low two bits.
    pub(super) words: Vec<u64>,
    /// For each token its word's place times four, and [`BEGINS`] and [`ENDS`].
    pub(super) stream: Vec<u32>,
    /// For each line how many tokens begin before it.
    pub(super) lines: Vec<u32>,
    /// Tokens of several lines: which, and how many lines more than one.
    pub(super) tall: Vec<(u32, u32)>,
    /// Functions by place: first and last line, qualified name.
    pub(super) functions: Vec<(u32, u32, String)>,
}

impl Tokens {
    /// How many tokens there are.
    pub fn count(&self) -> usize {
        self.stream.len()
    }

    /// The line on which a token begins, from 1.
    pub(super) fn line(&self, token: usize) -> u32 {
        self.lines.partition_point(|before| *before as usize <= token) as u32
    }

    /// The line on which a token ends, from 1.
    pub(super) fn end_line(&self, token: usize) -> u32 {
        let more = self.tall.binary_search_by_key(&token, |(tall, _)| *tall as usize);
        self.line(token) + more.ok().and_then(|at| self.tall.get(at)).map_or(0, |(_, more)| *more)
    }

    /// The innermost function around a line; empty where there is none.
    pub(super) fn function(&self, line: u32) -> &str {
        let before = self.functions.partition_point(|(first, ..)| *first <= line);
        let around = self.functions[..before].iter().rev().find(|(_, last, _)| line <= *last);
        around.map_or("", |(.., name)| name)
    }
}

/// Nothing of it is a token: comments, imports.
const LEFT_OUT: u8 = 1;
/// It is one token, whatever is in it.
const WHOLE: u8 = 2;
/// A statement or declaration, or something else that can stand alone.
const UNIT: u8 = 4;
/// Each named child is one of those.
const BLOCK: u8 = 8;
/// A name.
const NAMED: u8 = 16;

/// What the nodes of a kind are, and what the text of a keyword hashes to.
struct Kinds {
    flags: Vec<u8>,
    hashes: Vec<u64>,
}

fn kinds(language: Language) -> Option<&'static Kinds> {
    static KINDS: [OnceLock<Option<Kinds>>; 16] = [const { OnceLock::new() }; 16];
    KINDS.get(language as usize)?.get_or_init(|| read(language)).as_ref()
}

fn read(language: Language) -> Option<Kinds> {
    let grammar = language.grammar()?;
    let count = grammar.node_kind_count();
    let (mut flags, mut hashes) = (vec![0; count], vec![0; count]);
    for id in 0..count {
        let Ok(number) = u16::try_from(id) else { break };
        let name = grammar.node_kind_for_id(number).unwrap_or_default();
        hashes[id] = hash(name.as_bytes()) & !CLASS;
        if grammar.node_kind_is_named(number) {
            flags[id] = flags_of(name);
        }
    }
    Some(Kinds { flags, hashes })
}

/// Imports are equal in many files and are no duplicated work.
const IMPORTS: [&str; 17] = [
    "extern_crate_declaration",
    "future_import_statement",
    "import",
    "import_declaration",
    "import_from_statement",
    "import_header",
    "import_statement",
    "module_declaration",
    "namespace_use_declaration",
    "package_clause",
    "package_declaration",
    "package_header",
    "preproc_include",
    "use_declaration",
    "using_declaration",
    "using_directive",
    "shebang",
];

/// Each part of these can stand alone: statements of a block, elements of a table.
const BLOCKS: [&str; 27] = [
    "array",
    "array_expression",
    "array_initializer",
    "block",
    "body_statement",
    "class_body",
    "compilation_unit",
    "compound_statement",
    "declaration_list",
    "dictionary",
    "do_group",
    "enum_body",
    "field_declaration_list",
    "initializer_list",
    "interface_body",
    "list",
    "literal_value",
    "match_block",
    "module",
    "object",
    "object_type",
    "program",
    "source_file",
    "statement_block",
    "statement_list",
    "switch_body",
    "translation_unit",
];

const UNITS: [&str; 10] = [
    "_arm",
    "_assignment",
    "_case",
    "_declaration",
    "_definition",
    "_item",
    "_signature",
    "_spec",
    "_statement",
    "_variant",
];

/// Literals by their endings would take these for texts and numbers.
const NO_LITERALS: [&str; 9] = [
    "array_literal",
    "class_literal",
    "collection_literal",
    "composite_literal",
    "dictionary_literal",
    "func_literal",
    "lambda_literal",
    "object_literal",
    "concatenated_string",
];

const LITERALS: [&str; 13] = [
    "char",
    "character",
    "false",
    "float",
    "heredoc_body",
    "integer",
    "nil",
    "none",
    "null",
    "number",
    "regex",
    "system_lib_string",
    "true",
];

fn flags_of(name: &str) -> u8 {
    let mut flags = 0;
    if name.contains("comment") || IMPORTS.contains(&name) {
        flags |= LEFT_OUT;
    }
    let text = (name.ends_with("string") || name.ends_with("_literal")) && !NO_LITERALS.contains(&name);
    if text || LITERALS.contains(&name) {
        flags |= WHOLE;
    }
    if BLOCKS.contains(&name) {
        flags |= BLOCK;
    }
    if UNITS.iter().any(|end| name.ends_with(end)) || matches!(name, "pair" | "command" | "pipeline") {
        flags |= UNIT;
    }
    if name.ends_with("identifier") || matches!(name, "name" | "word" | "variable_name" | "constant") {
        flags |= NAMED;
    }
    flags
}

/// Reads the tokens of a file.
///
/// Errors: `call.cancelled`.
pub(super) fn tokens(parsed: &Parsed<'_>, cancel: &CancelToken) -> Result<Tokens> {
    let Some(kinds) = kinds(parsed.language) else { return Ok(Tokens::default()) };
    let mut out = Tokens::default();
    let mut words: HashMap<u64, u32> = HashMap::new();
    let mut cursor = parsed.tree.walk();
    // What is open: whether it is a unit, whether a block, and how many tokens were before it.
    let mut open: Vec<(u8, u32)> = Vec::new();
    let mut visited = 0u32;
    loop {
        visited = visited.wrapping_add(1);
        if visited.is_multiple_of(1 << 16) {
            cancel.check()?;
        }
        let node = cursor.node();
        let kind = usize::from(node.kind_id());
        let mut flags = kinds.flags.get(kind).copied().unwrap_or_default();
        let in_block = open.last().is_some_and(|(around, _)| around & BLOCK != 0);
        if in_block && node.is_named() {
            flags |= UNIT;
        }
        let begun = out.stream.len() as u32;
        let left_out = flags & LEFT_OUT != 0 && node.is_named();
        if !left_out {
            if flags & WHOLE == 0 && cursor.goto_first_child() {
                open.push((flags, begun));
                continue;
            }
            let range = node.byte_range();
            if !range.is_empty() {
                let text = parsed.text.get(range).unwrap_or_default();
                let word = if flags & WHOLE != 0 {
                    hash(text) & !CLASS | LITERAL
                } else if flags & NAMED != 0 {
                    hash(text) & !CLASS | NAME
                } else if node.is_named() {
                    hash(text) & !CLASS
                } else {
                    kinds.hashes.get(kind).copied().unwrap_or_default()
                };
                let next = words.len() as u32;
                let place = *words.entry(word).or_insert(next);
                if place == next {
                    out.words.push(word);
                }
                let (start, end) = (node.start_position().row, node.end_position().row);
                out.lines.resize((start + 1).max(out.lines.len()), begun);
                if end > start {
                    out.tall.push((begun, (end - start) as u32));
                }
                out.stream.push(place << 2);
            }
        }
        finish(&mut out.stream, flags, begun);
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return Ok(out);
            }
            if let Some((flags, begun)) = open.pop() {
                finish(&mut out.stream, flags, begun);
            }
        }
    }
}

/// Marks the first and the last token of a unit.
fn finish(stream: &mut [u32], flags: u8, begun: u32) {
    if flags & UNIT != 0
        && let Some(unit) = stream.get_mut(begun as usize..)
    {
        if let Some(first) = unit.first_mut() {
            *first |= BEGINS;
        }
        if let Some(last) = unit.last_mut() {
            *last |= ENDS;
        }
    }
}

/// A hash that stays the same in every release and on every platform, as it is kept.
fn hash(text: &[u8]) -> u64 {
    let mix = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        (product as u64) ^ ((product >> 64) as u64)
    };
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ text.len() as u64;
    for part in text.chunks(8) {
        let mut bytes = [0; 8];
        for (to, from) in bytes.iter_mut().zip(part) {
            *to = *from;
        }
        state = mix(state ^ u64::from_le_bytes(bytes), 0xa076_1d64_78bd_642f);
    }
    mix(state ^ 0xe703_7ed1_a0b4_28db, 0x8ebc_6af0_9c88_c6e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::parse::Reader;

    fn read(language: Language, text: &str) -> Tokens {
        let cancel = CancelToken::new();
        let mut reader = Reader::default();
        tokens(&reader.parse(language, text.as_bytes(), &cancel).unwrap(), &cancel).unwrap()
    }

    #[test]
    fn layout_comments_and_imports_make_no_difference() {
        let one = read(Language::Java, "import a.B;\nclass A { int f() { return 1; } }");
        let two = read(Language::Java, "class A {\n  // so\n  int f()\n  { return /* it is */ 1; }\n}");
        assert_eq!(one.words, two.words);
        assert_eq!(one.stream, two.stream);
        assert_eq!(one.count(), 13);
        assert_eq!((one.line(0), two.line(0), two.line(3), two.line(12)), (2, 1, 3, 5));
    }

    #[test]
    fn statements_know_where_they_begin_and_end() {
        let read = read(Language::Python, "def f(x):\n    a = x\n    '''two\nlines'''\n    return a\n");
        let marks: Vec<u32> = read.stream.iter().map(|token| token & (BEGINS | ENDS)).collect();
        // def f ( x ) : a = x '...' return a
        assert_eq!(marks, [1, 0, 0, 0, 0, 0, 1, 0, 2, 3, 1, 2]);
        assert_eq!((read.line(9), read.end_line(9), read.line(10)), (3, 4, 5));
    }

    #[test]
    fn names_and_literals_are_told_apart() {
        let read = read(Language::Go, "package a\nfunc f() { g(1, \"x\") }");
        let classes: Vec<u64> = read.words.iter().map(|word| word & CLASS).collect();
        // func f ( ) { g 1 , "x" }
        assert_eq!(classes, [0, NAME, 0, 0, 0, NAME, LITERAL, 0, LITERAL, 0]);
    }
}
