//! What a file is, by its name and by its content.

use std::ffi::OsStr;

use super::facts::FileFacts;
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

/// What a file's content says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its language; `None` where it is none that is known.
    pub language: Option<Language>,
    /// Whether it is not text.
    pub binary: bool,
    /// Whether a tool wrote it.
    pub generated: bool,
    /// Whether its lines are too long to have been written by hand.
    pub minified: bool,
}

/// What a file is, by its name and content; for those that are read from elsewhere than the disk.
pub fn recognise(path: &str, facts: &FileFacts, text: &[u8]) -> Content {
    let file_name = path.rsplit('/').next().unwrap_or_default();
    by_content(by_name(OsStr::new(file_name)), facts, file_name, text)
}

/// Looks at a file's content.
pub(super) fn by_content(name: ByName, facts: &FileFacts, file_name: &str, text: &[u8]) -> Content {
    let given = facts.language.as_deref().and_then(Language::of_linguist);
    let language = given.or_else(|| match name {
        ByName::Language(Language::TypeScript) if is_markup(text) => None,
        ByName::Language(language) => Some(language),
        ByName::Header if is_cpp(text) => Some(Language::Cpp),
        ByName::Header => Some(Language::C),
        ByName::Shebang => by_shebang(text),
        ByName::Notebook | ByName::Unknown => None,
    });
    let binary = text[..text.len().min(LOOKED_AT)].contains(&0);
    let generated = facts.generated.unwrap_or_else(|| is_generated_name(file_name) || says_generated(text));
    let minified = language.is_some() && (file_name.contains(".min.") || has_long_lines(text));
    Content { language, binary, generated, minified }
}

/// Qt keeps translations, and cameras films, under the ending of TypeScript.
fn is_markup(text: &[u8]) -> bool {
    text.starts_with(b"<?xml")
        || text.starts_with(b"<!DOCTYPE")
        || text.first() == Some(&0x47) && text.contains(&0)
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

/// Whether a header has what only C++ has.
fn is_cpp(text: &[u8]) -> bool {
    const STARTS: [&str; 11] = [
        "class ",
        "namespace ",
        "template <",
        "template<",
        "using ",
        "public:",
        "private:",
        "protected:",
        "virtual ",
        "friend ",
        "inline namespace ",
    ];
    text.split(|byte| *byte == b'\n').any(|line| {
        let line = line.trim_ascii_start();
        STARTS.iter().any(|start| line.starts_with(start.as_bytes()))
            || line.windows(5).any(|part| part == b"std::")
    })
}

/// Whether tools write files of this name.
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
