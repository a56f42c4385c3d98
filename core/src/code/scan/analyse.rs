//! One analysis of many files, on as many threads as there are processors.

use std::any::Any;
use std::io::Read;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::facts::FileFacts;
use super::notebook;
use super::recognise::{ByName, Content, by_shebang};
use super::walk::{Met, walk};
use super::{Analysed, Analysis, HUGE, LARGEST, Outcome, Request, SourceFile};
use crate::base::cancel::CancelToken;
use crate::base::port::{Progress, Segments};
use crate::base::shared::Shared;
use crate::code::cache::{Cache, Found, Key, Piece, Remembered, Row, Stored, hash, kind_number, source_file};
use crate::code::language::Language;
use crate::code::parse::{Reader, not_built_in};
use crate::code::record::{SkipReason, SkippedFile};
use crate::error::{Error, Result};

/// How many bytes of a file without an ending are read to see whether it names an interpreter.
const FIRST_LINE: u64 = 512;

/// From so many files on that must be read, their texts may be those of another branch, seen before.
const MANY: usize = 256;

/// A buffer that grew beyond this is given back.
const USUAL: usize = 1 << 20;

/// What became of one file.
enum Fate<T> {
    Read(Outcome<T>),
    Skipped(SkippedFile),
    Unknown,
    /// Of a language that was not asked for.
    Unwanted,
}

/// Analyses every file that `request` asks for; what is known from before is neither read nor parsed.
///
/// Errors: `path.missing` for a path at which there is nothing, `args.invalid` for a text without
/// one path, `language.unknown` for a text whose path tells no language, `call.cancelled`, those of
/// the analysis.
pub fn analyse<A: Analysis>(
    mut request: Request<'_>,
    analysis: &A,
    cache: &Cache,
    segments: Option<&dyn Segments>,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<Analysed<A::Out>> {
    if let Some(text) = request.text {
        return super::text::analyse_text(&mut request, text, analysis, cancel);
    }
    let walked = walk(&mut request, cancel)?;
    let kind = analysis.kind();
    let number = kind_number(&kind);
    let name = kind.split('/').next().unwrap_or_default();
    let arounds: Vec<u64> = walked.files.iter().map(|met| met.around().number()).collect();
    let known =
        walked.files.iter().zip(&arounds).map(|(met, around)| (met.path.as_str(), &met.stamp, *around));
    let remembered = cache.look_up(segments, number, known);
    let plan = Plan { analysis, kind: number, name, request: &Wish::of(&request), cache, segments, cancel };

    let mut fates: Vec<Option<Fate<A::Out>>> = Vec::with_capacity(walked.files.len());
    let mut open = Vec::new();
    for (at, (met, memory)) in walked.files.iter().zip(&remembered).enumerate() {
        let fate = plan.at_once(met, memory);
        if fate.is_none() {
            open.push(at);
        }
        fates.push(fate);
    }
    if !open.is_empty() {
        // The largest first, so that no thread is left alone with one at the end.
        open.sort_by_key(|at| (std::cmp::Reverse(walked.files[*at].stamp.size), *at));
        plan.rest(&walked.files, &arounds, &remembered, &open, &mut fates, progress)?;
    }
    if request.paths.is_empty() {
        cache.retain(&walked.files.iter().map(|met| met.path.as_str()).collect());
    }
    if let Some(segments) = segments {
        cache.save(segments);
    }
    let mut all =
        Analysed { files: Vec::with_capacity(fates.len()), skipped: walked.skipped, unknown: walked.unknown };
    for fate in fates.into_iter().flatten() {
        match fate {
            Fate::Read(outcome) => all.files.push(outcome),
            Fate::Skipped(skipped) => all.skipped.push(skipped),
            Fate::Unknown => all.unknown += 1,
            Fate::Unwanted => {}
        }
    }
    all.skipped.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(all)
}

/// What of a request decides whether a file is read.
struct Wish<'a> {
    languages: &'a [Language],
    include_generated: bool,
}

impl<'a> Wish<'a> {
    fn of(request: &Request<'a>) -> Wish<'a> {
        Wish { languages: request.languages, include_generated: request.include_generated }
    }
}

/// One call.
struct Plan<'a, A> {
    analysis: &'a A,
    kind: u64,
    name: &'a str,
    request: &'a Wish<'a>,
    cache: &'a Cache,
    segments: Option<&'a dyn Segments>,
    cancel: &'a CancelToken,
}

type Anything = Arc<dyn Any + Send + Sync>;

