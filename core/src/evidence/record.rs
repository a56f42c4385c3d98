//! Findings, the same whoever found them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; nothing has to be done.
    Info,
    /// Makes code harder to read or change.
    #[default]
    Minor,
    /// Likely to hide or cause a defect.
    Major,
    /// Likely a defect or a hole that an attacker can use.
    Critical,
}

impl Severity {
    /// The name in answers and options.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Minor => "minor",
            Severity::Major => "major",
            Severity::Critical => "critical",
        }
    }
}

/// One thing that a rule found at one place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The rule, for example `swallowed-exception`.
    pub rule: String,
    /// How much it matters.
    pub severity: Severity,
    /// The file, relative to the workspace's top, `/` between components.
    pub path: String,
    /// First line, from 1.
    pub line: u64,
    /// First column, bytes from 1.
    pub column: u64,
    /// Last line, from 1.
    pub end_line: u64,
    /// The function around it, qualified by its classes; empty outside of functions.
    pub function: String,
    /// Why it matters, one sentence.
    pub reason: String,
    /// What to do about it, one sentence.
    pub action: String,
    /// The first line of the code in question, trimmed, at most 160 bytes; secrets are masked.
    pub excerpt: String,
    /// Who last changed the line, where history was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// How long ago that was, in days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_days: Option<u64>,
}
