//! Runs the conformance cases of `tests/cases` in Rust; the format stands in their README.
//!
//! It calls through the door: in Rust the door's table is a list of calls of the typed methods, which is
//! what the other runners reach through their SDK.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use barograph::Error;
use barograph::surface::{door, operation};
use serde_json::{Map, Value, json};

/// One case under way.
struct Run {
    folder: PathBuf,
    workspace: u64,
    handles: BTreeMap<String, u64>,
    records: BTreeMap<String, Value>,
}

impl Run {
    /// The value saved under `name.path.0`.
    fn look_up(&self, place: &str) -> Option<Value> {
        let mut parts = place.split('.');
        let mut value = self.records.get(parts.next()?)?.clone();
        for part in parts {
            value = match part.parse::<usize>() {
                Ok(index) if value.is_array() => value.get_mut(index)?.take(),
                _ => value.get_mut(part)?.take(),
            };
        }
        Some(value)
    }

    /// `value` with `$dir` and `$name.path` put in.
    fn filled(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match text.strip_prefix('$') {
                Some("dir") => json!(self.folder),
                Some(rest) if rest.starts_with("dir/") => json!(self.folder.join(&rest[4..])),
                Some(rest) => self.look_up(rest).unwrap_or_else(|| value.clone()),
                None => value.clone(),
            },
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Value::Object(fields) => {
                Value::Object(fields.iter().map(|(name, value)| (name.clone(), self.filled(value))).collect())
            }
            _ => value.clone(),
        }
    }

    /// Whether `actual` holds what `expected` asks for; the error names the first place that does not.
    fn matches(&self, expected: &Value, actual: &Value, place: &str) -> Result<(), String> {
        let wrong = || Err(format!("{place}: expected {expected}, got {actual}"));
        let holds = |good: bool| if good { Ok(()) } else { wrong() };
        match expected {
            Value::Object(fields) => match fields.iter().next() {
                Some((word, wanted)) if fields.len() == 1 && word.starts_with('$') => match word.as_str() {
                    "$any" => holds(!actual.is_null()),
                    "$count" => {
                        let length = actual
                            .as_array()
                            .map(Vec::len)
                            .or_else(|| actual.as_str().map(|s| s.chars().count()));
                        holds(length.is_some() && length.map(|length| length as u64) == wanted.as_u64())
                    }
                    "$contains" => holds(match actual {
                        Value::Array(items) => {
                            items.iter().any(|item| self.matches(wanted, item, "").is_ok())
                        }
                        Value::String(text) => wanted.as_str().is_some_and(|part| text.contains(part)),
                        _ => false,
                    }),
                    "$same" => {
                        let other = wanted.as_str().and_then(|place| self.look_up(place));
                        holds(other.is_some_and(|other| equal(&other, actual)))
                    }
                    "$near" => holds(wanted.as_f64().zip(actual.as_f64()).is_some_and(|(wanted, actual)| {
                        (wanted - actual).abs() <= 1e-9 * wanted.abs().max(actual.abs())
                    })),
                    _ => Err(format!("{place}: unknown expectation {word}")),
                },
                _ if !actual.is_object() => wrong(),
                _ => fields.iter().try_for_each(|(name, wanted)| {
                    self.matches(wanted, actual.get(name).unwrap_or(&Value::Null), &format!("{place}.{name}"))
                }),
            },
            Value::Array(items) => match actual.as_array() {
                Some(actual) if actual.len() == items.len() => {
                    items.iter().zip(actual).enumerate().try_for_each(|(at, (wanted, item))| {
                        self.matches(wanted, item, &format!("{place}.{at}"))
                    })
                }
                _ => wrong(),
            },
            _ => holds(equal(expected, actual)),
        }
    }

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
        let args = step.get("args").map_or_else(|| json!({}), |args| self.filled(args));
        let answer = door::call(handle, op, args.to_string().as_bytes(), door::NO_TOKEN);
        match answer {
            Err(error) => {
                let line = json!({ "code": error.code() }).to_string();
                let wanted = step.get("expect_error");
                (
                    line,
                    wanted.map_or_else(
                        || Err(format!("{op}: {error:?}")),
                        |wanted| self.refused(wanted, &error),
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
                    self.records.insert(name, record.clone());
                    record
                };
                let result = match (step.get("expect_error"), step.get("expect")) {
                    (Some(wanted), _) => Err(format!("{op}: expected the error {wanted}, got {shown}")),
                    (None, Some(wanted)) => self.matches(wanted, &shown, op),
                    (None, None) => Ok(()),
                };
                (shown.to_string(), result)
            }
        }
    }

    fn refused(&self, wanted: &Value, error: &Error) -> Result<(), String> {
        let actual = serde_json::to_value(error).expect("an error is JSON");
        let mut wanted = wanted.clone();
        if let Some(part) = wanted.get_mut("message") {
            *part = json!({ "$contains": part.take() });
        }
        self.matches(&wanted, &actual, "error")
    }
}

