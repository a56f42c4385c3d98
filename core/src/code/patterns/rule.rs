//! A rule: its header, its query, and where it holds.

use std::path::Path;

use crate::code::language::Language;
use crate::error::{Error, Result};
use crate::evidence::record::Severity;

/// A rule of one file: what it looks for in its languages.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// Its name in answers and options, lower case with `-`.
    pub id: String,
    /// The languages that its query is written for.
    pub languages: Vec<Language>,
    /// How much its findings matter.
    pub severity: Severity,
    /// Why it matters, one sentence.
    pub reason: String,
    /// What to do, one sentence.
    pub action: String,
    /// Where it does not hold.
    pub not_in: Vec<Place>,
    /// Where alone it holds; empty: everywhere.
    pub only_in: Vec<Place>,
    /// Texts of which the code in question holds one; empty: it may hold anything.
    pub needs: Vec<String>,
    /// The file that it came from, for messages.
    pub file: String,
    /// The whole file; empty for a rule over measures.
    pub source: String,
    /// Whether a user brought it.
    pub own: bool,
}

/// A kind of place, by path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Tests, by folder and file name, and test code inside other files.
    Tests,
    /// Scripts, examples, benchmarks, tools and documentation.
    Scripts,
    /// Files of this name.
    File(String),
}

/// The names a header may use.
const MEMBERS: &[&str] = &["id", "severity", "reason", "action", "languages", "needs", "not-in", "only-in"];

impl Rule {
    /// Reads the rule in `source`; `folder` is the language whose folder the file lies in.
    ///
    /// Errors: `rule.invalid`, which names the file, the line and what is wrong.
    pub fn read(file: &str, source: &str, folder: Language, own: bool) -> Result<Rule> {
        let mut rule = Rule {
            languages: vec![folder],
            file: file.to_owned(),
            source: source.to_owned(),
            own,
            ..Rule::default()
        };
        let mut severity = None;
        for (at, line) in source.lines().enumerate() {
            let wrong = |what: String| invalid(file, at + 1, &what);
            let Some(comment) = line.trim_start().strip_prefix(';') else {
                if line.trim().is_empty() {
                    continue;
                }
                break;
            };
            let Some((name, value)) = comment.trim_start_matches(';').split_once(':') else { continue };
            let (name, value) = (name.trim(), value.trim());
            if name.contains(' ') {
                continue;
            }
            match name {
                "id" => value.clone_into(&mut rule.id),
                "reason" => value.clone_into(&mut rule.reason),
                "action" => value.clone_into(&mut rule.action),
                "severity" => {
                    severity = Some(severity_of(value).ok_or_else(|| {
                        wrong(format!(
                            "`{value}` is no severity; write `info`, `minor`, `major` or `critical`"
                        ))
                    })?);
                }
                "languages" => {
                    rule.languages = words(value)
                        .map(|name| {
                            Language::of_name(name)
                                .ok_or_else(|| wrong(format!("no language `{name}` is known")))
                        })
                        .collect::<Result<_>>()?;
                }
                "needs" => {
                    rule.needs =
                        value.split('|').filter(|text| !text.is_empty()).map(str::to_owned).collect();
                }
                "not-in" => rule.not_in = words(value).map(Place::of_name).collect(),
                "only-in" => rule.only_in = words(value).map(Place::of_name).collect(),
                _ => {
                    return Err(wrong(format!(
                        "the header has no member `{name}`; it knows `{}`",
                        MEMBERS.join("`, `")
                    )));
                }
            }
        }
        let missing = [
            ("id", rule.id.is_empty()),
            ("severity", severity.is_none()),
            ("reason", rule.reason.is_empty()),
            ("action", rule.action.is_empty()),
            ("languages", rule.languages.is_empty()),
        ];
        if let Some((name, _)) = missing.iter().find(|(_, missing)| *missing) {
            return Err(invalid(file, 1, &format!("the header lacks `{name}`; write `; {name}: ...`")));
        }
        if !rule.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
            return Err(invalid(file, 1, "`id` may hold lower-case letters, digits and `-`"));
        }
        rule.severity = severity.unwrap_or_default();
        Ok(rule)
    }

    /// Whether its findings in the file of this path count.
    pub fn holds_in(&self, path: &str) -> bool {
        !self.not_in.iter().any(|place| place.covers(path))
            && (self.only_in.is_empty() || self.only_in.iter().any(|place| place.covers(path)))
    }
}

impl Place {
    fn of_name(name: &str) -> Place {
        match name {
            "tests" => Place::Tests,
            "scripts" => Place::Scripts,
            name => Place::File(name.to_owned()),
        }
    }

    /// As it stands in a header.
    pub(super) fn name(&self) -> String {
        match self {
            Place::Tests => "tests".to_owned(),
            Place::Scripts => "scripts".to_owned(),
            Place::File(name) => name.clone(),
        }
    }

    fn covers(&self, path: &str) -> bool {
        match self {
            Place::Tests => super::place::is_test(path),
            Place::Scripts => super::place::is_script(path),
            Place::File(name) => Path::new(path).file_name().is_some_and(|file| file == name.as_str()),
        }
    }
}

/// `rule.invalid` at a line of a file.
pub(super) fn invalid(file: &str, line: usize, what: &str) -> Error {
    Error::new("rule.invalid", format!("`{file}`, line {line}: {what}")).with("file", file).with("line", line)
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty())
}

fn severity_of(name: &str) -> Option<Severity> {
    Some(match name {
        "info" => Severity::Info,
        "minor" => Severity::Minor,
        "major" => Severity::Major,
        "critical" => Severity::Critical,
        _ => return None,
    })
}