impl<A: Analysis> Plan<'_, A> {
    /// What becomes of a file that need not be read.
    fn at_once(&self, met: &Met, memory: &Remembered) -> Option<Fate<A::Out>> {
        let everything = met.named || self.request.include_generated;
        if let ByName::Language(language) = met.name
            && met.facts.language.is_none()
            && !self.wants(language)
        {
            return Some(Fate::Unwanted);
        }
        if met.facts.vendored == Some(true) && !everything {
            return Some(skipped(
                met,
                SkipReason::Vendored,
                "it is somebody else's code, as .gitattributes say",
            ));
        }
        if let ByName::Language(language) = met.name
            && met.facts == FileFacts::default()
            && !language.is_built_in()
        {
            return Some(skipped(met, SkipReason::NotBuiltIn, not_built_in(language).message()));
        }
        if met.name != ByName::Shebang
            && let Some(fate) = too_large(met)
        {
            return Some(fate);
        }
        let row = memory.row.as_ref()?;
        if let Some(fate) = self.passed_over(met, &row.content) {
            return Some(fate);
        }
        let result = memory.done.as_ref()?;
        self.outcome(memory.file.clone()?, result)
    }

    fn outcome(&self, file: Shared<SourceFile>, result: &Anything) -> Option<Fate<A::Out>> {
        let result = Arc::clone(result).downcast::<A::Out>().ok()?;
        Some(Fate::Read(Outcome { file, result: result.into() }))
    }

    fn wants(&self, language: Language) -> bool {
        self.request.languages.is_empty() || self.request.languages.contains(&language)
    }

    /// What becomes of a file that is not to be read, by what it is.
    fn passed_over(&self, met: &Met, content: &Content) -> Option<Fate<A::Out>> {
        let everything = met.named || self.request.include_generated;
        let Some(language) = content.language.filter(|_| met.facts.detectable != Some(false) || met.named)
        else {
            return Some(Fate::Unknown);
        };
        if !self.wants(language) {
            return Some(Fate::Unwanted);
        }
        if content.binary && !met.named {
            return Some(skipped(met, SkipReason::Binary, "it is not text"));
        }
        if content.generated && !everything {
            return Some(skipped(
                met,
                SkipReason::Generated,
                "a tool wrote it, by its header, its name or .gitattributes",
            ));
        }
        if content.minified && !everything {
            return Some(skipped(
                met,
                SkipReason::Minified,
                "its lines are too long to have been written by hand",
            ));
        }
        None
    }

    /// Reads the `open` files, in parallel.
    fn rest(
        &self,
        files: &[Met],
        arounds: &[u64],
        remembered: &[Remembered],
        open: &[usize],
        fates: &mut [Option<Fate<A::Out>>],
        progress: &dyn Progress,
    ) -> Result<()> {
        // A text that changed is one that the store seldom has, unless many did at once.
        let many = open.len() >= MANY;
        let wanted: Vec<Key> = open
            .iter()
            .filter_map(|at| match (&remembered[*at].row, &remembered[*at].before) {
                (Some(row), _) => Some(row),
                (None, Some((row, done))) if done.is_none() || many => Some(row),
                _ => None,
            })
            .map(|row| Key::new(self.kind, row))
            .collect();
        let stored = self.cache.stored(self.segments, self.name, self.kind, &wanted);
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(open.len());
        let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
        let failed: Mutex<Option<Error>> = Mutex::default();
        let made: Mutex<Vec<(usize, Fate<A::Out>)>> = Mutex::default();
        let turn = || {
            let mut work = Work {
                plan: self,
                stored: &stored,
                reader: Reader::default(),
                buffer: Vec::new(),
                piece: Piece::default(),
                found: Vec::new(),
            };
            let mut own = Vec::new();
            while let Some(&at) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                match work.one(&files[at], arounds[at], &remembered[at]) {
                    Ok(fate) => own.push((at, fate)),
                    Err(error) => {
                        *locked(&failed) = Some(error);
                        next.store(open.len(), Ordering::Relaxed);
                    }
                }
                let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                if done.is_multiple_of(32) || done == open.len() as u64 {
                    progress.report(done, open.len() as u64, "files", "code");
                }
            }
            work.end();
            locked(&made).append(&mut own);
        };
        if threads == 1 {
            turn();
        } else {
            std::thread::scope(|scope| {
                let others: Vec<_> = (0..threads).map(|_| scope.spawn(turn)).collect();
                others.into_iter().for_each(|thread| {
                    if let Err(panic) = thread.join() {
                        *locked(&failed) = Some(crate::base::runtime::from_panic(panic.as_ref()));
                    }
                });
            });
        }
        if let Some(error) = locked(&failed).take() {
            return Err(error);
        }
        for (at, fate) in made.into_inner().unwrap_or_else(PoisonError::into_inner) {
            fates[at] = Some(fate);
        }
        Ok(())
    }
}