/// Equal values; 1 and 1.0 are one number, as not every language tells them apart.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        _ => left == right,
    }
}

/// Runs one case in a fresh folder; `lines` takes its answers.
fn run(case: &Value, label: &str, fixtures: &Path, lines: &mut String) -> Result<(), String> {
    // Outside of every repository, or the search upwards would find ours.
    let folder =
        std::env::temp_dir().join(format!("barograph-{}-{}", std::process::id(), label.replace('/', "-")));
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let folder = folder.canonicalize().map_err(|error| error.to_string())?;
    if let Some(fixture) = case["fixture"].as_str() {
        let copied = Command::new("cp").arg("-a").arg(fixtures.join(fixture).join(".")).arg(&folder).status();
        assert!(copied.is_ok_and(|status| status.success()), "{label}: no fixture `{fixture}`");
    }
    let mut run = Run { folder, workspace: 0, handles: BTreeMap::new(), records: BTreeMap::new() };
    let mut open = Map::from_iter([("path".to_owned(), json!(run.folder))]);
    open.extend(case.get("clock").map(|clock| ("clock".to_owned(), clock.clone())));
    if let Value::Object(more) = run.filled(&case["open"]) {
        open.extend(more);
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
    let _ = std::fs::remove_dir_all(&run.folder);
    outcome
}

#[test]
#[expect(clippy::print_stderr, reason = "the runners of all languages print their counts")]
fn conformance() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository");
    let built = Command::new("python3")
        .arg(top.join("tests/fixtures/repositories.py"))
        .arg("--into")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("fixtures"))
        .output()
        .expect("python3 builds the fixtures; install it");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let fixtures = PathBuf::from(String::from_utf8_lossy(&built.stdout).trim());
    let cases = top.join("tests/cases");
    let nouns = std::fs::read_dir(&cases).unwrap().map(|entry| entry.unwrap().path());
    let inside = nouns.filter(|path| path.is_dir()).flat_map(|noun| std::fs::read_dir(noun).unwrap());
    let mut files: Vec<PathBuf> = inside.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "json"));
    files.sort();
    let (mut passed, mut failed, mut lines) = (0, Vec::new(), String::new());
    for path in &files {
        let list: Value = serde_json::from_slice(&std::fs::read(path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (at, case) in list.as_array().expect("a file holds a list").iter().enumerate() {
            let label = format!("{}#{at}", path.strip_prefix(&cases).unwrap().display());
            let outcome = run(case, &label, &fixtures, &mut lines);
            match (outcome, case["must_fail"] == true) {
                (Ok(()), false) => passed += 1,
                // A canary must fall at a step, not over its own feet.
                (Err(error), true) if error.starts_with("step") => passed += 1,
                (Err(error), _) => failed.push(format!("{label} `{}`: {error}", case["name"])),
                (Ok(()), true) => failed.push(format!("{label} `{}`: a canary passed", case["name"])),
            }
        }
    }
    if let Some(file) = std::env::var_os("BAROGRAPH_CASES_OUT") {
        std::fs::write(file, lines).unwrap();
    }
    eprintln!("cases: {passed} passed, {} failed", failed.len());
    assert!(failed.is_empty() && passed >= 60, "{passed} passed, failed:\n{}", failed.join("\n"));
}
