//! From paths to results: which files there are, what each of them is, and one analysis of all.
//!
//! A walk lists files and costs a stat each; only files whose stat is not known are read, and only
//! texts that were not analysed before are parsed.

mod analyse;
pub mod facts;
mod header;
mod notebook;
mod recognise;
mod text;
mod walk;

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::language::Language;
use super::parse::Parsed;
use super::record::SkippedFile;
use crate::base::cancel::CancelToken;
use crate::base::shared::Shared;
use crate::error::Result;

pub use analyse::analyse;
pub use facts::{FileFacts, Outside};
pub use notebook::Cells;
pub use recognise::{Content, is_generated_name, recognise};
pub use walk::{Stamp, is_vendored};

/// Above this size a file that a folder holds is not read, in bytes.
pub const HUGE: u64 = 4 << 20;

/// Above this size not even a file that is named is read, in bytes: its syntax tree takes about
/// twenty times as much memory.
pub const LARGEST: u64 = 32 << 20;

/// Which files are asked for.
pub struct Request<'a> {
    /// Paths in answers are relative to this folder, absolute outside of it; symbolic links resolved.
    pub top: &'a Path,
    /// Relative paths start here, or at the top where there is nothing of that name.
    pub from: &'a Path,
    /// Files and folders; none: everything below `top`.
    pub paths: &'a [String],
    /// Text to read instead of the one file that `paths` names.
    pub text: Option<&'a str>,
    /// Only these languages; none: all.
    pub languages: &'a [Language],
    /// Whether folders also give generated, minified and vendored files.
    pub include_generated: bool,
    /// What is known of files from outside of them; `None` where nothing is.
    pub outside: Option<&'a mut dyn Outside>,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The file relative to the top, `/` between components; absolute outside of it.
    pub path: String,
    /// The language that it was read as.
    pub language: Language,
    /// Size in bytes.
    pub bytes: u64,
    /// Whether a tool wrote it.
    pub generated: bool,
}

/// What one file gave.
#[derive(Clone, Debug)]
pub struct Outcome<T> {
    /// The file.
    pub file: Shared<SourceFile>,
    /// What the analysis made of it; shared with the cache.
    pub result: Shared<T>,
}

/// What all files gave.
#[derive(Clone, Debug)]
pub struct Analysed<T> {
    /// The files that were read, sorted by path.
    pub files: Vec<Outcome<T>>,
    /// The files that were met and not read, sorted by path.
    pub skipped: Vec<SkippedFile>,
    /// Files of no known language.
    pub unknown: u64,
}

/// Something that is read from a file's syntax tree and from nothing else, so that it can be kept.
pub trait Analysis: Sync {
    /// What one file gives.
    type Out: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Names the analysis, its version, and every setting that it depends on, for example
    /// `metrics/1`: what was kept under another name is not used.
    fn kind(&self) -> String;

    /// Reads one file.
    ///
    /// Errors: of code `code.too_slow` make the file a skipped one, all others end the whole call.
    fn analyse(&self, parsed: &Parsed<'_>, cancel: &CancelToken) -> Result<Self::Out>;

    /// Puts a notebook's cells into what [`analyse`](Self::analyse) gave.
    fn in_cells(&self, _out: &mut Self::Out, _cells: &Cells) {}

    /// Puts in what belongs to the file and not to its text, such as its path.
    fn place(&self, _out: &mut Self::Out, _file: &SourceFile) {}
}
