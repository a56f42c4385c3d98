//! What `risk.change` takes and answers: plain data, the same in every language.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::git::record::HistorySpan;
use crate::predict::record::ModelReference;

/// Arguments of `risk.change`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChangeArgs {
    /// The change as `A..B`, `A...B`, or one revision (the commit against its first parent);
    /// default `HEAD`. Scored as ONE change from the merge base to the tip.
    pub range: Option<String>,
    /// The change from `HEAD` to the work tree, untracked files that are not ignored included.
    pub worktree: bool,
    /// The message of a change that is not committed yet; of a range, the default is every
    /// message in it.
    pub message: Option<String>,
    /// The author's e-mail address; of a range, the default is the tip's author.
    pub author: Option<String>,
    /// This repository's own share of defective changes, strictly between 0 and 1, where it is
    /// known: the probability is then stated at this base rate.
    pub base_rate: Option<f64>,
    /// Fetch missing history from the remote `origin` first, where the clone is shallow.
    pub deepen: bool,
}

impl From<&str> for ChangeArgs {
    fn from(range: &str) -> Self {
        ChangeArgs { range: Some(range.to_owned()), ..ChangeArgs::default() }
    }
}

/// How a score ranks among this repository's changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RiskLevel {
    /// Nothing of the change could be read here, so the score says nothing.
    Unknown,
    /// Score below 70.
    #[default]
    Low,
    /// Score from 70.
    Medium,
    /// Score from 90.
    High,
    /// Score from 98.
    Critical,
}

impl std::fmt::Display for RiskLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            RiskLevel::Unknown => "unknown",
            RiskLevel::Low => "low",
            RiskLevel::Medium => "medium",
            RiskLevel::High => "high",
            RiskLevel::Critical => "critical",
        })
    }
}

/// What a probability or a score is measured against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The shipped prior's training data.
    #[default]
    Prior,
    /// The base rate that the host passed.
    Given,
    /// This repository's own history.
    Repository,
}

/// A range that holds the true value with the probability `level`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Coverage, for example 0.9.
    pub level: f64,
}

/// What stands behind the probability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// What the base rate comes from.
    pub basis: Basis,
}

/// What one feature adds to the answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The feature's name as in `git.features`, for example `la`.
    pub feature: String,
    /// Its value; absent where it cannot be known here.
    pub value: Option<f64>,
    /// The value's unit, for example `lines`.
    pub unit: String,
    /// Share of this repository's last 500 earlier changes with a lower value, in percent.
    pub percentile: Option<f64>,
    /// What it adds to the log-odds; negative lowers the risk.
    pub contribution: f64,
    /// What it means, in one sentence.
    pub sentence: String,
    /// What would lower the risk; empty where the feature does not raise it.
    pub action: String,
}

/// What one file adds to the answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileShare {
    /// The path after the change; absent for the entry that stands for the rest.
    pub path: Option<String>,
    /// Drop in log-odds when the file is left out of the change, as a share of all drops, 0 to 1.
    pub share: f64,
    /// Lines added.
    pub added: u64,
    /// Lines deleted.
    pub deleted: u64,
    /// How many files the entry stands for.
    pub files: u64,
}

/// One commit's own answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CommitRisk {
    /// The commit's id, hexadecimal.
    pub sha: String,
    /// First line of its message.
    pub title: String,
    /// Probability that it is defective, on the same basis as the whole answer's.
    pub probability: f64,
    /// Its score among this repository's changes.
    pub score: f64,
    /// How that score ranks.
    pub level: RiskLevel,
}

/// What was scored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeSpan {
    /// The commit before the change, hexadecimal; absent for a root commit.
    pub base: Option<String>,
    /// The last commit of the change, hexadecimal; absent for the work tree.
    pub tip: Option<String>,
    /// Time of the change, RFC 3339 in UTC.
    pub time: String,
    /// Files touched.
    pub files: u64,
    /// Lines added.
    pub added: u64,
    /// Lines deleted.
    pub deleted: u64,
}

/// How risky a change is, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeRisk {
    /// What was scored.
    pub change: ChangeSpan,
    /// Probability that the change is defective, at `base_rate`.
    pub probability: f64,
    /// Share of defective changes that the probability assumes.
    pub base_rate: f64,
    /// Where the probability lies given the uncertainty of the weights.
    pub interval: Interval,
    /// What stands behind the probability.
    pub calibration: Calibration,
    /// Share of this repository's last 500 earlier changes with a lower probability, in percent;
    /// the same as `score`, absent where `score_basis` is `prior`.
    pub percentile: Option<f64>,
    /// 100 x the share of earlier changes with a lower probability.
    pub score: f64,
    /// Whose earlier changes: this repository's last 500, or (fewer than 50) the prior's.
    pub score_basis: Basis,
    /// How the score ranks: critical from 98, high from 90, medium from 70.
    pub level: RiskLevel,
    /// Log-odds of `probability`: `baseline` plus every reason's contribution in schema order.
    pub log_odds: f64,
    /// Log-odds of a change that stands at the mean in every feature.
    pub baseline: f64,
    /// Every feature, largest contribution first.
    pub reasons: Vec<Reason>,
    /// The touched files, largest share first: at most 50, the rest as one entry.
    pub files: Vec<FileShare>,
    /// Each commit's own answer, newest first; merges left out.
    pub commits: Vec<CommitRisk>,
    /// Which model gave the answer.
    pub model: ModelReference,
    /// How much history the answer stands on.
    pub history: HistorySpan,
    /// What a reader should know: missing history, an unknown author, what was left out.
    pub notes: Vec<String>,
}
