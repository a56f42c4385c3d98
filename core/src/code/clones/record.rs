//! What `code.clones` takes and answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::code::record::SkippedFile;

/// Arguments of `code.clones`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CodeClonesArgs {
    /// Files and folders, relative to the workspace's top or absolute; none: the whole workspace.
    /// A file that is named is always read; in folders, what git ignores is left out.
    pub paths: Vec<String>,
    /// Only these languages, by name; none: all.
    pub languages: Vec<String>,
    /// Whether folders also give generated, minified and vendored files.
    pub include_generated: bool,
    /// The shortest duplicate that is reported, in tokens, from 20.
    pub min_tokens: u64,
    /// Whether code that differs in names only is a duplicate.
    pub ignore_names: bool,
    /// Whether code that differs in numbers, texts and other literals only is a duplicate.
    pub ignore_literals: bool,
}

impl Default for CodeClonesArgs {
    fn default() -> Self {
        CodeClonesArgs {
            paths: Vec::new(),
            languages: Vec::new(),
            include_generated: false,
            min_tokens: 100,
            ignore_names: false,
            ignore_literals: false,
        }
    }
}

impl From<&str> for CodeClonesArgs {
    fn from(path: &str) -> Self {
        CodeClonesArgs { paths: vec![path.to_owned()], ..CodeClonesArgs::default() }
    }
}

/// Duplicated blocks of files, and what was not read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeClones {
    /// The duplicated blocks, longest first. Each has a place that no longer one covers.
    pub groups: Vec<CloneGroup>,
    /// How many files were read.
    pub files: u64,
    /// Tokens of these files; comments and imports are none.
    pub tokens: u64,
    /// Tokens of them that stand in a reported place.
    pub duplicated_tokens: u64,
    /// Files that were met and not read, sorted by path; files of no known language are only counted.
    pub skipped: Vec<SkippedFile>,
    /// Files of no known language that folders held.
    pub unknown: u64,
}

/// Blocks of code that are equal but for layout and comments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloneGroup {
    /// How long each of them is, in tokens: from the start of a statement to the end of one.
    pub tokens: u64,
    /// How many lines the first of them takes.
    pub lines: u64,
    /// Where they are, sorted by path and line; two at least, and no two overlap.
    pub places: Vec<ClonePlace>,
}

/// Where a duplicated block is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ClonePlace {
    /// The file, relative to the workspace's top, `/` between components; absolute outside of it.
    pub path: String,
    /// First line, from 1.
    pub line: u64,
    /// Last line, from 1.
    pub end_line: u64,
    /// The function in which it starts, qualified by its classes; empty outside of functions.
    pub function: String,
}
