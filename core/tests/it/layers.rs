//! The house stays a house: data goes up, and each thing from outside comes in by one door.
//!
//! Reads the sources of `core/src` and fails on an import against the direction of ARCHITECTURE.md,
//! and on SQL, processes, repositories, the environment, printing, clock or randomness out of place.

use std::collections::BTreeSet;
use std::path::Path;

/// A part and the parts directly below it; it may also import everything that those may.
const LAYERS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("base", &["error"]),
    ("config", &["base"]),
    ("observe", &["config"]),
    ("store", &["observe"]),
    ("exec", &["store"]),
    ("session", &["exec"]),
    ("evidence", &["error", "base"]),
    ("code", &["evidence"]),
    ("git", &["code"]),
    ("predict", &["git"]),
    ("risk", &["predict"]),
    ("trend", &["store"]),
    ("pipeline", &["session", "risk"]),
    ("report", &["pipeline", "trend"]),
    ("workspace", &["report"]),
    ("surface", &["workspace"]),
];

/// What may be named only below one folder or file of `core/src` (empty: nowhere), and why.
const PLACES: &[(&[&str], &str, &str)] = &[
    (&["rusqlite", "tokio_postgres"], "store/", "only store knows SQL"),
    (&["process::Command", "Command::new"], "exec/process", "only exec::process starts processes"),
    (&["gix::", "use gix"], "git/", "only git opens repositories"),
    (&["std::env", "env::var", "env::args", "env::vars"], "config/", "only config reads the environment"),
    (&["println!", "eprintln!", "print!", "eprint!", "dbg!"], "", "nothing prints"),
    (
        // Instants measure waits and never reach an answer.
        &["SystemTime::now", "Timestamp::now", "Zoned::now", "getrandom", "rand::"],
        "base/",
        "only base reads the wall clock and asks for randomness",
    ),
];

fn allowed(part: &str) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut open = vec![part];
    while let Some(next) = open.pop() {
        for (_, below) in LAYERS.iter().filter(|(name, _)| *name == next) {
            for &name in *below {
                if found.insert(name) {
                    open.push(name);
                }
            }
        }
    }
    found
}

/// The source with comments and the contents of texts blanked; lines stay where they are.
fn code_only(source: &str) -> String {
    let letters: Vec<char> = source.chars().collect();
    let at = |place: usize| letters.get(place).copied().unwrap_or('\0');
    let mut out = String::with_capacity(source.len());
    let mut place = 0;
    let keep_lines = |out: &mut String, from: usize, to: usize| {
        out.extend(letters[from..to.min(letters.len())].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
    };
    while place < letters.len() {
        let from = place;
        let word_before = place > 0 && (at(place - 1).is_alphanumeric() || at(place - 1) == '_');
        if at(place) == '/' && at(place + 1) == '/' {
            while place < letters.len() && at(place) != '\n' {
                place += 1;
            }
        } else if at(place) == '/' && at(place + 1) == '*' {
            let mut depth = 0;
            loop {
                match (at(place), at(place + 1)) {
                    ('/', '*') => (depth, place) = (depth + 1, place + 2),
                    ('*', '/') => (depth, place) = (depth - 1, place + 2),
                    _ => place += 1,
                }
                if depth == 0 || place >= letters.len() {
                    break;
                }
            }
        } else if at(place) == 'r' && !word_before && matches!(at(place + 1), '"' | '#') {
            let hashes = letters[place + 1..].iter().take_while(|&&c| c == '#').count();
            if at(place + 1 + hashes) != '"' {
                out.push(at(place)); // a raw identifier
                place += 1;
                continue;
            }
            place += hashes + 2;
            while place < letters.len()
                && !(at(place) == '"' && (1..=hashes).all(|ahead| at(place + ahead) == '#'))
            {
                place += 1;
            }
            place += hashes + 1;
        } else if at(place) == '"' {
            place += 1;
            while place < letters.len() && at(place) != '"' {
                place += if at(place) == '\\' { 2 } else { 1 };
            }
            place += 1;
        } else if at(place) == '\'' && (at(place + 1) == '\\' || at(place + 2) == '\'') {
            place += if at(place + 1) == '\\' { 3 } else { 2 };
            while place < letters.len() && at(place) != '\'' {
                place += 1;
            }
            place += 1;
        } else {
            out.push(at(place));
            place += 1;
            continue;
        }
        keep_lines(&mut out, from, place);
    }
    out
}

/// The first names behind every `crate::` in `code`, each with its line: `crate::{a::X, b}` gives a and b.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        if code[..start].ends_with('$') || code[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_')
        {
            continue;
        }
        let line = code[..start].matches('\n').count() + 1;
        let rest = code[start + "crate::".len()..].trim_start();
        let word = |text: &str| -> String {
            text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
        };
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for letter in list.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.push((line, word(&std::mem::take(&mut item)))),
                    _ if depth == 0 => item.push(letter),
                    _ => {}
                }
            }
            found.push((line, word(&item)));
        } else {
            found.push((line, word(rest)));
        }
    }
    found.retain(|(_, name)| !name.is_empty());
    found
}