fn skipped<T>(met: &Met, reason: SkipReason, message: &str) -> Fate<T> {
    Fate::Skipped(SkippedFile { path: met.path.clone(), reason, message: message.to_owned() })
}

fn too_large<T>(met: &Met) -> Option<Fate<T>> {
    let (limit, message) =
        if met.named { (LARGEST, "it is larger than 32 MiB") } else { (HUGE, "it is larger than 4 MiB") };
    (met.stamp.size > limit).then(|| skipped(met, SkipReason::Huge, message))
}

/// One thread's share.
struct Work<'a, A> {
    plan: &'a Plan<'a, A>,
    stored: &'a Stored,
    reader: Reader,
    buffer: Vec<u8>,
    piece: Piece,
    found: Vec<Found>,
}

impl<A: Analysis> Work<'_, A> {
    fn one(&mut self, met: &Met, around: u64, memory: &Remembered) -> Result<Fate<A::Out>> {
        self.plan.cancel.check()?;
        if let Some(row) = &memory.row {
            // Known by its stamp, with a result that may be in the store.
            if let Some(result) = self.stored.get(&Key::new(self.plan.kind, row)) {
                return Ok(self.finish(met, row.clone(), result));
            }
        }
        if let Err(error) = self.read(met) {
            return Ok(skipped(met, SkipReason::Unreadable, &format!("it cannot be read: {error}")));
        }
        let content = met.around().content(&self.buffer);
        let row = Row {
            stamp: met.stamp,
            settled: met.settled,
            around,
            content,
            hash: content.language.map_or_else(Default::default, |_| hash(&self.buffer)),
        };
        if let Some(fate) = self.plan.passed_over(met, &content) {
            self.found.push(Found { path: met.path.clone(), row, file: None, done: None });
            return Ok(fate);
        }
        if let Some((before, done)) = &memory.before
            && (before.hash, before.content) == (row.hash, row.content)
            && let Some(done) = done
            && let Some(file) = source_file(&met.path, &row)
            && let Some(fate) = self.plan.outcome(file.clone(), done)
        {
            self.found.push(Found {
                path: met.path.clone(),
                row,
                file: Some(file),
                done: Some(Arc::clone(done)),
            });
            return Ok(fate);
        }
        let Some(language) = content.language else { return Ok(Fate::Unknown) };
        // A file without an ending is of a language only now.
        if let Some(fate) = too_large(met) {
            return Ok(fate);
        }
        let key = Key::new(self.plan.kind, &row);
        if let Some(result) = self.stored.get(&key) {
            return Ok(self.finish(met, row, result));
        }
        let form = (language, content.notebook);
        match parse(&mut self.reader, &self.buffer, form, self.plan.analysis, self.plan.cancel) {
            Ok(result) => {
                if self.plan.segments.is_some() {
                    self.piece.add(key, &result);
                    if self.piece.is_full() {
                        self.flush();
                    }
                }
                Ok(self.finish(met, row, result))
            }
            Err(error) => match reason(&error) {
                Some(reason) => Ok(skipped(met, reason, error.message())),
                None => Err(error),
            },
        }
    }

    /// Places a result and remembers it.
    fn finish(&mut self, met: &Met, row: Row, mut result: A::Out) -> Fate<A::Out> {
        let Some(file) = source_file(&met.path, &row) else { return Fate::Unknown };
        self.plan.analysis.place(&mut result, &file);
        let result = Arc::new(result);
        let done: Anything = Arc::clone(&result) as Anything;
        self.found.push(Found { path: met.path.clone(), row, file: Some(file.clone()), done: Some(done) });
        Fate::Read(Outcome { file, result: result.into() })
    }

    /// Reads the file into the buffer; of one without an ending no more than is needed.
    fn read(&mut self, met: &Met) -> std::io::Result<()> {
        self.buffer.clear();
        if self.buffer.capacity() > USUAL {
            self.buffer = Vec::new();
        }
        let mut file = std::fs::File::open(&met.file)?;
        if met.name == ByName::Shebang && met.facts.language.is_none() {
            (&mut file).take(FIRST_LINE).read_to_end(&mut self.buffer)?;
            if by_shebang(&self.buffer).is_none() || too_large::<()>(met).is_some() {
                return Ok(());
            }
        }
        self.buffer.reserve(usize::try_from(met.stamp.size.min(LARGEST)).unwrap_or(0) + 1);
        file.take(LARGEST).read_to_end(&mut self.buffer)?;
        Ok(())
    }

    fn flush(&mut self) {
        if let Some(segments) = self.plan.segments {
            self.plan.cache.keep(segments, self.plan.name, &mut self.piece);
        }
        self.plan.cache.remember(self.plan.kind, std::mem::take(&mut self.found));
    }

    fn end(mut self) {
        self.flush();
    }
}

