//! What the metrics come to: hand-worked cases, counts, damaged and hostile texts.

use super::*;
use crate::code::language::Language;
use crate::code::parse::Reader;

#[derive(serde::Deserialize)]
struct Case {
    case: String,
    lang: String,
    cyclomatic: Option<u64>,
    cognitive: u64,
    code: String,
}

fn language(short: &str) -> Language {
    match short {
        "py" => Language::Python,
        "js" => Language::JavaScript,
        "ts" => Language::TypeScript,
        "rs" => Language::Rust,
        other => Language::of_name(other).unwrap(),
    }
}

fn measured(language: Language, code: &str) -> FileMetrics {
    let cancel = CancelToken::new();
    let parsed = Reader::default().parse(language, code.as_bytes(), &cancel).unwrap();
    measure(&parsed, &cancel).unwrap()
}

fn wrong(text: &str) -> Vec<String> {
    let cases: Vec<Case> = serde_json::from_str(text).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let language = language(&case.lang);
        if language.grammar().is_none() {
            continue;
        }
        let file = measured(language, &case.code);
        let found = file.functions.iter().find(|function| function.name == "f");
        let found = found.map(|f| (f.cyclomatic, f.cognitive));
        let fits = found.is_some_and(|(cyclomatic, cognitive)| {
            case.cyclomatic.is_none_or(|expected| expected == cyclomatic) && cognitive == case.cognitive
        });
        if !fits || file.parse_errors > 0 {
            let expected = (case.cyclomatic, case.cognitive);
            let errors = file.parse_errors;
            wrong.push(format!(
                "{} in {}: {found:?}, not {expected:?}; {errors} errors",
                case.case, case.lang
            ));
        }
    }
    wrong
}