/// Every breach of the rules in one file of `core/src`.
fn breaches(path: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let code = code_only(source);
    let part = path.split(['/', '.']).next().unwrap_or_default();
    // The crate's front re-exports and repeats what stands behind it; it has no part of its own.
    if !matches!(part, "lib" | "blocking") {
        let allowed = allowed(part);
        if !LAYERS.iter().any(|(name, _)| *name == part) {
            found.push(format!(
                "{path}: `{part}` is no part of the house; add it to LAYERS and ARCHITECTURE.md"
            ));
        }
        for (line, name) in imports(&code) {
            if name != part && !allowed.contains(name.as_str()) {
                found.push(format!("{path}:{line}: `{part}` must not import `crate::{name}`"));
            }
        }
        // `super::super::other` leaves the part without naming the crate.
        let depth = path.matches('/').count() + usize::from(!path.ends_with("mod.rs"));
        let inner = code.find("\nmod tests").map_or(code.len(), |place| place);
        for (text, depth, offset) in [(&code[..inner], depth, 0), (&code[inner..], depth + 1, inner)] {
            if let Some(place) = text.find(&"super::".repeat(depth.max(1))) {
                let line = code[..offset + place].matches('\n').count() + 1;
                found.push(format!("{path}:{line}: climbs out of `{part}`; name the crate's module instead"));
            }
        }
    }
    // Unit tests may make folders, run git and write what they please.
    let shipped = match path.ends_with("/tests.rs") {
        true => "",
        false => code.find("#[cfg(test)]\nmod ").map_or(code.as_str(), |end| &code[..end]),
    };
    for (words, home, rule) in PLACES {
        if !home.is_empty() && path.starts_with(home) {
            continue;
        }
        for word in *words {
            for (place, _) in shipped.match_indices(word) {
                if shipped[..place].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
                    continue;
                }
                let line = shipped[..place].matches('\n').count() + 1;
                found.push(format!("{path}:{line}: `{word}`: {rule}"));
            }
        }
    }
    found
}

fn visit(folder: &Path, root: &Path, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, root, files);
        } else if path.extension().is_some_and(|end| end == "rs") && !is_test(&path) {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Whether the folder's `mod.rs` takes the file in for tests only.
fn is_test(path: &Path) -> bool {
    let declared = format!("#[cfg(test)]\nmod {};", path.file_stem().unwrap().to_str().unwrap());
    std::fs::read_to_string(path.with_file_name("mod.rs")).is_ok_and(|parent| parent.contains(&declared))
}

#[test]
fn data_goes_up_and_nothing_runs_back_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    visit(&root, &root, &mut files);
    assert!(files.len() > 30, "only {} files were read", files.len());
    let read: usize = files.iter().map(|(_, source)| imports(&code_only(source)).len()).sum();
    assert!(read > 30, "only {read} imports were seen");
    files.sort();
    let found: Vec<String> = files.iter().flat_map(|(path, source)| breaches(path, source)).collect();
    assert!(found.is_empty(), "{} breaches:\n{}", found.len(), found.join("\n"));
}

#[test]
fn the_layering_test_can_fail() {
    let bad = [
        ("git/x.rs", "use crate::store::Store;", "must not import `crate::store`"),
        (
            "store/x.rs",
            "use crate::{\n    error::{Error, Result},\n    session,\n};",
            "must not import `crate::session`",
        ),
        ("exec/x.rs", "fn f() { crate::risk::go() }", "must not import `crate::risk`"),
        ("risk/x.rs", "pub(crate) fn f(_: crate::exec::Task) {}", "must not import `crate::exec`"),
        ("base/x.rs", "use crate::Workspace;", "must not import `crate::Workspace`"),
        ("session/record.rs", "use super::super::git::record;", "climbs out of `session`"),
        ("session/mod.rs", "use super::git::record;", "climbs out of `session`"),
        ("attic/mod.rs", "", "no part of the house"),
        ("workspace/x.rs", "use rusqlite::Connection;", "only store knows SQL"),
        ("git/x.rs", "std::process::Command::new(\"git\")", "only exec::process starts processes"),
        ("workspace/x.rs", "use gix::Repository;", "only git opens repositories"),
        ("store/x.rs", "let home = std::env::var(\"HOME\");", "only config reads the environment"),
        ("git/x.rs", "fn f() { println!(\"x\") }", "nothing prints"),
        ("exec/x.rs", "let now = SystemTime::now();", "only base reads the wall clock"),
        (
            "store/x.rs",
            "getrandom::fill(&mut bytes)",
            "only base reads the wall clock and asks for randomness",
        ),
    ];
    for (path, source, expected) in bad {
        let found = breaches(path, source);
        assert!(found.iter().any(|text| text.contains(expected)), "{path}: {source}: {found:?}");
    }
    let good = [
        ("risk/x.rs", "use crate::git::record::HistorySpan;\nuse crate::{base::cancel, error::Result};"),
        ("exec/x.rs", "// use crate::risk;\n/* crate::git */ const A: &str = \"crate::risk println!\";"),
        (
            "git/x.rs",
            "const A: &str = r#\"crate::store \"quoted\" gix::x\"#; const B: char = '\"'; use gix::Repository;",
        ),
        (
            "store/x.rs",
            "fn f<'a>(x: &'a str) {}\n#[cfg(test)]\nmod tests { use super::*; fn g() { println!(\"x\") } }",
        ),
        ("git/tests.rs", "fn git() { std::process::Command::new(\"git\"); }"),
        ("workspace/x.rs", "env!(\"CARGO_PKG_VERSION\"); use super::record::OpenArgs;"),
    ];
    for (path, source) in good {
        assert_eq!(breaches(path, source), Vec::<String>::new(), "{path}: {source}");
    }
}
