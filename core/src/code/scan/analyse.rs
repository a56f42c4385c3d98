//! One analysis of many files, on as many threads as there are processors.

use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::recognise::by_content;
use super::walk::{Met, walk};
use super::{Analysed, Analysis, HUGE, LARGEST, Outcome, Request, SourceFile};
use crate::base::cancel::CancelToken;
use crate::base::port::Progress;
use crate::base::shared::Shared;
use crate::code::cache::Cache;
use crate::code::language::Language;
use crate::code::parse::Reader;
use crate::code::record::{SkipReason, SkippedFile};
use crate::error::Result;

/// What became of one file.
enum Fate<T> {
    Read(Outcome<T>),
    Skipped(SkippedFile),
    Unknown,
    /// Of a language that was not asked for.
    Unwanted,
}

/// Analyses every file that `request` asks for.
///
/// Errors: `path.missing` for a path at which there is nothing, `call.cancelled`, those of the analysis.
pub fn analyse<A: Analysis>(
    mut request: Request<'_>,
    analysis: &A,
    _cache: &Cache,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<Analysed<A::Out>> {
    let walked = walk(&mut request, cancel)?;
    let threads =
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(walked.files.len().max(1));
    let next = AtomicUsize::new(0);
    let done = AtomicU64::new(0);
    let fates: Mutex<Vec<(usize, Fate<A::Out>)>> = Mutex::default();
    let failed: Mutex<Option<crate::error::Error>> = Mutex::default();
    let files = &walked.files;
    let (languages, everything) = (request.languages, request.include_generated);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut work = Work { reader: Reader::default(), buffer: Vec::new() };
                let mut own = Vec::new();
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(met) = files.get(place) else { break };
                    match work.one(met, languages, everything, analysis, cancel) {
                        Ok(fate) => own.push((place, fate)),
                        Err(error) => {
                            *locked(&failed) = Some(error);
                            next.store(usize::MAX / 2, Ordering::Relaxed);
                            break;
                        }
                    }
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if done.is_multiple_of(64) {
                        progress.report(done, files.len() as u64, "files", "code");
                    }
                }
                locked(&fates).append(&mut own);
            });
        }
    });
    if let Some(error) = locked(&failed).take() {
        return Err(error);
    }
    let mut fates = fates.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    fates.sort_unstable_by_key(|(place, _)| *place);
    let mut all = Analysed { files: Vec::new(), skipped: walked.skipped, unknown: walked.unknown };
    for (_, fate) in fates {
        match fate {
            Fate::Read(outcome) => all.files.push(outcome),
            Fate::Skipped(skipped) => all.skipped.push(skipped),
            Fate::Unknown => all.unknown += 1,
            Fate::Unwanted => {}
        }
    }
    all.files.sort_by(|a, b| a.file.path.cmp(&b.file.path));
    all.skipped.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(all)
}

struct Work {
    reader: Reader,
    buffer: Vec<u8>,
}

