use super::*;
use crate::code::parse::Reader;

/// One line per symbol: line, role, kind, scope and name, then origin, alias and marks where it has them.
pub(super) fn told(language: Language, text: &[u8]) -> String {
    let cancel = CancelToken::new();
    let mut reader = Reader::default();
    let parsed = reader.parse(language, text, &cancel).unwrap();
    let mut lines = String::new();
    for symbol in symbols(&parsed, &cancel).unwrap() {
        let scope = if symbol.scope.is_empty() { String::new() } else { format!("[{}] ", symbol.scope) };
        let name = if symbol.name.is_empty() { "-" } else { &symbol.name };
        lines.push_str(&format!(
            "{}:{}-{} {} {} {scope}{name}",
            symbol.line,
            symbol.column,
            symbol.end_line,
            symbol.role.name(),
            symbol.kind.name()
        ));
        for (mark, text) in [("from", &symbol.origin), ("as", &symbol.alias)] {
            if !text.is_empty() {
                lines.push_str(&format!(" {mark} {text}"));
            }
        }
        for (mark, is_so) in [("exported", symbol.exported), ("relative", symbol.relative)] {
            if is_so {
                lines.push_str(&format!(" {mark}"));
            }
        }
        lines.push('\n');
    }
    lines
}

macro_rules! samples {
    ($($test:ident = $language:ident, $file:literal;)*) => {$(
        #[test]
        fn $test() {
            let found = told(Language::$language, include_bytes!(concat!("samples/", $file)));
            let expected = include_str!(concat!("samples/", $file, ".txt"));
            for (found, expected) in found.lines().zip(expected.lines()) {
                assert_eq!(found, expected, "in {}", $file);
            }
            assert_eq!(found.lines().count(), expected.lines().count(), "in {}", $file);
        }
    )*};
}

samples! {
    python = Python, "sample.py";
    javascript = JavaScript, "sample.js";
    typescript = TypeScript, "sample.ts";
    java = Java, "sample.java";
    go = Go, "sample.go";
    rust = Rust, "sample.rs";
    c = C, "sample.c";
    cpp = Cpp, "sample.cpp";
    bash = Bash, "sample.sh";
}

#[test]
#[ignore = "prints"]
fn print() {
    for (language, file) in [
        (Language::Python, "py"),
        (Language::JavaScript, "js"),
        (Language::TypeScript, "ts"),
        (Language::Java, "java"),
        (Language::Go, "go"),
        (Language::Rust, "rs"),
        (Language::C, "c"),
        (Language::Cpp, "cpp"),
        (Language::Bash, "sh"),
    ] {
        let path = format!("src/code/symbols/samples/sample.{file}");
        let text = std::fs::read(&path).unwrap();
        std::fs::write(format!("{path}.txt"), told(language, &text)).unwrap();
    }
}
