//! `code.*`: what is read from files as they are on disk.

use std::path::{Path, PathBuf};

use super::{Shared, Workspace};
use crate::base::cancel::CancelToken;
use crate::code::language::Language;
use crate::code::record::*;
use crate::code::scan::{Analysed, Analysis, Request, analyse};
use crate::error::{Error, Result};
use crate::session::record::NoArgs;

/// Reads of files as they are on disk: metrics and the languages that are known.
#[derive(Clone, Debug)]
pub struct Code(pub(crate) Workspace);

/// Which files an operation is about, as its arguments say it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    /// Files and folders; none: the whole workspace.
    pub paths: Vec<String>,
    /// Text to read instead of the one path's file.
    pub text: Option<String>,
    /// Only these languages, by name; none: all.
    pub languages: Vec<String>,
    /// Whether folders also give generated, minified and vendored files.
    pub include_generated: bool,
}

/// Analyses files of the workspace; what was analysed before and did not change costs a stat. Blocks.
///
/// Errors: `path.missing`, `language.unknown`, `git.bare` where there are no files, `call.cancelled`.
pub(crate) fn analyse_files<A: Analysis>(
    shared: &Shared,
    files: &Files,
    analysis: &A,
    cancel: &CancelToken,
) -> Result<Analysed<A::Out>> {
    let languages = files.languages.iter().map(|name| named(name)).collect::<Result<Vec<Language>>>()?;
    let (top, from) = folders(shared, files)?;
    let request = Request {
        top: &top,
        from: &from,
        paths: &files.paths,
        text: files.text.as_deref(),
        languages: &languages,
        include_generated: files.include_generated,
        outside: None,
    };
    analyse(request, analysis, &shared.code, &shared.bus, cancel)
}

pub(crate) fn named(name: &str) -> Result<Language> {
    Language::of_name(name).ok_or_else(|| {
        let known: Vec<&str> = Language::all().map(Language::name).collect();
        Error::new(
            "language.unknown",
            format!("no language `{name}` is known; name one of {}", known.join(", ")),
        )
        .with("language", name)
    })
}

/// The folder that paths in answers are relative to, and the one where relative paths start.
fn folders(shared: &Shared, files: &Files) -> Result<(PathBuf, PathBuf)> {
    let absolute = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    let from = absolute(&shared.path).unwrap_or_else(|_| shared.path.clone());
    let Ok(repository) = shared.repository() else { return Ok((from.clone(), from)) };
    if repository.is_bare() && files.text.is_none() && files.paths.is_empty() {
        return Err(Error::new(
            "git.bare",
            format!(
                "the repository at `{}` is bare and has no files on disk; name paths, or open a work tree of it",
                repository.top().display()
            ),
        )
        .with("path", repository.top().display()));
    }
    Ok((repository.top().to_owned(), from))
}

impl Code {
    /// The languages that can be read, and how their files are recognised.
    pub async fn languages(&self, _: NoArgs) -> Result<LanguageTable> {
        self.0.alive()?;
        Ok(LanguageTable { languages: Language::all().map(Language::describe).collect() })
    }
}