#[test]
fn hand_worked_cases_come_out_to_the_unit() {
    let wrong = wrong(include_str!("../../../../tests/fixtures/metrics/cognitive_cases.json"));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_case_comes_out_in_every_language() {
    let wrong = wrong(include_str!("../../../../tests/fixtures/metrics/more_cases.json"));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn function(file: &FileMetrics, name: &str) -> FunctionMetrics {
    file.functions
        .iter()
        .find(|function| function.name == name)
        .cloned()
        .unwrap_or_else(|| panic!("{file:#?}"))
}

#[test]
fn own_and_nested_are_told_apart() {
    let code = "def f(a):\n    if a:\n        pass\n    def g(b):\n        for c in b:\n            if c:\n                return 1\n    return g(a)\n";
    let file = measured(Language::Python, code);
    let (f, g) = (function(&file, "f"), function(&file, "g"));
    assert_eq!((f.cyclomatic, f.cyclomatic_with_nested), (2, 5));
    // In `f` the loop is one level deeper (2), and the `if` in it two (3).
    assert_eq!((f.cognitive_own, f.cognitive), (1, 6));
    assert_eq!((g.cyclomatic, g.cognitive, g.nesting), (3, 3, 2));
    assert_eq!((file.cyclomatic, file.cognitive), (6, 6));
    assert_eq!(g.qualified, "f.g");
    assert_eq!((f.exits, g.exits, f.parameters), (1, 1, 1));
}

#[test]
fn lines_are_counted_by_what_stands_on_them() {
    let code = "import os\n\n# note\ndef f():\n    \"\"\"Says\n\n    what.\"\"\"\n    x = \"\"\"a\nb\"\"\"  # two\n\n    return x\n";
    let file = measured(Language::Python, code);
    let counts = |lines: Lines| (lines.total, lines.code, lines.comment, lines.blank);
    assert_eq!(counts(file.lines), (11, 5, 4, 3));
    assert_eq!(counts(function(&file, "f").lines), (8, 4, 3, 2));
    assert_eq!(function(&file, "f").lines.logical, 3);
    let cancel = CancelToken::new();
    let parsed = Reader::default().parse(Language::Python, code.as_bytes(), &cancel).unwrap();
    use LineClass::{Blank, Code, Comment, Import};
    let classes = [Import, Blank, Comment, Code, Comment, Blank, Comment, Code, Code, Blank, Code];
    assert_eq!(line_classes(&parsed), classes);
}

#[test]
fn halstead_counts_what_the_book_counts() {
    // Operators: function ( , { return + ; operands: f a b (twice each parameter).
    let file = measured(Language::JavaScript, "function f(a, b) { return a + b; }");
    let halstead = function(&file, "f").halstead;
    assert_eq!((halstead.distinct_operators, halstead.distinct_operands), (7, 3));
    assert_eq!((halstead.operators, halstead.operands), (7, 5));
    assert!((halstead.volume - 12.0 * libm::log2(10.0)).abs() < 1e-9);
    assert!((halstead.difficulty - 3.5 * 5.0 / 3.0).abs() < 1e-9);
}

#[test]
fn an_identity_survives_moves_layout_and_comments() {
    let plain = measured(Language::Java, "class X { int f(int a) { if (a > 0) { return 1; } return 0; } }");
    let moved = measured(
        Language::Java,
        "class Y {\n  int g() { return 2; }\n\n  int h(int a) {\n    // why\n    if (a > 0) {\n\n      return 1;\n    }\n    return 0;\n  }\n}\n",
    );
    assert_eq!(function(&plain, "f").identity, function(&moved, "h").identity);
    assert_ne!(function(&plain, "f").identity, function(&moved, "g").identity);
    assert_eq!(function(&plain, "f").identity.len(), 16);
    // In Python layout alone says what belongs together.
    let one = measured(Language::Python, "def f(a):\n    if a:\n        b()\n        c()\n");
    let deeper =
        measured(Language::Python, "class X:\n  def f(a):\n      if a:\n          b()\n          c()\n");
    let other = measured(Language::Python, "def f(a):\n    if a:\n        b()\n    c()\n");
    assert_eq!(function(&one, "f").identity, function(&deeper, "f").identity);
    assert_ne!(function(&one, "f").identity, function(&other, "f").identity);
}

#[test]
fn names_come_from_what_a_function_is_bound_to() {
    let names = |language, code| -> Vec<String> {
        measured(language, code).functions.into_iter().map(|function| function.qualified).collect()
    };
    assert_eq!(
        names(
            Language::JavaScript,
            "const a = () => 1; b.c = function () {}; ({ d: x => x, e() {} }); go(() => 2);"
        ),
        ["a", "c", "d", "e", "(anonymous)"]
    );
    assert_eq!(
        names(Language::Python, "class A:\n    def b(self):\n        c = lambda: 1\nd = lambda: 2\n"),
        ["A.b", "d"]
    );
    assert_eq!(
        names(Language::Go, "package x\nfunc (s *S[T]) f() { g := func() {}; g() }\n"),
        ["S.f", "S.f.g"]
    );
    assert_eq!(
        names(Language::Rust, "impl<T> Of for Some<T> { fn f(&self) { let g = |x| x; } }"),
        ["Some.f", "Some.f.g"]
    );
    assert_eq!(names(Language::C, "static int *f(int a, void (*g)(int)) { return 0; }"), ["f"]);
    assert_eq!(names(Language::Cpp, "int A::f() const { return 0; }\nint &g() { }"), ["A.f", "g"]);
}

#[test]
fn parameters_are_counted_as_they_are_declared() {
    let count = |language, code| function(&measured(language, code), "f").parameters;
    assert_eq!(count(Language::Python, "def f(self, a, /, b=1, *, c, **d): pass"), 5);
    assert_eq!(count(Language::JavaScript, "const f = a => a;"), 1);
    assert_eq!(count(Language::TypeScript, "function f(a: number, b?: string, ...c: any[]) {}"), 3);
    assert_eq!(count(Language::Java, "class X { void f(int a, /* no */ String... b) {} }"), 2);
    assert_eq!(count(Language::Go, "package x\nfunc (r *R) f(a, b int, c ...string) {}\n"), 3);
    assert_eq!(count(Language::Rust, "impl S { fn f(&self, a: i64) {} }"), 2);
    assert_eq!(count(Language::C, "int f(void) { return 0; }"), 0);
    assert_eq!(count(Language::C, "int *f(const int k[8], void (*g)(int, int)) { return 0; }"), 2);
}

#[test]
fn classes_have_their_methods_and_fields() {
    let class = |language, code| {
        let file = measured(language, code);
        let class = file.classes.first().cloned().unwrap_or_else(|| panic!("{file:#?}"));
        (class.name, class.methods, class.fields, class.weighted_methods, class.cognitive)
    };
    let found = class(
        Language::Java,
        "class A { int a, b; String c; int f() { if (a > 0) { return 1; } return 0; } void g() {} }",
    );
    assert_eq!(found, ("A".into(), 2, 3, 3, 1));
    let found = class(Language::Go, "package x\ntype A struct {\n\tb, c int\n}\nfunc (a *A) f() {}\n");
    assert_eq!(found, ("A".into(), 1, 2, 1, 0));
    let found = class(Language::TypeScript, "class A { b = 1; c: string; d() {} e = () => 2; }");
    assert_eq!(found, ("A".into(), 2, 3, 2, 0));
    let found =
        class(Language::Python, "class A:\n    b = 1\n    c: int = 2\n    def d(self):\n        e = 3\n");
    assert_eq!(found, ("A".into(), 1, 2, 1, 0));
}

#[test]
fn damage_is_counted_and_the_rest_measured() {
    let file = measured(
        Language::Java,
        "class X { int f(int a) { if (a > 0) { return 1; } return 0; } int g( { ) @@@ } }",
    );
    assert!(file.parse_errors > 0 && file.damaged_bytes > 0, "{file:?}");
    assert_eq!(function(&file, "f").cyclomatic, 2);
    let whole = measured(Language::Java, "class X { }");
    assert_eq!((whole.parse_errors, whole.damaged_bytes), (0, 0));
}

#[test]
fn hostile_texts_neither_overflow_nor_panic() {
    let deep = |open: &str, middle: &str, close: &str, times: usize| {
        format!("{}{middle}{}", open.repeat(times), close.repeat(times))
    };
    let texts = [
        deep("(", "1", ")", 100_000),
        deep("[", "", "]", 20_000),
        deep("{", "", "}", 20_000),
        deep("f(() => ", "1", ")", 1_000),
        "(".repeat(20_000),
        "if (a) { ".repeat(1_000),
        "a && b || ".repeat(1_000),
        "x = 1 ; ".repeat(1_000),
        "\0".repeat(1_000),
        "class A { int f() { ".repeat(1_000),
        "\"\n'\\".repeat(1_000),
        String::new(),
        "\u{feff}".into(),
    ];
    let cancel = CancelToken::new();
    let mut reader = Reader::default();
    for language in Language::all().filter(|language| language.grammar().is_some()) {
        for text in &texts {
            // Some grammars need long for what is no program at all; that is an answer too.
            if let Ok(parsed) = reader.parse(language, text.as_bytes(), &cancel) {
                let file = measure(&parsed, &cancel).unwrap();
                assert_eq!(file.bytes, text.len() as u64);
            }
        }
        let invalid: Vec<u8> = (0..=255).cycle().take(4_000).collect();
        let parsed = reader.parse(language, &invalid, &cancel).unwrap();
        measure(&parsed, &cancel).unwrap();
    }
}

#[test]
fn a_cancelled_call_stops() {
    let text = "x = 1\n".repeat(50_000);
    let parsed = Reader::default().parse(Language::Python, text.as_bytes(), &CancelToken::new()).unwrap();
    let cancel = CancelToken::new();
    cancel.cancel();
    assert!(measure(&parsed, &cancel).is_err());
}
