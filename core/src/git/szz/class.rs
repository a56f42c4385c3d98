//! What a line of a file is: blank, comment, import or code, from its text and what stands before it.
//!
//! A syntax tree of every version that a fix touched would cost ten times the rest of the pass, and a
//! line's class hardly ever needs one; so comments are told by their marks, searched for backwards
//! from the line. Files of languages without a grammar are read the same way.

use std::cell::OnceCell;

use gix::bstr::ByteSlice;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Blank,
    Comment,
    Import,
    /// Brackets and punctuation alone.
    Punctuation,
    Code,
}

/// How comments and imports are written in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// `//` and `/* */`.
    Slashes,
    /// `#`, and texts in three quotes that stand alone.
    Python,
    /// `#`.
    Hash,
    /// `--`, and `--[[ ]]` or `/* */`.
    Dashes,
    /// `;`.
    Semicolon,
    /// `%`.
    Percent,
    /// `<!-- -->`.
    Markup,
    /// `"`.
    Vim,
    /// Nothing is known of the language.
    Unknown,
}

const STYLES: &[(Style, &[&str])] = &[
    (
        Style::Slashes,
        &[
            "c", "h", "cc", "cpp", "cxx", "c++", "hpp", "hh", "hxx", "ipp", "inl", "tpp", "m", "mm", "java",
            "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "go", "rs", "cs", "kt", "kts", "swift",
            "scala", "sc", "php", "dart", "groovy", "gradle", "proto", "thrift", "zig", "v", "sv", "css",
            "scss", "less", "y", "l", "cu", "cl", "glsl", "hlsl", "d", "p4", "def", "s", "rl", "lex", "yy",
        ],
    ),
    (Style::Python, &["py", "pyi", "pyw", "pyx", "pxd"]),
    (
        Style::Hash,
        &[
            "sh", "bash", "zsh", "ksh", "rb", "rake", "pl", "pm", "t", "yml", "yaml", "toml", "cmake", "mk",
            "am", "ac", "m4", "r", "jl", "ex", "exs", "tcl", "awk", "conf", "cfg", "nix", "ps1", "at",
            "feature", "coffee", "service", "spec", "build", "tf", "bzl",
        ],
    ),
    (Style::Dashes, &["sql", "lua", "hs", "adb", "ads", "vhd", "vhdl", "elm"]),
    (Style::Semicolon, &["lisp", "clj", "cljs", "el", "scm", "asm", "ini"]),
    (Style::Percent, &["erl", "hrl", "tex"]),
    (Style::Markup, &["html", "htm", "xml", "vue", "svelte", "xsd", "xsl", "xaml", "xhtml"]),
    (Style::Vim, &["vim"]),
];

/// Endings and names of files that hold no program: texts, records of releases, data, pictures.
const NO_CODE: &[&str] = &[
    "md",
    "markdown",
    "rst",
    "txt",
    "adoc",
    "asciidoc",
    "org",
    "tex",
    "html",
    "htm",
    "svg",
    "json",
    "lock",
    "sum",
    "csv",
    "tsv",
    "po",
    "pot",
    "mo",
    "map",
    "snap",
    "golden",
    "out",
    "log",
    "css",
    "scss",
    "less",
    "ipynb",
    "pem",
    "crt",
    "key",
    "man",
    "diff",
    "patch",
    "1",
    "2",
    "3",
    "4",
    "5",
    "7",
    "8",
    "xml",
    "properties",
    "mailmap",
    "ini",
    "cfg",
    "yml",
    "yaml",
];
const NO_CODE_NAMES: &[&str] = &[
    "news",
    "changelog",
    "changes",
    "authors",
    "contributors",
    "copying",
    "license",
    "licence",
    "notice",
    "readme",
    "todo",
    "thanks",
    "maintainers",
    "install",
    "version",
    "release",
    "history",
    "go.sum",
    "package-lock.json",
    "abi_version",
];

fn basename(path: &[u8]) -> &[u8] {
    path.rfind_byte(b'/').map_or(path, |slash| &path[slash + 1..])
}

fn extension(path: &[u8]) -> Option<String> {
    let name = basename(path);
    let dot = name.rfind_byte(b'.')?;
    Some(String::from_utf8_lossy(&name[dot + 1..]).to_ascii_lowercase())
}

