//! Hostile text: whatever a file holds, every reader of code gives a result or a typed error, in time.
//!
//! Texts are made from the samples of every language by cutting, splicing, flipping and repeating, from
//! a seed. As it stands this takes seconds; for a long run:
//!
//! ```text
//! BAROGRAPH_FUZZ_SECONDS=3600 BAROGRAPH_FUZZ_SEED=7 cargo test --release -p barograph --test it hostile_code -- --nocapture
//! ```
//!
//! A failure names the seed of its text; a process that dies leaves the text in the folder that it printed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use barograph::{
    CodeClonesArgs, CodeMetricsArgs, CodePatternsArgs, CodeSymbolsArgs, Kind, Workspace, blocking::wait,
};

use crate::support::{Folder, in_memory};

/// Ten times what one reader is allowed for one file.
const TOO_LONG: Duration = Duration::from_secs(300);

/// As many as break a reader that calls itself once for each level.
const DEEP: usize = 100_000;

/// The ending of each language, the sample that it starts from, and what it nests by.
const LANGUAGES: &[(&str, &str, &[&str])] = &[
    ("py", "sample.py", &["(", "[", "{", "f(", "-", "not ", "lambda:", "a if ", "x.", "f'{"]),
    ("js", "sample.js", &["(", "[", "{", "f(", "!", "()=>", "a?", "`${", "<a>", "if(x)", "class{a=", "x."]),
    ("ts", "sample.ts", &["(", "[", "{", "type A<", "A<", "let a:(", "a as ", "namespace a{", "!"]),
    ("tsx", "sample.js", &["(", "{", "<a>", "<A b={"]),
    ("java", "sample.java", &["(", "[", "{", "f(", "class A{", "if(x)", "A<", "-", "new A(){", "x."]),
    ("go", "sample.go", &["(", "[", "{", "func(){", "if x{", "*", "[]", "struct{", "f(", "x."]),
    ("rs", "sample.rs", &["(", "[", "{", "mod a{", "A<", "&", "use a::{", "|x|", "m!(", "if x{", "x.", "/*"]),
    ("c", "sample.c", &["(", "[", "{", "*", "f(", "if(x)", "struct a{", "#if a\n", "-", "x."]),
    (
        "cpp",
        "sample.cpp",
        &["(", "[", "{", "namespace a{", "A<", "[]{", "a::", "template<", "class A{", "R\"("],
    ),
    ("sh", "sample.sh", &["(", "{ ", "$(", "\"$(", "`", "if x;then ", "((", "[[ ", "<<a ", "${x:-"]),
    ("ipynb", "", &["[", "{\"cells\":", "{\"a\":["]),
];

/// Numbers from a seed (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/symbols");
    let notebook =
        br##"{"cells":[{"cell_type":"code","source":["import os\n","def f(a=[]):\n","  return a"]},
        {"cell_type":"markdown","source":"# x"}],"metadata":{"kernelspec":{"language":"python"}}}"##;
    LANGUAGES
        .iter()
        .map(|(end, file, _)| match *file {
            "" => (*end, notebook.to_vec()),
            file => (*end, std::fs::read(folder.join(file)).unwrap()),
        })
        .collect()
}

