//! Runs the conformance cases of `tests/cases` in Rust; the format stands in their README.
//!
//! It calls through the door: in Rust the door's table is a list of calls of the typed methods, which is
//! what the other runners reach through their SDK.

use std::collections::BTreeMap;
use std::path::Path;

use barograph::surface::{door, operation};
use serde_json::{Map, Value, json};

use crate::expected::{self, Saved};
use crate::support;

/// The nouns whose cases say something of the store; where tests run on a server they do too.
const STORED: [&str; 4] = ["events", "queue", "session", "worker"];

/// One case under way.
struct Run {
    saved: Saved,
    workspace: u64,
    handles: BTreeMap<String, u64>,
}

impl Run {
    /// Runs one step that calls something: the line for the answers' file, and whether it was as expected.
    fn step(&mut self, step: &Value) -> (String, Result<(), String>) {
        let op = step["call"].as_str().unwrap_or_default();
        let handle = match step["on"].as_str() {
            Some(name) => self.handles.get(name).copied(),
            None => Some(if op == "workspace.open" { door::ROOT } else { self.workspace }),
        };
        let Some(handle) = handle else {
            return ("null".to_owned(), Err(format!("no handle is saved as {}", step["on"])));
        };
        let args = step.get("args").map_or_else(|| json!({}), |args| self.saved.filled(args));
        let answer = door::call(handle, op, args.to_string().as_bytes(), door::NO_TOKEN);
        match answer {
            Err(error) => {
                let line = json!({ "code": error.code() }).to_string();
                let wanted = step.get("expect_error");
                (
                    line,
                    wanted.map_or_else(
                        || Err(format!("{op}: {error:?}")),
                        |wanted| {
                            self.saved
                                .refused(wanted, &serde_json::to_value(&error).expect("an error is JSON"))
                        },
                    ),
                )
            }
            Ok(bytes) => {
                let record: Value = serde_json::from_slice(&bytes).expect("an answer is JSON");
                let name = step["save"].as_str().unwrap_or_default().to_owned();
                let shown = if operation(op).is_ok_and(|operation| !operation.opens.is_empty()) {
                    self.handles.insert(name, record["handle"].as_u64().expect("a handle is a number"));
                    json!({})
                } else {
                    self.saved.records.insert(name, record.clone());
                    record
                };
                let result = match (step.get("expect_error"), step.get("expect")) {
                    (Some(wanted), _) => Err(format!("{op}: expected the error {wanted}, got {shown}")),
                    (None, Some(wanted)) => self.saved.matches(wanted, &shown, op),
                    (None, None) => Ok(()),
                };
                (shown.to_string(), result)
            }
        }
    }
}

/// Runs one case in a fresh folder; `lines` takes its answers.
fn run(case: &Value, label: &str, fixtures: &Path, lines: &mut String) -> Result<(), String> {
    let saved = Saved::new(case, label, fixtures)?;
    let mut run = Run { saved, workspace: 0, handles: BTreeMap::new() };
    let mut open = Map::from_iter([("path".to_owned(), json!(run.saved.folder))]);
    open.extend(case.get("clock").map(|clock| ("clock".to_owned(), clock.clone())));
    if let Value::Object(more) = run.saved.filled(&case["open"]) {
        open.extend(more);
    }
    if let Some(server) = support::server()
        && STORED.iter().any(|noun| label.starts_with(noun))
        && open.remove("in_memory").is_some()
    {
        let name = label.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        open.insert(
            "store".to_owned(),
            json!(format!("{server}?schema=cases_{}_{name}", std::process::id())),
        );
    }
    let opened =
        door::call(door::ROOT, "workspace.open", Value::Object(open).to_string().as_bytes(), door::NO_TOKEN)
            .map_err(|error| format!("open: {error:?}"))?;
    run.workspace =
        serde_json::from_slice::<Value>(&opened).expect("JSON")["handle"].as_u64().expect("a handle");
    let mut outcome = Ok(());
    for (at, step) in case["steps"].as_array().into_iter().flatten().enumerate() {
        if let Some(name) = step["close"].as_str() {
            match run.handles.get(name) {
                Some(&handle) => door::close(handle),
                None => outcome = Err(format!("step {at}: no handle is saved as `{name}`")),
            }
        } else {
            let (line, result) = run.step(step);
            *lines += &format!("{label}.{at} {line}\n");
            outcome = result.map_err(|error| format!("step {at}: {error}"));
        }
        if outcome.is_err() {
            break;
        }
    }
    run.handles.values().for_each(|handle| door::close(*handle));
    door::close(run.workspace);
    outcome
}

#[test]
#[expect(clippy::print_stderr, reason = "the runners of all languages print their counts")]
fn conformance() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository");
    let (cases, fixtures) = expected::all(top, Path::new(env!("CARGO_TARGET_TMPDIR")));
    let (mut passed, mut failed, mut lines) = (0, Vec::new(), String::new());
    for (label, case) in &cases {
        let outcome = run(case, label, &fixtures, &mut lines);
        match (outcome, case["must_fail"] == true) {
            (Ok(()), false) => passed += 1,
            // A canary must fall at a step, not over its own feet.
            (Err(error), true) if error.starts_with("step") => passed += 1,
            (Err(error), _) => failed.push(format!("{label} `{}`: {error}", case["name"])),
            (Ok(()), true) => failed.push(format!("{label} `{}`: a canary passed", case["name"])),
        }
    }
    if let Some(file) = std::env::var_os("BAROGRAPH_CASES_OUT") {
        std::fs::write(file, lines).unwrap();
    }
    eprintln!("cases: {passed} passed, {} failed", failed.len());
    assert!(failed.is_empty() && passed >= 280, "{passed} passed, failed:\n{}", failed.join("\n"));
}