/// Whether a file may hold the cause of a bug: all but texts, data and records of releases.
pub(super) fn is_code(path: &[u8]) -> bool {
    let name = String::from_utf8_lossy(basename(path)).to_ascii_lowercase();
    let ending = extension(path).unwrap_or_default();
    if name == "cmakelists.txt" {
        return true;
    }
    if name.starts_with('.') || NO_CODE.contains(&ending.as_str()) {
        return false;
    }
    let known = STYLES.iter().any(|(_, endings)| endings.contains(&ending.as_str()));
    known || !NO_CODE_NAMES.contains(&name.split('.').next().unwrap_or_default())
}

/// Whether a file holds tests, by the usual names of folders and files.
pub(super) fn is_test(path: &[u8]) -> bool {
    let text = String::from_utf8_lossy(path).to_ascii_lowercase();
    let (folders, name) = text.rsplit_once('/').unwrap_or(("", &text));
    let word = |part: &str| {
        matches!(
            part,
            "test"
                | "tests"
                | "testing"
                | "spec"
                | "specs"
                | "__tests__"
                | "testdata"
                | "t"
                | "testsuite"
                | "unittest"
        ) || part.ends_with("_test")
            || part.ends_with("-test")
            || part.ends_with("_tests")
    };
    if folders.split('/').any(word) {
        return true;
    }
    let stem = name.split('.').next().unwrap_or_default();
    stem.starts_with("test_")
        || stem.starts_with("test-")
        || stem == "test"
        || stem.ends_with("_test")
        || stem.ends_with("-test")
        || stem.ends_with("tests")
        || stem.ends_with("_spec")
        || name.contains(".test.")
        || name.contains(".spec.")
        || (name.ends_with(".java") || name.ends_with(".kt") || name.ends_with(".scala"))
            && stem.ends_with("test")
}

/// One version of a file, asked for the classes of some of its lines.
pub(super) struct Classes<'a> {
    data: &'a [u8],
    style: Style,
    ending: String,
    spans: OnceCell<Vec<Span>>,
}

/// A comment over several lines, or a text in three quotes.
struct Span {
    start: usize,
    /// One past its last byte.
    end: usize,
    /// Whether nothing stands before it on its line.
    alone: bool,
}

impl<'a> Classes<'a> {
    pub fn new(path: &[u8], data: &'a [u8]) -> Classes<'a> {
        let mut ending = extension(path).unwrap_or_default();
        let name = basename(path);
        if name.starts_with(b"Makefile") || name.starts_with(b"Dockerfile") || name == b"CMakeLists.txt" {
            "mk".clone_into(&mut ending);
        }
        let by_ending =
            STYLES.iter().find(|(_, endings)| endings.contains(&ending.as_str())).map(|(style, _)| *style);
        let style = by_ending.unwrap_or(if data.starts_with(b"#!") { Style::Hash } else { Style::Unknown });
        Classes { data, style, ending, spans: OnceCell::new() }
    }

    /// The class of the line at these bytes.
    pub fn of(&self, line: std::ops::Range<usize>) -> Class {
        let text = self.data.get(line.clone()).unwrap_or_default().trim();
        if text.is_empty() {
            return Class::Blank;
        }
        if self.is_comment(line.start, text) {
            return Class::Comment;
        }
        if !text.iter().any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80) {
            return Class::Punctuation;
        }
        if self.is_import(line.start, text) { Class::Import } else { Class::Code }
    }

    fn is_comment(&self, start: usize, text: &[u8]) -> bool {
        match self.style {
            Style::Slashes => {
                text.starts_with(b"//")
                    || self.ending == "php" && text.starts_with(b"#")
                    || self.in_block(start, text, b"/*", b"*/", b"//")
            }
            Style::Python => text.starts_with(b"#") || self.in_docstring(start, text),
            Style::Hash | Style::Unknown if text.starts_with(b"#") => {
                // In C-like files that nothing is known of, these are directives.
                self.style == Style::Hash || !text.starts_with(b"#include") && !text.starts_with(b"#define")
            }
            Style::Hash => self.ending == "rb" && self.in_block(start, text, b"\n=begin", b"\n=end", b"#"),
            Style::Unknown => text.starts_with(b"//") || text.starts_with(b"/*") || text.starts_with(b"* "),
            Style::Dashes if self.ending == "lua" => {
                text.starts_with(b"--") || self.in_block(start, text, b"--[[", b"]]", b"\0")
            }
            Style::Dashes if self.ending == "hs" => {
                text.starts_with(b"--") || self.in_block(start, text, b"{-", b"-}", b"--")
            }
            Style::Dashes => text.starts_with(b"--") || self.in_block(start, text, b"/*", b"*/", b"--"),
            Style::Semicolon => text.starts_with(b";"),
            Style::Percent => text.starts_with(b"%"),
            Style::Markup => self.in_block(start, text, b"<!--", b"-->", b"\0"),
            Style::Vim => text.starts_with(b"\""),
        }
    }

