//! What a file is, by its name and by its content.

use std::ffi::OsStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::facts::FileFacts;
use super::{header, notebook};
use crate::code::language::Language;

/// How git tells text from bytes: a NUL byte among so many first ones.
const LOOKED_AT: usize = 8000;

/// Lines beyond this many bytes are not written by hand.
const LONG_LINE: usize = 500;

/// A file of fewer bytes is never minified.
const SMALL: usize = 2048;

/// What a name says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ByName {
    /// Its language.
    Language(Language),
    /// A header of C or C++.
    Header,
    /// A Jupyter notebook.
    Notebook,
    /// Nothing: its first line may name an interpreter.
    Shebang,
    /// It is no code of a known language.
    Unknown,
}

/// What a file's name says of it.
pub(super) fn by_name(name: &OsStr) -> ByName {
    // A name that is no text may still end in a known way.
    let name = name.to_string_lossy();
    if let Some(language) = Language::of_file_name(&name) {
        return ByName::Language(language);
    }
    match name.rsplit_once('.') {
        Some((stem, end)) if !stem.is_empty() => {
            if end.eq_ignore_ascii_case("h") {
                return ByName::Header;
            }
            if end.eq_ignore_ascii_case("ipynb") {
                return ByName::Notebook;
            }
            Language::of_extension(end).map_or(ByName::Unknown, ByName::Language)
        }
        _ => ByName::Shebang,
    }
}

/// What a file is, as its content and everything around it say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Its language; `None` where it is none that is known.
    pub language: Option<Language>,
    /// Whether it is a notebook, of which only the code cells are read.
    pub notebook: bool,
    /// Whether it is not text.
    pub binary: bool,
    /// Whether a tool wrote it.
    pub generated: bool,
    /// Whether its lines are too long to have been written by hand.
    pub minified: bool,
}

impl Content {
    /// A file of no known language.
    pub(super) const UNKNOWN: Content =
        Content { language: None, notebook: false, binary: false, generated: false, minified: false };

    /// How its text is read: two files of the same text and form give the same.
    pub(in crate::code) fn form(&self) -> u8 {
        self.language.map_or(u8::MAX, |language| language as u8) | u8::from(self.notebook) << 7
    }
}

/// What is known of a file besides its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    /// The file's name.
    pub file_name: &'a str,
    /// What that says.
    pub name: ByName,
    /// Whether a header lies among C++ files.
    pub among_cpp: bool,
    /// What is known from outside.
    pub facts: &'a FileFacts,
}

impl Around<'_> {
    /// A number that is another where any of it is another; the file's name is not in it.
    pub fn number(&self) -> u64 {
        if !self.among_cpp && *self.facts == FileFacts::default() {
            return 0;
        }
        let digest = Sha256::digest(format!("{} {:?}", self.among_cpp, self.facts));
        digest.iter().take(8).fold(1, |number, byte| number << 8 | u64::from(*byte))
    }

    /// What the file with this text is.
    pub fn content(&self, text: &[u8]) -> Content {
        let notebook = self.name == ByName::Notebook;
        let given = self.facts.language.as_deref().and_then(Language::of_linguist);
        let language = given.or_else(|| match self.name {
            ByName::Language(Language::TypeScript) if is_no_typescript(text) => None,
            ByName::Language(language) => Some(language),
            ByName::Header => header::language(text, self.among_cpp),
            ByName::Shebang => by_shebang(text),
            ByName::Notebook => notebook::language(text),
            ByName::Unknown => None,
        });
        if language.is_none() {
            return Content::UNKNOWN;
        }
        let facts = self.facts.generated;
        Content {
            language,
            notebook,
            binary: text[..text.len().min(LOOKED_AT)].contains(&0),
            generated: facts.unwrap_or_else(|| is_generated_name(self.file_name) || says_generated(text)),
            minified: !notebook && (self.file_name.contains(".min.") || has_long_lines(text)),
        }
    }
}

/// What a file is, by its path and text alone; for those that come from elsewhere than the disk.
pub fn recognise(path: &str, text: &[u8]) -> Content {
    let file_name = path.rsplit('/').next().unwrap_or_default();
    let name = by_name(OsStr::new(file_name));
    Around { file_name, name, among_cpp: false, facts: &FileFacts::default() }.content(text)
}

/// Qt keeps translations, and cameras films, under the ending of TypeScript.
fn is_no_typescript(text: &[u8]) -> bool {
    text.starts_with(b"<?xml")
        || text.starts_with(b"<!DOCTYPE")
        || (text.first() == Some(&0x47) && text.get(188) == Some(&0x47))
}

