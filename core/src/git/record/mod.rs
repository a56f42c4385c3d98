//! What the git operations take and answer: plain data, the same in every language.

mod insight;

pub use insight::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::szz::record::*;

/// Arguments of `git.features`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FeaturesArgs {
    /// Which commits: `A..B`, or a revision for everything reachable from it; the features are
    /// always those within the whole history of the range's tip. Default `HEAD`.
    pub range: Option<String>,
    /// Whether renames of at least 50 % similarity are followed.
    pub renames: bool,
}

impl Default for FeaturesArgs {
    fn default() -> Self {
        FeaturesArgs { range: None, renames: true }
    }
}

/// The change measures of one commit (Kamei et al., IEEE TSE 39(6):757-773, 2013, Table 1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureRow {
    /// Place in the topological order by (committer time, id), merges left out, from 0.
    pub order: u64,
    /// The commit's id, hexadecimal.
    pub sha: String,
    /// First 12 hexadecimal digits of the SHA-256 of the author's lower-cased e-mail address.
    pub author: String,
    /// Committer time, seconds since the Unix epoch.
    pub time: i64,
    /// NS: distinct subsystems (first path components) touched.
    pub ns: u64,
    /// ND: distinct directories touched.
    pub nd: u64,
    /// NF: files touched.
    pub nf: u64,
    /// ENTROPY: Shannon entropy of the changed lines over the files, bits, not normalised.
    pub entropy: f64,
    /// LA: lines added.
    pub la: u64,
    /// LD: lines deleted.
    pub ld: u64,
    /// Lines of the touched files before the change, summed.
    pub lt_sum: u64,
    /// LT: `lt_sum` / NF; 0 where NF is 0.
    pub lt: f64,
    /// FIX: 1 where the message says that the commit is a fix, else 0.
    pub fix: u64,
    /// NDEV: distinct authors of earlier commits that touched any of the touched files.
    pub ndev: u64,
    /// AGE: mean days since the last earlier change of the touched files that have one.
    pub age: f64,
    /// NUC: distinct earlier commits that touched any of the touched files.
    pub nuc: u64,
    /// Distinct last earlier commits of the touched files.
    pub nuc_last: u64,
    /// EXP: earlier commits of the same author.
    pub exp: u64,
    /// REXP: the author's earlier commits, each weighted 1/(n+1), n = whole years since.
    pub rexp: f64,
    /// SEXP: the author's earlier commits that touched any of the touched subsystems.
    pub sexp: u64,
    /// How many of the touched files were renamed.
    pub renames: u64,
    /// NDEV counted per file, then the mean over the touched files.
    pub ndev_mean: f64,
    /// NUC counted per file, then the mean over the touched files.
    pub nuc_mean: f64,
}

/// The change measures of many commits, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureTable {
    /// One row for every commit that is not a merge.
    pub rows: Vec<FeatureRow>,
    /// What of the history could be read.
    pub history: HistorySpan,
}

/// How much history an answer stands on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistorySpan {
    /// Commits seen, merges left out.
    pub commits: u64,
    /// Whether the history is cut: a shallow clone, and no imported pack reaches further.
    pub cut: bool,
    /// Commits whose changes could not be read as objects are absent (partial clones) or damaged.
    pub gaps: u64,
    /// Commits, merges left out, that led up to the branch when it was read last and do not any more:
    /// its history was rewritten, for example by a force-push; 0 where it was only continued.
    #[serde(default)]
    pub dropped: u64,
}

/// Arguments of `git.history_export` and `git.history_import`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryPackArgs {
    /// Path of the pack file.
    pub path: String,
}

/// What is in a history pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryPack {
    /// Path of the pack file.
    pub path: String,
    /// The commit that the history leads up to, hexadecimal.
    pub tip: String,
    /// Commits in the pack, merges included.
    pub commits: u64,
    /// File changes in the pack.
    pub file_changes: u64,
    /// Size of the pack in bytes.
    pub bytes: u64,
}

/// Arguments of `git.deepen`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeepenArgs {
    /// The remote to fetch from.
    pub remote: String,
    /// Commits to fetch beyond the cut; 0 for the whole history.
    pub commits: u32,
}

impl Default for DeepenArgs {
    fn default() -> Self {
        DeepenArgs { remote: "origin".to_owned(), commits: 0 }
    }
}

/// What `git.deepen` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deepened {
    /// Whether the history was cut before.
    pub was_cut: bool,
    /// Whether it still is.
    pub is_cut: bool,
}
