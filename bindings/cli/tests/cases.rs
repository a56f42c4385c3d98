//! Runs the conformance cases of `tests/cases` through the command line; the format stands in their
//! README. Every step is a process of its own: `barograph call NOUN.VERB JSON --format json`.
//!
//! Cases with handles (`sdk_only`) are left out, as a handle dies with its process.

#[path = "../../../core/tests/it/expected.rs"]
mod expected;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use expected::Saved;
use serde_json::{Value, json};

/// One case under way.
struct Run {
    saved: Saved,
    /// The options that open the workspace.
    open: Vec<String>,
}

impl Run {
    /// Runs one step: the line for the answers' file, and whether it was as expected.
    fn step(&mut self, step: &Value) -> (String, Result<(), String>) {
        let op = step["call"].as_str().unwrap_or_default();
        let args = step.get("args").map_or_else(|| json!({}), |args| self.saved.filled(args));
        let done = Command::new(env!("CARGO_BIN_EXE_barograph"))
            .args(["call", op, &args.to_string(), "--format", "json"])
            .args(&self.open)
            .output()
            .expect("the command starts");
        let (text, failed) = if done.status.success() { (done.stdout, false) } else { (done.stderr, true) };
        let Ok(record) = serde_json::from_slice::<Value>(&text) else {
            let text = String::from_utf8_lossy(&text);
            return ("null".to_owned(), Err(format!("{op}: {}: not JSON: {text}", done.status)));
        };
        if failed {
            let line = json!({ "code": record["code"] }).to_string();
            return match step.get("expect_error") {
                Some(wanted) => (line, self.saved.refused(wanted, &record)),
                None => (line, Err(format!("{op}: {record}"))),
            };
        }
        let line = sorted(&record).to_string();
        let result = match (step.get("expect_error"), step.get("expect")) {
            (Some(wanted), _) => Err(format!("{op}: expected the error {wanted}, got {record}")),
            (None, Some(wanted)) => self.saved.matches(wanted, &record, op),
            (None, None) => Ok(()),
        };
        self.saved.records.insert(step["save"].as_str().unwrap_or_default().to_owned(), record);
        (line, result)
    }
}

/// The same value with the members of every object in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let ordered: BTreeMap<_, _> = members.iter().collect();
            Value::Object(ordered.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// Runs one case in a fresh folder; `lines` takes its answers.
fn run(case: &Value, label: &str, fixtures: &Path, lines: &mut String) -> Result<(), String> {
    let mut run = Run { saved: Saved::new(case, label, fixtures)?, open: Vec::new() };
    let mut open = json!({ "repo": run.saved.folder, "clock": case["clock"] });
    for (name, value) in case["open"].as_object().into_iter().flatten() {
        open[name] = run.saved.filled(value);
    }
    for (name, value) in open.as_object().into_iter().flatten() {
        match value {
            Value::Bool(true) => run.open.push(format!("--{}", name.replace('_', "-"))),
            Value::String(text) => run.open.push(format!("--{name}={text}")),
            _ => {}
        }
    }
    let mut outcome = Ok(());
    for (at, step) in case["steps"].as_array().into_iter().flatten().enumerate() {
        let (line, result) = run.step(step);
        let _ = writeln!(lines, "{label}.{at} {line}");
        outcome = result.map_err(|error| format!("step {at}: {error}"));
        if outcome.is_err() {
            break;
        }
    }
    outcome
}

#[test]
#[expect(clippy::print_stderr, reason = "the runners of all languages print their counts")]
fn conformance() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let (cases, fixtures) = expected::all(&top, Path::new(env!("CARGO_TARGET_TMPDIR")));
    let (mut passed, mut failed, mut lines) = (0, Vec::new(), String::new());
    for (label, case) in cases.iter().filter(|(_, case)| case["sdk_only"] != true) {
        match (run(case, label, &fixtures, &mut lines), case["must_fail"] == true) {
            (Ok(()), false) | (Err(_), true) => passed += 1,
            (Err(error), false) => failed.push(format!("{label} `{}`: {error}", case["name"])),
            (Ok(()), true) => failed.push(format!("{label} `{}`: a canary passed", case["name"])),
        }
    }
    if let Some(file) = std::env::var_os("BAROGRAPH_CASES_OUT") {
        // Its own file: the core's runner has the same variable when one command runs both.
        std::fs::write(PathBuf::from(file).with_file_name("cli.txt"), lines).unwrap();
    }
    eprintln!("cases: {passed} passed, {} failed", failed.len());
    assert!(failed.is_empty() && passed >= 150, "{passed} passed, failed:\n{}", failed.join("\n"));
}