/// The language of the interpreter that the first line names.
pub(super) fn by_shebang(text: &[u8]) -> Option<Language> {
    let line = text.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(&line[..line.len().min(256)]);
    let mut words = line.split_whitespace();
    let mut program = words.next()?.rsplit('/').next()?;
    if program == "env" {
        // `env -S python3 -u`, `env FOO=1 python3`.
        program = words.find(|word| !word.starts_with('-') && !word.contains('='))?.rsplit('/').next()?;
    }
    Language::of_interpreter(program)
}

pub fn is_generated_name(name: &str) -> bool {
    const ENDS: [&str; 12] = [
        ".pb.go",
        ".pb.cc",
        ".pb.h",
        "_pb2.py",
        "_pb2_grpc.py",
        "_pb.js",
        "_pb.ts",
        ".g.cs",
        ".designer.cs",
        "_generated.go",
        ".generated.ts",
        "_grpc.pb.go",
    ];
    let name = name.to_ascii_lowercase();
    ENDS.iter().any(|end| name.ends_with(end)) || name.starts_with("zz_generated.")
}

/// Whether a comment near the top says that a tool wrote the file.
fn says_generated(text: &[u8]) -> bool {
    let head = &text[..text.len().min(4096)];
    head.split(|byte| *byte == b'\n').take(40).any(|line| {
        let line = line.trim_ascii();
        if !line.first().is_some_and(|first| b"/#*-;<\"'%".contains(first)) {
            return false;
        }
        let line = String::from_utf8_lossy(line).to_ascii_lowercase();
        line.contains("@generated")
            || line.contains("<auto-generated")
            || line.contains("generated by the protocol buffer compiler")
            || line.contains("generated") && line.contains("do not edit")
            || line.contains("autogenerated by") && line.contains("do not")
            || line.contains("this file was automatically generated")
            || line.contains("this file is automatically generated")
    })
}

/// Whether most of the text stands in lines that nobody types.
fn has_long_lines(text: &[u8]) -> bool {
    if text.len() < SMALL {
        return false;
    }
    let long: usize =
        text.split(|byte| *byte == b'\n').map(<[u8]>::len).filter(|length| *length > LONG_LINE).sum();
    long * 2 > text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(name: &str, text: &[u8]) -> Content {
        let facts = FileFacts::default();
        Around { file_name: name, name: by_name(OsStr::new(name)), among_cpp: false, facts: &facts }
            .content(text)
    }

    #[test]
    fn names_and_first_lines_tell_the_language() {
        for (name, text, language) in [
            ("a.py", "", Some(Language::Python)),
            ("A.PYI", "", Some(Language::Python)),
            ("SConstruct", "", Some(Language::Python)),
            ("run", "#!/usr/bin/env python3.12\n", Some(Language::Python)),
            ("run", "#! /usr/bin/env -S FOO=1 node --harmony\n", Some(Language::JavaScript)),
            ("run", "#!/bin/sh -e\n", Some(Language::Bash)),
            ("run", "#!/usr/bin/perl\n", None),
            ("run", "#!", None),
            ("run", "", None),
            ("a.ts", "export const a = 1;\n", Some(Language::TypeScript)),
            ("a.ts", "<?xml version=\"1.0\"?><TS></TS>", None),
            (".bashrc", "", Some(Language::Bash)),
            (".hidden", "", None),
            ("a.txt", "#!/bin/sh\n", None),
        ] {
            assert_eq!(content(name, text.as_bytes()).language, language, "{name}: {text}");
        }
    }

    #[test]
    fn what_a_tool_wrote_says_so() {
        for (name, text, generated) in [
            ("a.go", "// Code generated by protoc-gen-go. DO NOT EDIT.\n", true),
            ("a.go", "package a\n\nconst s = `Code generated by x. DO NOT EDIT.`\n", false),
            ("a.rs", "// @generated by a tool\n", true),
            (
                "a.py",
                "#!/usr/bin/env python\n# Generated by the protocol buffer compiler.  DO NOT EDIT!\n",
                true,
            ),
            ("a.cs", "// <auto-generated/>\n", true),
            ("a_pb2.py", "", true),
            ("a.py", "marker = '@generated'\n", false),
            ("a.py", "# how code is generated\n", false),
        ] {
            assert_eq!(content(name, text.as_bytes()).generated, generated, "{name}: {text}");
        }
    }

    #[test]
    fn long_lines_and_nul_bytes_are_noticed() {
        let long = format!("{}\n", "a();".repeat(1000));
        assert!(content("a.js", long.as_bytes()).minified);
        assert!(content("a.min.js", b"a()").minified);
        let mostly = format!("{}{long}", "const line = 'of a usual length';\n".repeat(400));
        assert!(!content("a.js", mostly.as_bytes()).minified);
        assert!(content("a.c", b"\0").binary);
        let mut late = vec![b' '; LOOKED_AT];
        late.push(0);
        assert!(!content("a.c", &late).binary);
    }
}
