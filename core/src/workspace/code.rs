//! `code.*`: what is read from files as they are on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Shared, Workspace};
use crate::base::cancel::CancelToken;
use crate::base::port::Segments;
use crate::base::runtime::compute;
use crate::code::language::Language;
use crate::code::metrics;
use crate::code::parse::Parsed;
use crate::code::record::*;
use crate::code::scan::{Analysed, Analysis, Cells, Outside, Request, SourceFile, analyse};
use crate::error::{Error, Result};
use crate::git::Attributes;
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
    let mut attributes = shared.repository().ok().map(Attributes::of);
    let request = Request {
        top: &top,
        from: &from,
        paths: &files.paths,
        text: files.text.as_deref(),
        languages: &languages,
        include_generated: files.include_generated,
        outside: attributes.as_mut().map(|attributes| attributes as &mut dyn Outside),
    };
    // Where nothing is kept, writing results down would only cost time.
    let segments = shared.store.path().map(|_| shared.store.as_ref() as &dyn Segments);
    analyse(request, analysis, &shared.code, segments, &shared.bus, cancel)
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

/// The metrics of a file.
struct Metrics;

impl Analysis for Metrics {
    type Out = FileMetrics;

    fn kind(&self) -> String {
        "metrics/1".to_owned()
    }

    fn analyse(&self, parsed: &Parsed<'_>, cancel: &CancelToken) -> Result<FileMetrics> {
        metrics::measure(parsed, cancel)
    }

    fn in_cells(&self, out: &mut FileMetrics, cells: &Cells) {
        // The lines between the cells are no one's.
        let between = out.lines.total.saturating_sub(cells.lines());
        out.lines.total -= between;
        out.lines.blank = out.lines.blank.saturating_sub(between);
    }

    fn place(&self, out: &mut FileMetrics, file: &SourceFile) {
        out.path.clone_from(&file.path);
        out.bytes = file.bytes;
        out.generated = file.generated;
        // Many files are held at once: what grew in steps gives back what it has too much.
        out.functions.shrink_to_fit();
        out.classes.shrink_to_fit();
        for function in &mut out.functions {
            function.name.shrink_to_fit();
            function.qualified.shrink_to_fit();
        }
    }
}

impl Code {
    /// Metrics of files as they are on disk, or of a text that is not: of every function, class and
    /// file. Files that did not change since they were read before cost a stat.
    ///
    /// Errors: `path.missing`, `language.unknown`, `args.invalid`, `git.bare`, `call.cancelled`; with
    /// `text` also `language.not_built_in` and `code.too_slow`.
    ///
    /// ```
    /// # barograph::blocking::wait(async {
    /// # use barograph::{CodeMetricsArgs, OpenArgs, Workspace};
    /// let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
    /// let text = "def f(a):\n    return 1 if a else 2\n".to_owned();
    /// let args = CodeMetricsArgs { paths: vec!["f.py".to_owned()], text: Some(text), ..Default::default() };
    /// let metrics = ws.code().metrics(args).await?;
    /// assert_eq!(metrics.files[0].functions[0].cyclomatic, 2);
    /// # Ok::<(), barograph::Error>(()) }).unwrap();
    /// ```
    pub async fn metrics(&self, args: impl Into<CodeMetricsArgs>) -> Result<CodeMetrics> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        compute(move |cancel| {
            let CodeMetricsArgs { paths, text, languages, include_generated, rows } = args;
            let files = Files { paths, text, languages, include_generated };
            let all = analyse_files(&shared, &files, &Metrics, cancel)?;
            Ok(CodeMetrics {
                files: all.files.into_iter().map(|one| one.result).collect(),
                skipped: all.skipped,
                unknown: all.unknown,
                rows,
            })
        })
        .await
    }

    /// The languages that can be read, and how their files are recognised.
    pub async fn languages(&self, _: NoArgs) -> Result<LanguageTable> {
        self.0.alive()?;
        Ok(LanguageTable { languages: Language::all().map(Language::describe).collect() })
    }
}
