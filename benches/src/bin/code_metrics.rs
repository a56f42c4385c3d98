//! What metrics cost beside the floor: reading, hashing, a bare parse and a walk over every node.
//!
//! ```text
//! cargo build --release -p barograph-benches --bin code-metrics
//! target/release/code-metrics [--rounds 5] FOLDER ...     a row per folder
//! target/release/code-metrics --functions PATH ...        CSV of every function, for comparisons
//! target/release/code-metrics --measure LIST              measures the files that LIST names, prints how many
//! ```
//!
//! Floor and metrics take turns every megabyte, on one thread, so that a busy machine is busy for
//! both. Times are those of the thread on the processor.

use std::path::{Path, PathBuf};

use barograph::CancelToken;
use barograph::reading::{Language, Reader, content_hash, measure, of_path};

const LARGEST: u64 = 4 << 20;
const SHARE: u64 = 1 << 20;

fn main() {
    let mut rounds = 5;
    let mut functions = false;
    let mut paths = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => rounds = arguments.next().and_then(|number| number.parse().ok()).unwrap_or(rounds),
            "--functions" => functions = true,
            "--measure" => {
                let listed = arguments.next().and_then(|list| std::fs::read_to_string(list).ok());
                let files: Vec<File> = listed
                    .unwrap_or_default()
                    .lines()
                    .flat_map(|path| files_below(Path::new(path)))
                    .collect();
                print(format!("{} files, {} functions", files.len(), ours(&files)));
                return;
            }
            _ => paths.push(PathBuf::from(argument)),
        }
    }
    if functions {
        print("path,language,function,line,end_line,cyclomatic,cyclomatic_with_nested,cognitive,cognitive_own,parameters,tokens,exits,code,logical,comment,blank,n1,n2,N1,N2,volume,maintainability,nesting".into());
    } else {
        print(format!(
            "{:10} {:>6} {:>8} {:>9} {:>9} {:>6} {:>9}",
            "folder", "files", "MB", "floor s", "ours s", "ratio", "functions"
        ));
    }
    for path in &paths {
        let files = files_below(path);
        if functions {
            list(&files);
        } else {
            compare(path, &files, rounds);
        }
    }
}

struct File {
    path: PathBuf,
    language: Language,
    bytes: u64,
}

fn files_below(top: &Path) -> Vec<File> {
    let mut open = vec![top.to_path_buf()];
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        let Ok(known) = path.symlink_metadata() else { continue };
        if known.is_dir() {
            if path.file_name().is_some_and(|name| name != ".git") {
                open.extend(
                    std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()),
                );
            }
        } else if known.is_file()
            && known.len() <= LARGEST
            && let Some(language) = of_path(&path).filter(|language| language.grammar().is_some())
        {
            files.push(File { path, language, bytes: known.len() });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Nanoseconds that this thread has been on a processor.
fn processor() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn floor(files: &[File]) -> u64 {
    let mut met = 0;
    let mut parser = tree_sitter::Parser::new();
    let mut known = None;
    for file in files {
        let Ok(text) = std::fs::read(&file.path) else { continue };
        met ^= content_hash(&text);
        if known != Some(file.language) {
            let Some(grammar) = file.language.grammar() else { continue };
            if parser.set_language(&grammar).is_err() {
                continue;
            }
            known = Some(file.language);
        }
        let Some(tree) = parser.parse(&text, None) else { continue };
        let mut cursor = tree.walk();
        'tree: loop {
            met += u64::from(cursor.node().kind_id());
            if cursor.goto_first_child() {
                continue;
            }
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    break 'tree;
                }
            }
        }
    }
    met
}

fn ours(files: &[File]) -> u64 {
    let cancel = CancelToken::new();
    let mut reader = Reader::default();
    let mut functions = 0;
    for file in files {
        let Ok(text) = std::fs::read(&file.path) else { continue };
        functions += content_hash(&text) & 1;
        let Ok(parsed) = reader.parse(file.language, &text, &cancel) else { continue };
        let Ok(metrics) = measure(&parsed, &cancel) else { continue };
        functions += 2 * metrics.functions.len() as u64;
    }
    functions / 2
}

fn compare(top: &Path, files: &[File], rounds: usize) {
    let mut shares: Vec<&[File]> = Vec::new();
    let (mut from, mut bytes) = (0, 0);
    for (at, file) in files.iter().enumerate() {
        bytes += file.bytes;
        if bytes >= SHARE || at + 1 == files.len() {
            shares.push(&files[from..=at]);
            (from, bytes) = (at + 1, 0);
        }
    }
    let mut seconds: Vec<(f64, f64)> = Vec::new();
    let mut functions = 0;
    for round in 0..=rounds {
        let (mut bare, mut measured) = (0, 0);
        functions = 0;
        for (at, share) in shares.iter().enumerate() {
            for turn in 0..2 {
                let start = processor();
                if (turn + at + round) % 2 == 0 {
                    std::hint::black_box(floor(share));
                    bare += processor() - start;
                } else {
                    functions += ours(share);
                    measured += processor() - start;
                }
            }
        }
        // The first round only brings the files into memory.
        if round > 0 {
            seconds.push((bare as f64 / 1e9, measured as f64 / 1e9));
        }
    }
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    print(format!(
        "{:10} {:6} {:8.2} {:9.3} {:9.3} {:6.3} {:9}",
        top.file_name().unwrap_or_default().to_string_lossy(),
        files.len(),
        files.iter().map(|file| file.bytes).sum::<u64>() as f64 / 1e6,
        median(seconds.iter().map(|pair| pair.0).collect()),
        median(seconds.iter().map(|pair| pair.1).collect()),
        median(seconds.iter().map(|pair| pair.1 / pair.0).collect()),
        functions,
    ));
}

fn list(files: &[File]) {
    let cancel = CancelToken::new();
    let mut reader = Reader::default();
    for file in files {
        let Ok(text) = std::fs::read(&file.path) else { continue };
        let Ok(parsed) = reader.parse(file.language, &text, &cancel) else { continue };
        let Ok(metrics) = measure(&parsed, &cancel) else { continue };
        for f in &metrics.functions {
            let (l, h) = (f.lines, f.halstead);
            print(format!(
                "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{:.3},{:.4},{}",
                file.path.display(),
                metrics.language,
                f.qualified.replace([',', '\n', '"'], " "),
                f.line,
                f.end_line,
                f.cyclomatic,
                f.cyclomatic_with_nested,
                f.cognitive,
                f.cognitive_own,
                f.parameters,
                f.tokens,
                f.exits,
                l.code,
                l.logical,
                l.comment,
                l.blank,
                h.distinct_operators,
                h.distinct_operands,
                h.operators,
                h.operands,
                h.volume,
                f.maintainability,
                f.nesting,
            ));
        }
    }
}

#[allow(clippy::print_stdout)]
fn print(line: String) {
    println!("{line}");
}
