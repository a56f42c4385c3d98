//! What `git.szz` takes and answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::git::record::HistorySpan;

/// What makes a commit a fix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SzzFixes {
    /// The words of its message (bug, fix, patch, defect and their forms); names of commits in it
    /// are not looked at.
    Message,
    /// A `Fixes: <id>` trailer or `This reverts commit <id>`.
    Trailers,
    /// Either; where a message names the commit that was wrong, that is the answer.
    #[default]
    Both,
}

/// Arguments of `git.szz`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SzzArgs {
    /// Which fixes: those of `A..B`, or of everything reachable from a revision. Default `HEAD`.
    pub range: Option<String>,
    /// Only lines of files at or below this path, from the top of the repository.
    pub path: Option<String>,
    /// What makes a commit a fix.
    pub fixes: SzzFixes,
    /// These commits are the fixes, whatever their messages say; `range` then gives nothing but
    /// the history.
    pub from_commits: Vec<String>,
    /// Whether a fix that changes no line of code is answered, too, from what else it does: lines that
    /// it moves, imports, comments, texts, and the code around lines that it adds. Such rows say so in
    /// `source` and are right less often.
    pub weak: bool,
    /// Whether every commit that made a line of a fix is answered, and not only the one that made most of
    /// them and any other that made at least two fifths.
    pub all: bool,
}

/// What an answer of `git.szz` stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SzzSource {
    /// The fix changes or removes code that the commit made.
    #[default]
    Lines,
    /// The fix names the commit in a `Fixes:` trailer.
    Trailer,
    /// The fix reverts the commit.
    Revert,
    /// The fix moves code that the commit made.
    Moved,
    /// The fix adds lines among code that the commit made.
    Context,
    /// The fix changes an import that the commit made.
    Import,
    /// The fix changes a text, data or documentation that the commit made.
    Text,
    /// The fix changes a comment that the commit made.
    Comment,
    /// The fix changes blank lines, brackets or line breaks that the commit made.
    Layout,
}

impl SzzSource {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            SzzSource::Lines => "lines",
            SzzSource::Trailer => "trailer",
            SzzSource::Revert => "revert",
            SzzSource::Moved => "moved",
            SzzSource::Context => "context",
            SzzSource::Import => "import",
            SzzSource::Text => "text",
            SzzSource::Comment => "comment",
            SzzSource::Layout => "layout",
        }
    }
}

/// A line that a fix changes, and the commit that made it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SzzRow {
    /// The fix, hexadecimal.
    pub fix: String,
    /// The commit that brought the bug in, hexadecimal.
    pub inducing: String,
    /// The file before the fix; empty where the message names a commit that made none of the lines.
    pub path: String,
    /// The line in that file before the fix, from 1; 0 where `path` is empty.
    pub line: u64,
    /// The file's path in the inducing commit; empty where `path` is.
    pub inducing_path: String,
    /// The line in the inducing commit, from 1; 0 where `path` is empty.
    pub inducing_line: u64,
    /// What the answer stands on.
    pub source: SzzSource,
}

/// Lines that fixes remove and that were not followed, by the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SzzSkipped {
    /// Blank lines.
    pub blank: u64,
    /// Lines of comment or documentation.
    pub comment: u64,
    /// Lines that only import.
    pub imports: u64,
    /// Lines of brackets and punctuation alone.
    pub punctuation: u64,
    /// Lines that stand elsewhere after the fix.
    pub moved: u64,
    /// Lines that are only broken differently after the fix.
    pub reflowed: u64,
    /// Lines of files that the fix deletes.
    pub deleted_files: u64,
    /// Lines of tests, in fixes that change other code, too.
    pub tests: u64,
    /// Files that hold no program: texts, data, records of releases.
    pub no_code_files: u64,
}

impl SzzSkipped {
    /// Adds the counts of `other`.
    pub(super) fn add(&mut self, other: &SzzSkipped) {
        self.blank += other.blank;
        self.comment += other.comment;
        self.imports += other.imports;
        self.punctuation += other.punctuation;
        self.moved += other.moved;
        self.reflowed += other.reflowed;
        self.deleted_files += other.deleted_files;
        self.tests += other.tests;
        self.no_code_files += other.no_code_files;
    }
}

/// Which commits brought in what later commits fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SzzTable {
    /// One row for each line; fixes in the order of history, lines in that of the files.
    pub rows: Vec<SzzRow>,
    /// Fixes looked at, merges left out.
    pub fixes: u64,
    /// Fixes without a row: they only add lines, or none of their lines counts.
    pub unanswered: u64,
    /// Lines that were not followed.
    pub skipped: SzzSkipped,
    /// Lines whose origin lies beyond what this clone holds.
    pub unknown_lines: u64,
    /// What of the history could be read.
    pub history: HistorySpan,
}
