//! What a scan of a tree costs when it was scanned before: all metrics, nothing or one file changed.
//!
//! `cargo run --release -p barograph-benches --bin rescan FOLDER [FILE]`; FILE (within FOLDER) gets a
//! line more before each "one changed" round and is put back at the end. Prints one JSON object,
//! times in milliseconds (least and median of 15 rounds). The store lies in the system's temporary folder.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use barograph::blocking::wait;
use barograph::{CodeMetrics, CodeMetricsArgs, OpenArgs, Workspace};

const ROUNDS: usize = 15;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn open(folder: &Path, store: &Path) -> Fallible<Workspace> {
    let (path, store) = (folder.display().to_string(), Some(store.display().to_string()));
    Ok(wait(Workspace::open(OpenArgs { path, store, ..OpenArgs::default() }))?)
}

fn scan(ws: &Workspace) -> Fallible<CodeMetrics> {
    Ok(wait(ws.code().metrics(CodeMetricsArgs::default()))?)
}

/// The least and the median of so many rounds, in milliseconds.
fn rounds(mut round: impl FnMut(usize) -> Fallible<f64>) -> Fallible<serde_json::Value> {
    let mut times = (0..ROUNDS).map(&mut round).collect::<Fallible<Vec<f64>>>()?;
    times.sort_by(f64::total_cmp);
    Ok(serde_json::json!({ "least": times[0], "median": times[ROUNDS / 2] }))
}

fn main() -> Fallible<()> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = args.next().ok_or("name a folder")?;
    let file = args.next().map(|file| folder.join(file));
    let home = std::env::temp_dir().join(format!("barograph-rescan-{}", std::process::id()));
    std::fs::create_dir_all(&home)?;
    let store = home.join("s.db");
    let timed = |ws: &Workspace| -> Fallible<f64> {
        let start = Instant::now();
        let metrics = scan(ws)?;
        let took = start.elapsed().as_secs_f64() * 1e3;
        drop(metrics);
        Ok(took)
    };
    let ws = open(&folder, &store)?;
    let start = Instant::now();
    let first = scan(&ws)?;
    let first_ms = start.elapsed().as_secs_f64() * 1e3;
    let unchanged = rounds(|_| timed(&ws))?;
    let changed = match &file {
        None => serde_json::Value::Null,
        Some(file) => {
            let before = std::fs::read(file)?;
            let changed = rounds(|round| {
                let mut text = before.clone();
                writeln!(text, "\n// {round}")?;
                std::fs::write(file, text)?;
                timed(&ws)
            });
            std::fs::write(file, before)?;
            changed?
        }
    };
    let reopened = rounds(|_| timed(&open(&folder, &store)?))?;
    let out = serde_json::json!({
        "files": first.files.len(), "skipped": first.skipped.len(), "unknown": first.unknown,
        "functions": first.files.iter().map(|file| file.functions.len()).sum::<usize>(),
        "first": first_ms, "unchanged": unchanged, "one_changed": changed, "new_process": reopened,
        "store_bytes": std::fs::metadata(&store)?.len(),
    });
    writeln!(std::io::stdout(), "{out}")?;
    std::fs::remove_dir_all(home)?;
    Ok(())
}
