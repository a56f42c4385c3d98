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
            let found = told(Language::$language, include_bytes!(concat!("../../../../tests/fixtures/symbols/", $file)));
            let expected = include_str!(concat!("../../../../tests/fixtures/symbols/", $file, ".txt"));
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
fn other_languages_give_their_definitions_and_imports() {
    for (language, text, expected) in [
        (Language::CSharp, "using A.B;\nclass C : D { void M() { N(); } }", "C M N"),
        (Language::Ruby, "require 'a'\nclass B < C\n  def d; e(1); end\nend", "B d e"),
        (Language::Php, "<?php use A\\B as C; function f() { g(); }", "f g"),
        (Language::Kotlin, "import a.b.C as D\nclass E { fun f() { g() } }", "E f g"),
        (Language::Swift, "import A\nstruct B { func c() { d() } }", "B c d"),
        (Language::Scala, "import a.{B, C}\nobject D { def e() = f(1) }", "D e f"),
    ] {
        if language.grammar().is_none() {
            continue;
        }
        let found = told(language, text.as_bytes());
        assert!(found.contains("import"), "{}: {found}", language.name());
        for name in expected.split(' ') {
            assert!(found.contains(&format!(" {name}")), "{}: no {name} in {found}", language.name());
        }
    }
}

#[test]
fn a_namespace_import_of_text_is_taken_apart() {
    if Language::Scala.grammar().is_some() {
        let found = told(Language::Scala, b"import a.b.{C, D => E}\nimport x._\n");
        assert!(found.contains("name C from a.b") && found.contains("name D from a.b as E"), "{found}");
        assert!(found.contains("wildcard * from x"), "{found}");
    }
}
