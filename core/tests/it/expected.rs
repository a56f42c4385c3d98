//! What the conformance cases of `tests/cases` expect, for both runners in Rust: values put in,
//! answers compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// What one case has got so far.
#[derive(Debug, Default)]
pub struct Saved {
    /// The folder of the case.
    pub folder: PathBuf,
    /// Answers by the name that they were saved under.
    pub records: BTreeMap<String, Value>,
}

impl Saved {
    /// In a fresh folder outside of every repository, or the search upwards would find ours; with the
    /// case's fixture, if it names one.
    pub fn new(case: &Value, label: &str, fixtures: &Path) -> Result<Saved, String> {
        let name = format!("barograph-{}-{}", std::process::id(), label.replace('/', "-"));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let folder = folder.canonicalize().map_err(|error| error.to_string())?;
        if let Some(fixture) = case["fixture"].as_str() {
            let source = fixtures.join(fixture).join(".");
            let copied = Command::new("cp").arg("-a").arg(source).arg(&folder).status();
            assert!(copied.is_ok_and(|status| status.success()), "{label}: no fixture `{fixture}`");
        }
        Ok(Saved { folder, records: BTreeMap::new() })
    }

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
    pub fn filled(&self, value: &Value) -> Value {
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
    pub fn matches(&self, expected: &Value, actual: &Value, place: &str) -> Result<(), String> {
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

    /// Whether an error (as JSON) is the one that is asked for; of its message a part is enough.
    pub fn refused(&self, wanted: &Value, error: &Value) -> Result<(), String> {
        let mut wanted = wanted.clone();
        if let Some(part) = wanted.get_mut("message") {
            *part = json!({ "$contains": part.take() });
        }
        self.matches(&wanted, error, "error")
    }
}

impl Drop for Saved {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
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

/// Every case with its label, in order; the second is the folder of the built fixtures.
pub fn all(top: &Path, temporary: &Path) -> (Vec<(String, Value)>, PathBuf) {
    let built = Command::new("python3")
        .arg(top.join("tests/fixtures/repositories.py"))
        .arg("--into")
        .arg(temporary.with_file_name("fixtures"))
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
    let mut found = Vec::new();
    for path in &files {
        let list: Value = serde_json::from_slice(&std::fs::read(path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (at, case) in list.as_array().expect("a file holds a list").iter().enumerate() {
            found.push((format!("{}#{at}", path.strip_prefix(&cases).unwrap().display()), case.clone()));
        }
    }
    (found, fixtures)
}