/// A text made from the samples, the same for the same seed.
fn mutant(seed: u64, samples: &[(&'static str, Vec<u8>)]) -> (&'static str, Vec<u8>) {
    let mut random = Random(seed);
    let (end, sample) = &samples[random.below(samples.len())];
    let mut text = sample.clone();
    const PIECES: &[&[u8]] = &[
        b"\0",
        b"\xff\xfe",
        b"\xf0\x9f\x92",
        b"\r",
        b"\r\n",
        b"\"",
        b"'",
        b"`",
        b"\\",
        b"/*",
        b"*/",
        b"//",
        b"#",
        b"<<EOF\n",
        b"${",
        b"}}}}",
        b"((((",
        b"'''",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
        b"\x1a",
        b"@",
        b"::",
        b"=>",
        b"\n\n\n",
        b"\t",
        b"->",
        b";;",
    ];
    for _ in 0..1 + random.below(8) {
        let length = text.len();
        let at = random.below(length + 1);
        let stop = (at + random.below(200)).min(length);
        match random.below(9) {
            0 => text.truncate(at),
            1 => drop(text.drain(at..stop)),
            2 => {
                for _ in 0..1 + random.below(8) {
                    let length = text.len();
                    if let Some(byte) = text.get_mut(random.below(length)) {
                        *byte ^= 1 << random.below(8);
                    }
                }
            }
            3 => {
                // A part again, in the same place, some of them often.
                let part = text[at..stop].repeat(1 + random.below(40));
                text.splice(at..at, part);
            }
            4 => {
                let piece = PIECES[random.below(PIECES.len())];
                let most = if random.below(20) == 0 { 5000 } else { 3 };
                let times = 1 + random.below(most);
                text.splice(at..at, piece.repeat(times));
            }
            5 => {
                let (_, other) = &samples[random.below(samples.len())];
                let from = random.below(other.len());
                let to = (from + random.below(400)).min(other.len());
                text.splice(at..stop, other[from..to].iter().copied());
            }
            6 => {
                let (_, _, nests) = LANGUAGES[random.below(LANGUAGES.len())];
                let opening = nests[random.below(nests.len())].as_bytes().repeat(1 + random.below(300));
                text.splice(at..at, opening);
            }
            7 => text.retain(|byte| *byte != b'\n'),
            _ => {
                let noise: Vec<u8> = (0..random.below(60)).map(|_| random.next() as u8).collect();
                text.splice(at..stop, noise);
            }
        }
    }
    text.truncate(1 << 20);
    (end, text)
}

/// Runs every reader over one file; `told` names the text where one of them fails.
fn read(ws: &Workspace, file: &Path, told: &str) {
    let paths = || vec![file.display().to_string()];
    let check = |what: &str, error: Option<barograph::Error>, took: Duration| {
        if let Some(error) = error {
            assert!(error.kind() != Kind::Internal, "{what} of {told} ({}): {error}", file.display());
        }
        assert!(took < TOO_LONG, "{what} of {told} ({}) took {took:?}", file.display());
    };
    let code = ws.code();
    let start = Instant::now();
    let metrics = wait(code.metrics(CodeMetricsArgs { paths: paths(), ..CodeMetricsArgs::default() }));
    check("metrics", metrics.and_then(|metrics| metrics.to_columns()).err(), start.elapsed());
    let start = Instant::now();
    let symbols = wait(code.symbols(CodeSymbolsArgs { paths: paths(), ..CodeSymbolsArgs::default() }));
    check("symbols", symbols.and_then(|symbols| symbols.to_columns()).err(), start.elapsed());
    let start = Instant::now();
    let patterns = wait(code.patterns(CodePatternsArgs { paths: paths(), ..CodePatternsArgs::default() }));
    check("patterns", patterns.and_then(|patterns| patterns.to_columns()).err(), start.elapsed());
    let start = Instant::now();
    let args = CodeClonesArgs { paths: paths(), min_tokens: 20, ..CodeClonesArgs::default() };
    let clones = wait(code.clones(args));
    check("clones", clones.and_then(|clones| clones.to_columns()).err(), start.elapsed());
}

fn write(folder: &Folder, name: &str, text: &[u8]) -> PathBuf {
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    file
}

/// How long the run may go on; none where nobody asked for a long one.
fn long() -> Option<Duration> {
    std::env::var("BAROGRAPH_FUZZ_SECONDS").ok()?.parse().ok().map(Duration::from_secs)
}

#[test]
fn damaged_text_gives_a_result_or_a_typed_error() {
    let samples = samples();
    let folder = Folder::new("hostile");
    let first = std::env::var("BAROGRAPH_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1u64);
    let start = Instant::now();
    let mut ws = in_memory();
    let mut count = 0u64;
    if long().is_some() {
        eprintln!("texts are written to {}", folder.path().display());
    }
    while long().map_or(count < 80, |long| start.elapsed() < long) {
        let seed = first.wrapping_add(count);
        let (end, text) = mutant(seed, &samples);
        let file = write(&folder, &format!("seed-{seed}.{end}"), &text);
        read(&ws, &file, &format!("seed {seed}"));
        std::fs::remove_file(file).unwrap();
        count += 1;
        if count.is_multiple_of(2000) {
            // Nothing that was read is read again: its cache goes with the workspace.
            ws = in_memory();
            eprintln!("{count} texts, {} s", start.elapsed().as_secs());
        }
    }
}

#[test]
fn nesting_of_any_depth_is_no_recursion() {
    let folder = Folder::new("deep");
    for (end, _, nests) in LANGUAGES {
        // The first kind of bracket always, the others in a long run.
        let kinds = if long().is_some() { nests.len() } else { 1 };
        for (kind, opening) in nests.iter().take(kinds).enumerate() {
            let ws = in_memory();
            // What is never closed, or ambiguous, costs the parser far more than its depth does.
            let depth = if long().is_some() { DEEP } else { DEEP / 20 };
            let plain = ["py", "js", "java", "go", "rs"].contains(end);
            let closed = if plain { DEEP } else { depth };
            let file = write(&folder, &format!("open-{kind}.{end}"), opening.repeat(depth).as_bytes());
            read(&ws, &file, &format!("{depth} times `{opening}`"));
            let closing: &str = match *opening {
                "(" => ")",
                "[" => "]",
                "{" => "}",
                _ => continue,
            };
            let text = format!("{}1{}\n", opening.repeat(closed), closing.repeat(closed));
            let file = write(&folder, &format!("closed-{kind}.{end}"), text.as_bytes());
            read(&ws, &file, &format!("{closed} times `{opening}{closing}`"));
        }
    }
}

#[test]
fn long_lines_and_bytes_that_are_no_text_are_read_or_refused() {
    let folder = Folder::new("long");
    let size = if long().is_some() { 12 << 20 } else { 1 << 14 };
    for (end, sample) in &samples() {
        let ws = in_memory();
        let line: Vec<u8> = sample.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }).collect();
        let texts = [
            ("line", line.repeat(size / line.len().max(1) + 1)),
            ("word", b"a".repeat(size)),
            ("list", b"a,".repeat(size / 2)),
            ("text", [&b"x = \""[..], &b"a\\\"".repeat(size / 3)].concat()),
            ("breaks", b"\n".repeat(size)),
            ("zeros", vec![0; size]),
            ("high", vec![0xff; size]),
            ("empty", Vec::new()),
        ];
        for (name, text) in texts {
            let file = write(&folder, &format!("{name}.{end}"), &text);
            read(&ws, &file, &format!("{name}.{end}"));
            std::fs::remove_file(file).unwrap();
        }
    }
    let ws = in_memory();
    let file = write(&folder, "huge.js", &vec![b' '; 33 << 20]);
    let args = CodeSymbolsArgs { paths: vec![file.display().to_string()], ..CodeSymbolsArgs::default() };
    let symbols = wait(ws.code().symbols(args)).unwrap();
    assert_eq!(symbols.files.len(), 0);
    assert_eq!(symbols.skipped[0].reason, barograph::SkipReason::Huge);
}

#[test]
fn the_same_seed_makes_the_same_text() {
    let samples = samples();
    for seed in 0..50 {
        assert_eq!(mutant(seed, &samples), mutant(seed, &samples));
    }
}