/// Parses a text, or the code cells of a notebook, and analyses it.
pub(super) fn parse<A: Analysis>(
    reader: &mut Reader,
    text: &[u8],
    (language, is_notebook): (Language, bool),
    analysis: &A,
    cancel: &CancelToken,
) -> Result<A::Out> {
    if !is_notebook {
        return analysis.analyse(&reader.parse(language, text, cancel)?, cancel);
    }
    let (code, cells) = notebook::code(text).unwrap_or_default();
    let mut result = analysis.analyse(&reader.parse(language, &code, cancel)?, cancel)?;
    analysis.in_cells(&mut result, &cells);
    Ok(result)
}

/// The reason to skip a file after an error; `None` where the call cannot go on.
fn reason(error: &Error) -> Option<SkipReason> {
    match error.code() {
        "code.too_slow" => Some(SkipReason::TooSlow),
        "language.not_built_in" => Some(SkipReason::NotBuiltIn),
        _ => None,
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::port::{Memory, Silent};
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
        let all =
            analyse(request(&top), &Nodes, &Cache::default(), None, &Silent, &CancelToken::new()).unwrap();
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
                ("node_modules", SkipReason::Vendored)
            ]
        );
        assert_eq!(all.unknown, 1);
        std::fs::remove_dir_all(top).unwrap();
    }

    /// Counts how often a text was parsed.
    struct Counting(AtomicUsize);

    impl Analysis for Counting {
        type Out = u64;

        fn kind(&self) -> String {
            "counting/1".to_owned()
        }

        fn analyse(&self, parsed: &Parsed<'_>, _: &CancelToken) -> Result<u64> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(parsed.text.len() as u64)
        }
    }

    fn count(top: &std::path::Path, cache: &Cache, segments: &Memory) -> (usize, Vec<u64>) {
        let counting = Counting(AtomicUsize::new(0));
        let all =
            analyse(request(top), &counting, cache, Some(segments), &Silent, &CancelToken::new()).unwrap();
        (counting.0.into_inner(), all.files.iter().map(|one| *one.result).collect())
    }

    #[test]
    fn only_new_texts_are_parsed_and_damage_costs_time_and_nothing_else() {
        let top = folder("kept", &[("a.py", "a = 1\n"), ("b.py", "b = 22\n"), ("c.js", "c(333);\n")]);
        let (segments, sizes) = (Memory::default(), vec![6, 7, 8]);
        let cache = Cache::default();
        assert_eq!(count(&top, &cache, &segments), (3, sizes.clone()));
        assert_eq!(count(&top, &cache, &segments), (0, sizes.clone()));
        // Another process, with what is kept.
        assert_eq!(count(&top, &Cache::default(), &segments), (0, sizes.clone()));
        // A moved file is known by its content.
        std::fs::rename(top.join("a.py"), top.join("z.py")).unwrap();
        assert_eq!(count(&top, &Cache::default(), &segments), (0, vec![7, 8, 6]));
        std::fs::write(top.join("b.py"), "b = 11\n").unwrap();
        // The new text and the moved one: for a single new name the store is not asked, as reading all
        // that it holds takes longer than parsing one file.
        assert_eq!(count(&top, &cache, &segments).0, 2);
        let sizes = vec![7, 8, 6];
        for name in ["code/files/v1", "code/counting/v1"] {
            let (tip, bytes) = segments.read(name).unwrap().unwrap();
            for at in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[at] ^= 0x10;
                segments.replace(name, &tip, &damaged).unwrap();
                assert_eq!(count(&top, &Cache::default(), &segments).1, sizes, "{name} at {at}");
                damaged.truncate(at);
                segments.replace(name, &tip, &damaged).unwrap();
                assert_eq!(count(&top, &Cache::default(), &segments).1, sizes, "{name} up to {at}");
            }
            assert_eq!(count(&top, &Cache::default(), &segments), (0, sizes.clone()));
        }
        std::fs::remove_dir_all(top).unwrap();
    }
}
