use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::rules::Rules;
use super::search::{Hit, search};
use crate::base::cancel::CancelToken;
use crate::code::language::Language;
use crate::code::parse::Reader;
use crate::error::Result;

/// The languages of a default build, which alone have fixtures.
const LANGUAGES: &[Language] = &[
    Language::Python,
    Language::JavaScript,
    Language::TypeScript,
    Language::Tsx,
    Language::Java,
    Language::Go,
    Language::Rust,
    Language::C,
    Language::Cpp,
    Language::Bash,
];

/// A fixture: its text without marks, and what the marks say.
#[derive(Debug, Default)]
struct Fixture {
    path: String,
    text: String,
    /// Line and rule of every finding that must be there.
    expected: Vec<(u64, String)>,
    /// Line and rule of every place that comes near and is none.
    fine: Vec<(u64, String)>,
}

impl Fixture {
    /// Reads marks of the form `// expect: rule, rule`, `fine: rule`, `times: n` (the line stands n
    /// times) and `path: p` (what the file is called; else `src/fixture`).
    fn read(text: &str, extension: &str) -> Fixture {
        let mut fixture = Fixture { path: format!("src/fixture.{extension}"), ..Fixture::default() };
        let mut line_number = 0;
        for line in text.lines() {
            let mark = ["expect:", "fine:", "times:", "path:"]
                .iter()
                .filter_map(|word| line.rfind(&format!(" {word} ")).map(|at| (at, *word)))
                .max();
            let (code, values, word) = match mark {
                None => (line, "", ""),
                Some((at, word)) => {
                    let code = line[..at].trim_end().trim_end_matches(['/', '#']).trim_end();
                    (code, line[at + 1 + word.len()..].trim(), word)
                }
            };
            let times = if word == "times:" { values.parse().unwrap() } else { 1 };
            for _ in 0..times {
                line_number += 1;
                // A key of a known shape must not stand in a file of this repository.
                fixture.text.push_str(&code.replace("{key}", &format!("AKIA{}", "QYLPMN5HFIQR7XYA")));
                fixture.text.push('\n');
            }
            let rules = values.split(", ").map(|rule| (line_number, rule.to_owned()));
            match word {
                "expect:" => fixture.expected.extend(rules),
                "fine:" => fixture.fine.extend(rules),
                "path:" => values.clone_into(&mut fixture.path),
                _ => {}
            }
        }
        fixture
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/patterns")
}

/// The fixture of a rule for a language: its own, or that of the language that it grew out of.
fn fixture(rule: &str, language: Language) -> Option<Fixture> {
    let folders: &[&str] = match language {
        Language::Tsx => &["tsx", "typescript", "javascript"],
        Language::TypeScript => &["typescript", "javascript"],
        Language::Cpp => &["cpp", "c"],
        other => &[other.name()],
    };
    folders.iter().find_map(|folder| {
        let files = std::fs::read_dir(fixtures().join(folder)).ok()?;
        let file = files
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .find(|path| path.file_stem().is_some_and(|stem| stem == rule))?;
        let extension = file.extension()?.to_str()?;
        Some(Fixture::read(&std::fs::read_to_string(&file).ok()?, extension))
    })
}

fn hits(rules: &Rules, language: Language, text: &str) -> Result<Vec<Hit>> {
    let cancel = CancelToken::new();
    let parsed = Reader::default().parse(language, text.as_bytes(), &cancel)?;
    search(&parsed, rules, &cancel)
}

#[test]
fn every_rule_finds_what_it_must_and_nothing_else() {
    let rules = Rules::built_in();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for rule in rules.list() {
        for &language in rule.languages.iter().filter(|language| LANGUAGES.contains(language)) {
            let place = format!("{} in {}", rule.id, language.title());
            let Some(fixture) = fixture(&rule.id, language) else {
                wrong.push(format!("{place}: no fixture"));
                continue;
            };
            seen += 1;
            let marked = |marks: &[(u64, String)]| marks.iter().any(|(_, id)| *id == rule.id);
            if !marked(&fixture.expected) {
                wrong.push(format!("{place}: nothing is expected"));
            }
            if !marked(&fixture.fine) {
                wrong.push(format!("{place}: nothing is fine"));
            }
            let mut found: Vec<(u64, String)> = hits(&rules, language, &fixture.text)
                .unwrap()
                .into_iter()
                .filter(|hit| rules.find(&hit.rule, language).unwrap().holds_in(&fixture.path))
                .map(|hit| (hit.line, hit.rule))
                .collect();
            found.sort();
            found.dedup();
            let mut expected = fixture.expected;
            expected.sort();
            if found != expected {
                let missing: Vec<_> = expected.iter().filter(|one| !found.contains(one)).collect();
                let extra: Vec<_> = found.iter().filter(|one| !expected.contains(one)).collect();
                wrong.push(format!("{place}: missing {missing:?}, too many {extra:?}"));
            }
        }
    }
    assert!(seen > 150, "only {seen} fixtures were read");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_rule_compiles_and_says_the_same_of_itself_everywhere() {
    let rules = Rules::built_in();
    let mut wrong = Vec::new();
    for &language in LANGUAGES {
        for part in &rules.set(language).unwrap().unwrap().parts {
            if let Err(error) = part.joined(&rules, language) {
                wrong.push(format!("{}: {error}", language.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    for rule in rules.list() {
        let text = format!(
            "{:?} {} {} {:?} {:?}",
            rule.severity, rule.reason, rule.action, rule.not_in, rule.only_in
        );
        assert_eq!(texts.entry(&rule.id).or_insert_with(|| text.clone()), &text, "{}", rule.id);
        assert!(rule.reason.ends_with('.') && rule.action.ends_with('.'), "{}", rule.id);
    }
}

#[test]
fn every_file_of_a_rule_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/code/patterns");
    let mut files = 0;
    for &language in LANGUAGES {
        let Ok(entries) = std::fs::read_dir(folder.join(language.name())) else { continue };
        for entry in entries {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            let path = format!("{}/{name}", language.name());
            let listed = super::builtin::FILES.iter().find(|(_, listed, _)| *listed == path);
            let (of, _, text) = listed.unwrap_or_else(|| panic!("{path} is not listed"));
            assert_eq!(*of, language, "{path}");
            assert!(text.starts_with(&format!("; id: {}\n", name.trim_end_matches(".scm"))), "{path}");
            files += 1;
        }
    }
    assert_eq!(files, super::builtin::FILES.len());
}

/// A folder of rules of one's own, gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, file: &str, text: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("barograph-rules-{name}-{}", std::process::id()));
        let file = folder.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        Folder(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const HEADER: &str = "; id: own\n; severity: major\n; reason: R.\n; action: A.\n\n";

#[test]
fn rules_of_ones_own_are_searched_by_and_replace_the_built_in_ones() {
    let query = "((call function: (identifier) @f) @finding (#eq? @f \"forbidden\"))";
    let folder = Folder::new("own", "python/own.scm", &format!("{HEADER}{query}"));
    let rules = Rules::with_folders(&[&folder.0]).unwrap();
    let found = hits(&rules, Language::Python, "def f(a=[]):\n    forbidden()\n").unwrap();
    let found: Vec<_> =
        found.iter().map(|hit| (hit.rule.as_str(), hit.line, hit.function.as_str())).collect();
    assert_eq!(found, [("mutable-default", 1, "f"), ("own", 2, "f")]);
    assert_ne!(rules.fingerprint(), Rules::built_in().fingerprint());
    let other = HEADER.replace("own", "mutable-default");
    let folder = Folder::new("other", "python/x.scm", &format!("{other}{query}"));
    let rules = Rules::with_folders(&[&folder.0]).unwrap();
    let found = hits(&rules, Language::Python, "def f(a=[]):\n    forbidden()\n").unwrap();
    assert_eq!(found.iter().map(|hit| hit.line).collect::<Vec<_>>(), [2]);
}

#[test]
fn broken_rules_are_refused_with_file_line_and_what_is_wrong() {
    let cases = [
        ("(no_such_node) @finding", "line 6", "no node"),
        ("(call nothing: (_)) @finding", "line 6", "no field"),
        ("(call) @other", "line 6", "@finding"),
        ("(call) @finding\n(call (", "line ", "syntax"),
        ("((call) @finding (#wild? @finding))", "line 6", "#wild?"),
        ("((call) @finding (#nested-in? @finding))", "line 6", "names no kind"),
        ("((call) @finding (#count-over? @finding \"x\"))", "line 6", "no number"),
        ("((call) @finding (#match? @finding \"(\"))", "line ", "regex"),
        ("; nothing else", "line 1", "no pattern"),
    ];
    for (at, (query, line, what)) in cases.iter().enumerate() {
        let folder = Folder::new(&format!("broken-{at}"), "python/own.scm", &format!("{HEADER}{query}\n"));
        let error = Rules::with_folders(&[&folder.0]).unwrap_err();
        assert_eq!(error.code(), "rule.invalid", "{query}");
        let text = error.message();
        assert!(text.contains("own.scm") && text.contains(line) && text.contains(what), "{query}: {text}");
    }
    for (header, what) in [
        ("; id: own\n; severity: huge\n", "`huge` is no severity"),
        ("; id: own\n; severity: major\n; reason: R.\n", "lacks `action`"),
        ("; id: own\n; colour: red\n", "no member `colour`"),
    ] {
        let folder = Folder::new("header", "python/own.scm", header);
        let error = Rules::with_folders(&[&folder.0]).unwrap_err();
        assert!(error.message().contains(what), "{error}");
    }
    let folder = Folder::new("klingon", "klingon/own.scm", HEADER);
    assert!(Rules::with_folders(&[&folder.0]).unwrap_err().message().contains("klingon"));
    assert_eq!(Rules::with_folders(&["/no/such/folder"]).unwrap_err().code(), "rule.invalid");
}

#[test]
fn a_rule_that_explodes_is_named() {
    let query = "(list (_)* @a (_)* @b (_)* @c (_)* @d (_)* @e) @finding";
    let folder = Folder::new("slow", "python/own.scm", &format!("{HEADER}{query}\n"));
    let rules = Rules::with_folders(&[&folder.0]).unwrap();
    let text = format!("a = [{}]\n", "x, ".repeat(600));
    let error = hits(&rules, Language::Python, &text).unwrap_err();
    assert_eq!(error.code(), "rule.too_slow", "{error}");
    assert!(error.message().contains("`own`"), "{error}");
}

#[test]
fn deep_and_broken_texts_are_searched_too() {
    let rules = Rules::built_in();
    for &language in LANGUAGES {
        let deep = format!("{}{}", "(".repeat(5_000), ")".repeat(5_000));
        for text in [deep.as_str(), "", "\u{feff}", "((((", "\0\0", "if (a == a) { if (b == b"] {
            hits(&rules, language, text).unwrap();
        }
        let bytes = [b'"', 0xff, 0xfe, b'"', b'\n', b'/', b'/', 0x80];
        let cancel = CancelToken::new();
        let parsed = Reader::default().parse(language, &bytes, &cancel).unwrap();
        search(&parsed, &rules, &cancel).unwrap();
    }
}

#[test]
fn a_cancelled_search_stops() {
    let cancel = CancelToken::new();
    let text = "a = b\n".repeat(10_000);
    let parsed = Reader::default().parse(Language::Python, text.as_bytes(), &cancel).unwrap();
    cancel.cancel();
    assert_eq!(search(&parsed, &Rules::built_in(), &cancel).unwrap_err().code(), "call.cancelled");
}
