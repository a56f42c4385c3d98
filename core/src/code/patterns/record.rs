//! What the operations on patterns take and answer: plain data, the same in every language.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::code::record::SkippedFile;
use crate::evidence::record::{Finding, Severity};

/// Arguments of `code.patterns`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CodePatternsArgs {
    /// Files and folders, relative to the workspace's top or absolute; none: the whole workspace.
    /// A file that is named is always read; in folders, what git ignores is left out.
    pub paths: Vec<String>,
    /// Text to read instead of the file; `paths` then has one path, which need not exist and names it.
    pub text: Option<String>,
    /// Only these languages, by name; none: all.
    pub languages: Vec<String>,
    /// Only these rules, by id; none: all.
    pub rules: Vec<String>,
    /// These rules are left out, by id.
    pub exclude: Vec<String>,
    /// Folders of further rules, each `<language>/<rule>.scm`; a rule of the same id replaces the built-in one.
    pub rule_folders: Vec<String>,
    /// Findings of less weight are left out; none: all are given.
    pub min_severity: Option<Severity>,
    /// Whether folders also give generated, minified and vendored files.
    pub include_generated: bool,
    /// Whether to ask history who last changed the lines of `todo` findings, and when; lines of files
    /// that differ from HEAD are not asked for.
    pub ages: bool,
}

/// What the rules found, and what was not searched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CodePatterns {
    /// The findings, sorted by path, line, column and rule.
    pub findings: Vec<Finding>,
    /// How many findings of which rule there are, sorted by rule.
    pub rules: Vec<RuleCount>,
    /// How many findings of which rule each file has, sorted by path and rule.
    pub counts: Vec<FileRuleCount>,
    /// How many files were searched.
    pub files: u64,
    /// Files that were met and not searched, sorted by path; files of no known language are only counted.
    pub skipped: Vec<SkippedFile>,
    /// Files of no known language that folders held.
    pub unknown: u64,
}

/// How often a rule found something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleCount {
    /// The rule's id.
    pub rule: String,
    /// Its severity.
    pub severity: Severity,
    /// Its findings.
    pub count: u64,
}

/// How often a rule found something in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileRuleCount {
    /// The file.
    pub path: String,
    /// The rule's id.
    pub rule: String,
    /// Its findings there.
    pub count: u64,
}

/// Arguments of `code.rules`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CodeRulesArgs {
    /// Only rules for these languages, by name; none: all.
    pub languages: Vec<String>,
    /// Folders of further rules, as in `code.patterns`.
    pub rule_folders: Vec<String>,
}

/// The rules that `code.patterns` knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeRules {
    /// The rules, sorted by id.
    pub rules: Vec<RuleDescription>,
}

/// What a rule says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleDescription {
    /// Its name in answers and options.
    pub id: String,
    /// The languages that it is written for, by name.
    pub languages: Vec<String>,
    /// How much its findings matter.
    pub severity: Severity,
    /// Why it matters, one sentence.
    pub reason: String,
    /// What to do about a finding, one sentence.
    pub action: String,
    /// Where it does not hold: `tests`, `scripts` or names of files.
    pub not_in: Vec<String>,
    /// Where alone it holds; empty: everywhere.
    pub only_in: Vec<String>,
    /// Whether it comes with this library.
    pub built_in: bool,
}
