//! Runs the conformance cases of `tests/cases` through the command line; the format stands in their
//! README. Every step is a process of its own: `barograph call NOUN.VERB JSON --format json`.
//!
//! Cases with handles (`sdk_only`) are left out, as a handle dies with its process.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// One case under way.
struct Run {
    folder: PathBuf,
    /// The options that open the workspace.
    open: Vec<String>,
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
                        let text = || actual.as_str().map(|text| text.chars().count());
                        let length = actual.as_array().map(Vec::len).or_else(text);
                        holds(length.is_some_and(|length| Some(length as u64) == wanted.as_u64()))
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

    /// Runs one step: the line for the answers' file, and whether it was as expected.
    fn step(&mut self, step: &Value) -> (String, Result<(), String>) {
        let op = step["call"].as_str().unwrap_or_default();
        let args = step.get("args").map_or_else(|| json!({}), |args| self.filled(args));
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
                Some(wanted) => {
                    let mut wanted = wanted.clone();
                    if let Some(part) = wanted.get_mut("message") {
                        *part = json!({ "$contains": part.take() });
                    }
                    (line, self.matches(&wanted, &record, "error"))
                }
                None => (line, Err(format!("{op}: {record}"))),
            };
        }
        let line = sorted(&record).to_string();
        let result = match (step.get("expect_error"), step.get("expect")) {
            (Some(wanted), _) => Err(format!("{op}: expected the error {wanted}, got {record}")),
            (None, Some(wanted)) => self.matches(wanted, &record, op),
            (None, None) => Ok(()),
        };
        self.records.insert(step["save"].as_str().unwrap_or_default().to_owned(), record);
        (line, result)
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
    // Outside of every repository, or the search upwards would find ours.
    let name = format!("barograph-cli-{}-{}", std::process::id(), label.replace('/', "-"));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let folder = folder.canonicalize().map_err(|error| error.to_string())?;
    if let Some(fixture) = case["fixture"].as_str() {
        let copied = Command::new("cp").arg("-a").arg(fixtures.join(fixture).join(".")).arg(&folder).status();
        assert!(copied.is_ok_and(|status| status.success()), "{label}: no fixture `{fixture}`");
    }
    let mut run = Run { folder, open: Vec::new(), records: BTreeMap::new() };
    let mut open = json!({ "repo": run.folder, "clock": case["clock"] });
    for (name, value) in case["open"].as_object().into_iter().flatten() {
        open[name] = run.filled(value);
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
    let _ = std::fs::remove_dir_all(&run.folder);
    outcome
}

#[test]
#[expect(clippy::print_stderr, reason = "the runners of all languages print their counts")]
fn conformance() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let built = Command::new("python3")
        .arg(top.join("tests/fixtures/repositories.py"))
        .arg("--into")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("fixtures"))
        .output()
        .expect("python3 builds the fixtures; install it");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let fixtures = PathBuf::from(String::from_utf8_lossy(&built.stdout).trim());
    let cases = top.join("tests/cases");
    let mut files = Vec::new();
    for noun in
        std::fs::read_dir(&cases).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir())
    {
        files.extend(std::fs::read_dir(noun).unwrap().map(|entry| entry.unwrap().path()));
    }
    files.retain(|path| path.extension().is_some_and(|end| end == "json"));
    files.sort();
    let (mut passed, mut failed, mut lines) = (0, Vec::new(), String::new());
    for path in &files {
        let list: Value = serde_json::from_slice(&std::fs::read(path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (at, case) in list.as_array().expect("a file holds a list").iter().enumerate() {
            if case["sdk_only"] == true {
                continue;
            }
            let label = format!("{}#{at}", path.strip_prefix(&cases).unwrap().display());
            match (run(case, &label, &fixtures, &mut lines), case["must_fail"] == true) {
                (Ok(()), false) | (Err(_), true) => passed += 1,
                (Err(error), false) => failed.push(format!("{label} `{}`: {error}", case["name"])),
                (Ok(()), true) => failed.push(format!("{label} `{}`: a canary passed", case["name"])),
            }
        }
    }
    if let Some(file) = std::env::var_os("BAROGRAPH_CASES_OUT") {
        // Its own file: the core's runner has the same variable when one command runs both.
        std::fs::write(PathBuf::from(file).with_file_name("cli.txt"), lines).unwrap();
    }
    eprintln!("cases: {passed} passed, {} failed", failed.len());
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}