impl Work {
    fn one<A: Analysis>(
        &mut self,
        met: &Met,
        languages: &[Language],
        include_generated: bool,
        analysis: &A,
        cancel: &CancelToken,
    ) -> Result<Fate<A::Out>> {
        cancel.check()?;
        let skip = |reason: SkipReason, message: &str| {
            Ok(Fate::Skipped(SkippedFile { path: met.path.clone(), reason, message: message.to_owned() }))
        };
        let everything = met.named || include_generated;
        if met.facts.vendored.unwrap_or(met.vendored) && !everything {
            return skip(SkipReason::Vendored, "it is somebody else's code, by its folder or .gitattributes");
        }
        if met.metadata.len() > if met.named { LARGEST } else { HUGE } {
            return skip(SkipReason::Huge, "it is larger than 4 MiB (32 MiB where a file is named)");
        }
        self.buffer.clear();
        if let Err(error) =
            std::fs::File::open(&met.file).and_then(|file| file.take(LARGEST).read_to_end(&mut self.buffer))
        {
            return skip(SkipReason::Unreadable, &format!("it cannot be read: {error}"));
        }
        let file_name = met.path.rsplit('/').next().unwrap_or_default();
        let content = by_content(met.name, &met.facts, file_name, &self.buffer);
        let Some(language) = content.language.filter(|_| met.facts.detectable != Some(false) || met.named)
        else {
            return Ok(Fate::Unknown);
        };
        if !languages.is_empty() && !languages.contains(&language) {
            return Ok(Fate::Unwanted);
        }
        if content.binary && !met.named {
            return skip(SkipReason::Binary, "it is not text");
        }
        if content.generated && !everything {
            return skip(SkipReason::Generated, "a tool wrote it, by its header, its name or .gitattributes");
        }
        if content.minified && !everything {
            return skip(SkipReason::Minified, "its lines are too long to have been written by hand");
        }
        let result = self
            .reader
            .parse(language, &self.buffer, cancel)
            .and_then(|parsed| analysis.analyse(&parsed, cancel));
        let mut result = match result {
            Ok(result) => result,
            Err(error) if error.code() == "code.too_slow" => {
                return skip(SkipReason::TooSlow, error.message());
            }
            Err(error) if error.code() == "language.not_built_in" => {
                return skip(SkipReason::NotBuiltIn, error.message());
            }
            Err(error) => return Err(error),
        };
        let file = SourceFile {
            path: met.path.clone(),
            language,
            bytes: self.buffer.len() as u64,
            generated: content.generated,
        };
        analysis.place(&mut result, &file);
        Ok(Fate::Read(Outcome { file: Shared::new(file), result: Shared::new(result) }))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::port::Silent;
    use crate::code::parse::Parsed;

    /// Counts the named nodes of a file.
    struct Nodes;

    impl Analysis for Nodes {
        type Out = (String, u64);

        fn kind(&self) -> String {
            "nodes/1".to_owned()
        }

        fn analyse(&self, parsed: &Parsed<'_>, _: &CancelToken) -> Result<(String, u64)> {
            Ok((String::new(), parsed.tree.root_node().named_child_count() as u64))
        }

        fn place(&self, out: &mut (String, u64), file: &SourceFile) {
            out.0.clone_from(&file.path);
        }
    }

    fn folder(name: &str, files: &[(&str, &str)]) -> std::path::PathBuf {
        let top = std::env::temp_dir().join(format!("barograph-analyse-{name}-{}", std::process::id()));
        for (path, text) in files {
            let file = top.join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        top.canonicalize().unwrap()
    }

    fn request(top: &std::path::Path) -> Request<'_> {
        Request {
            top,
            from: top,
            paths: &[],
            text: None,
            languages: &[],
            include_generated: false,
            outside: None,
        }
    }

    #[test]
    fn every_file_of_a_folder_has_its_result_or_its_reason() {
        let top = folder(
            "all",
            &[
                ("b/two.py", "a = 1\nb = 2\n"),
                ("a.js", "f();\n"),
                ("tool", "#!/usr/bin/env python3\nx = 1\n"),
                ("notes.txt", "text"),
                ("gen.go", "// Code generated by x. DO NOT EDIT.\n\npackage a\n"),
                ("node_modules/x/y.js", "f();\n"),
                ("blob.c", "\0\0"),
            ],
        );
        let all = analyse(request(&top), &Nodes, &Cache::default(), &Silent, &CancelToken::new()).unwrap();
        let files: Vec<_> = all
            .files
            .iter()
            .map(|one| (one.file.path.as_str(), one.file.language.name(), one.result.1))
            .collect();
        assert_eq!(files, [("a.js", "javascript", 1), ("b/two.py", "python", 2), ("tool", "python", 2)]);
        let skipped: Vec<_> = all.skipped.iter().map(|one| (one.path.as_str(), one.reason)).collect();
        assert_eq!(
            skipped,
            [
                ("blob.c", SkipReason::Binary),
                ("gen.go", SkipReason::Generated),
                ("node_modules/x/y.js", SkipReason::Vendored)
            ]
        );
        assert_eq!(all.unknown, 1);
        std::fs::remove_dir_all(top).unwrap();
    }
}