    /// Whether a line is all comment, by the marks of a comment over several lines: it begins within
    /// one or with one, and nothing but comment follows.
    fn in_block(&self, start: usize, text: &[u8], open: &[u8], close: &[u8], line_comment: &[u8]) -> bool {
        let mut rest = text;
        if self.span_at(start, open, close, line_comment).is_some() {
            match rest.find(close) {
                None => return true,
                Some(end) => rest = rest[end + close.len()..].trim_start(),
            }
        }
        loop {
            if rest.is_empty() || rest.starts_with(line_comment) {
                return true;
            }
            if !rest.starts_with(open) {
                return false;
            }
            match rest[open.len()..].find(close) {
                None => return true,
                Some(end) => rest = rest[open.len() + end + close.len()..].trim_start(),
            }
        }
    }

    /// The comments over several lines, or the texts in three quotes, of the whole file: found once, as
    /// marks are rare and searching for them is quick.
    fn spans(&self, open: &[u8], close: &[u8], line_comment: &[u8]) -> &[Span] {
        self.spans.get_or_init(|| {
            if self.style == Style::Python { self.texts() } else { self.blocks(open, close, line_comment) }
        })
    }

    fn span_at(&self, place: usize, open: &[u8], close: &[u8], line_comment: &[u8]) -> Option<&Span> {
        let spans = self.spans(open, close, line_comment);
        let next = spans.partition_point(|span| span.end <= place);
        spans.get(next).filter(|span| span.start < place)
    }

    fn blocks(&self, open: &[u8], close: &[u8], line_comment: &[u8]) -> Vec<Span> {
        let (open, close) = (gix::bstr::Finder::new(open), gix::bstr::Finder::new(close));
        let mut spans = Vec::new();
        let mut from = 0;
        while let Some(start) = open.find(&self.data[from..]).map(|found| from + found) {
            from = start + open.needle().len();
            let ahead = self.ahead(start);
            let quotes = ahead.iter().filter(|byte| matches!(byte, b'"' | b'\'' | b'`')).count();
            // A mark within a text or behind a line comment opens nothing.
            if quotes.is_multiple_of(2) && ahead.find(line_comment).is_none() {
                let end = close.find(&self.data[from..]);
                let end = end.map_or(self.data.len(), |end| from + end + close.needle().len());
                spans.push(Span { start, end, alone: true });
                from = end;
            }
        }
        spans
    }

    /// What stands before a place on its line.
    fn ahead(&self, place: usize) -> &[u8] {
        let line = self.data[..place].rfind_byte(b'\n').map_or(0, |end| end + 1);
        &self.data[line..place]
    }

    fn texts(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let mut open: Option<(u8, usize, bool)> = None;
        let mut at = 0;
        while let Some(found) = self.data[at..].find_byteset(b"\"'") {
            let place = at + found;
            let quote = self.data[place];
            at = place + 1;
            if self.data.get(place..place + 3) != Some(&[quote; 3][..]) {
                continue;
            }
            at = place + 3;
            match open {
                Some((known, start, alone)) if known == quote => {
                    spans.push(Span { start, end: at, alone });
                    open = None;
                }
                Some(_) => {}
                None => {
                    let ahead = self.ahead(place).trim();
                    if !ahead.contains(&b'#') {
                        open = Some((quote, place, ahead.iter().all(|byte| b"rubRUB".contains(byte))));
                    }
                }
            }
        }
        spans.extend(open.map(|(_, start, alone)| Span { start, end: self.data.len(), alone }));
        spans
    }

    /// Whether a line belongs to a text in three quotes that stands alone, as documentation does.
    fn in_docstring(&self, start: usize, text: &[u8]) -> bool {
        if let Some(span) = self.span_at(start, b"", b"", b"") {
            return span.alone;
        }
        let bare = text.trim_start_with(|letter| matches!(letter, 'r' | 'u' | 'b' | 'R' | 'U' | 'B'));
        bare.starts_with(b"\"\"\"") || bare.starts_with(b"'''")
    }

    fn is_import(&self, start: usize, text: &[u8]) -> bool {
        let begins = |words: &[&[u8]]| words.iter().any(|word| text.starts_with(word));
        match (self.style, self.ending.as_str()) {
            (Style::Python, _) => {
                begins(&[b"import "])
                    || text.starts_with(b"from ") && text.find(b" import").is_some()
                    || self.in_import_list(start, text, b"import (", b')')
            }
            (
                Style::Slashes,
                "java" | "kt" | "kts" | "scala" | "sc" | "groovy" | "gradle" | "swift" | "dart",
            ) => begins(&[b"import ", b"package "]),
            (Style::Slashes, "js" | "jsx" | "mjs" | "cjs" | "ts" | "tsx" | "mts" | "cts") => {
                begins(&[b"import ", b"import{"])
                    || text.starts_with(b"export ") && text.find(b" from ").is_some()
                    || text.find(b"= require(").is_some()
                    || text.starts_with(b"}") && text.find(b" from ").is_some()
                    || self.in_import_list(start, text, b"import {", b'}')
            }
            (Style::Slashes, "go") => {
                begins(&[b"import ", b"package "]) || self.in_import_list(start, text, b"import (", b')')
            }
            (Style::Slashes, "rs") => begins(&[b"use ", b"pub use ", b"extern crate "]),
            (Style::Slashes, "cs") => text.starts_with(b"using ") && text.find_byte(b'(').is_none(),
            (Style::Slashes, "php") => begins(&[b"use "]),
            (Style::Slashes, "proto") => begins(&[b"import ", b"package "]),
            (Style::Slashes, _) => {
                text.strip_prefix(b"#").is_some_and(|rest| rest.trim_start().starts_with(b"include"))
            }
            (Style::Hash, "rb" | "rake") => begins(&[b"require ", b"require_relative "]),
            (Style::Hash, "pl" | "pm" | "t") => begins(&[b"use ", b"require "]),
            _ => false,
        }
    }

    /// Whether a line stands within the brackets of an import.
    fn in_import_list(&self, start: usize, text: &[u8], open: &[u8], close: u8) -> bool {
        let listed = |byte: &u8| byte.is_ascii_alphanumeric() || b"_., \t\"/-*@{}()".contains(byte);
        if !text.iter().all(listed) {
            return false;
        }
        let before = self.data.get(start.saturating_sub(8 << 10)..start).unwrap_or_default();
        before.rfind(open).is_some_and(|at| before[at + open.len()..].find_byte(close).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(path: &str, text: &str) -> String {
        let classes = Classes::new(path.as_bytes(), text.as_bytes());
        let mut at = 0;
        text.split_inclusive('\n')
            .map(|line| {
                at += line.len();
                match classes.of(at - line.len()..at) {
                    Class::Blank => '_',
                    Class::Comment => '#',
                    Class::Import => 'i',
                    Class::Punctuation => '}',
                    Class::Code => 'c',
                }
            })
            .collect()
    }

    #[test]
    fn lines_of_c_are_told_apart() {
        let text = "/* one\n two */\n#include <a.h>\n\nint a; /* x */\n/* y */ int b;\n// z /* no\nint c;\n\
            char *s = \"/*\";\nint d;\n}\n/* z\n * more\n */\n";
        assert_eq!(classes("a.c", text), "##i_cc#ccc}###");
    }

    #[test]
    fn lines_of_python_are_told_apart() {
        let text = "import os\nfrom a import (\n    b,\n    c,\n)\ndef f():\n    \"\"\"Doc.\n\n    more\n    \"\"\"\n    \
            q = \"\"\"\n    select 1\n    \"\"\"\n    # note\n    return 1\n'''one'''\n";
        assert_eq!(classes("a.py", text), "iiii}c#_##cc}#c#");
    }

    #[test]
    fn imports_of_other_languages() {
        assert_eq!(classes("a.go", "package a\nimport (\n\t\"fmt\"\n)\nvar x = \"fmt\"\n"), "iii}c");
        assert_eq!(classes("a.ts", "import {\n  a,\n} from 'b'\nconst c = require('d')\ngo(a)\n"), "iiiic");
        assert_eq!(classes("a.rs", "use a::b;\nlet a = 1;\n"), "ic");
        assert_eq!(classes("x.sql", "-- a\nselect 1;\n"), "#c");
        assert_eq!(classes("x.unheard", "# a\n// b\nc\n"), "##c");
    }

    #[test]
    fn files_are_told_apart() {
        assert!(is_code(b"src/a.c") && is_code(b"Makefile") && is_code(b"a/b.sh"));
        assert!(is_code(b"core/history.rs") && is_code(b"version.go") && is_code(b"lib/CMakeLists.txt"));
        assert!(!is_code(b"NEWS") && !is_code(b"doc/a.rst") && !is_code(b"CHANGELOG.md"));
        assert!(is_test(b"tests/a.py") && is_test(b"a/foo_test.go") && is_test(b"A/FooTest.java"));
        assert!(!is_test(b"src/latest.c") && !is_test(b"a/contest.rs"));
    }
}
