//! How complex the files of a tip are: each content is measured once, and kept.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};

use super::indentation;
use super::kept::Kept;
use super::tip::TipFile;
use crate::base::cancel::CancelToken;
use crate::base::port::{Progress, Segments};
use crate::code::language::Language;
use crate::code::scan::recognise;
use crate::code::{metrics, parse};
use crate::error::Result;
use crate::git::record::ComplexityBasis;
use crate::git::repository::Repository;

/// Larger files are not measured.
const LARGEST: u64 = 4 << 20;

/// Files that one thread takes at a time.
const PORTION: usize = 32;

/// Endings and whole names of files of code in languages without a grammar here.
const OTHER_CODE: &[&str] = &[
    "adb",
    "ads",
    "asm",
    "bat",
    "clj",
    "cljc",
    "cljs",
    "cmake",
    "coffee",
    "cr",
    "cu",
    "cuh",
    "d",
    "dart",
    "el",
    "elm",
    "erl",
    "ex",
    "exs",
    "f",
    "f90",
    "fs",
    "fsx",
    "gd",
    "gleam",
    "glsl",
    "gradle",
    "groovy",
    "hrl",
    "hs",
    "jl",
    "l",
    "less",
    "lisp",
    "lua",
    "m",
    "m4",
    "mk",
    "ml",
    "mli",
    "mm",
    "nim",
    "nix",
    "pas",
    "pl",
    "pm",
    "ps1",
    "psm1",
    "proto",
    "pyx",
    "r",
    "rkt",
    "s",
    "scm",
    "scss",
    "sol",
    "sql",
    "sv",
    "svelte",
    "sty",
    "t",
    "tcl",
    "tf",
    "v",
    "vb",
    "vhd",
    "vhdl",
    "vim",
    "vue",
    "y",
    "zig",
    "makefile",
    "dockerfile",
    "cmakelists.txt",
    "build.bazel",
    "justfile",
];

/// How complex a file is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Complexity {
    pub value: f64,
    pub basis: ComplexityBasis,
    /// Lines that are not blank.
    pub lines: u64,
    /// Whether its head or its long lines say that a tool wrote it.
    pub generated: bool,
}

/// What was found for a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Measured {
    /// Not readable, not text or too large.
    Failed,
    /// It is no code.
    Other,
    Is(Complexity),
}

/// A content, and what its name ends in: that decides the language.
pub(super) type Key = (ObjectId, BString);

fn key(file: &TipFile) -> Key {
    let name = file.path.rfind_byte(b'/').map_or(0, |slash| slash + 1);
    let ending = file.path[name..].rfind_byte(b'.').map_or(name, |dot| name + dot);
    (file.id, file.path[ending..].into())
}

/// What a name says of whether it is code; a name without an ending may be that of a script.
pub(super) fn may_be_code(path: &BStr) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_str_lossy();
    let extension = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, ending)| ending);
    is_other_code(&name)
        || Language::of_file_name(&name).is_some()
        || extension.is_none_or(|ending| Language::of_extension(ending).is_some())
}

/// Whether it is code in a language without a grammar here.
fn is_other_code(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ending = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map(|(_, ending)| ending);
    OTHER_CODE.contains(&name.as_str()) || ending.is_some_and(|ending| OTHER_CODE.contains(&ending))
}

/// Complexity by content and ending of the name, in memory and in the store: the next tip has mostly
/// the same files.
#[derive(Debug, Default)]
pub struct Complexities(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: HashMap<Key, Measured>,
    /// The store's; `None` until it was read.
    kept: Option<Kept>,
}

impl Complexities {
    /// The complexity of each of `files`; what was measured before is not read again.
    ///
    /// Errors: `call.cancelled`; what was measured by then is kept.
    pub(super) fn of(
        &self,
        repo: &Repository,
        files: &[&TipFile],
        segments: &dyn Segments,
        progress: &dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Vec<Measured>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State { known, kept } = &mut *state;
        let kept = kept.get_or_insert_with(|| Kept::read(segments, known));
        let open: Vec<&TipFile> =
            files.iter().copied().filter(|file| !known.contains_key(&key(file))).collect();
        let (found, ended) = measure_all(repo, &open, progress, cancel);
        if !found.is_empty() {
            known.extend(found.iter().cloned());
            let live: Vec<Key> = files.iter().map(|file| key(file)).collect();
            kept.add(segments, &found, &live, known);
        }
        ended?;
        let of = |file: &&TipFile| known.get(&key(file)).copied().unwrap_or(Measured::Failed);
        Ok(files.iter().map(of).collect())
    }
}

/// Measures files on every core; what was found before the call was cancelled is given too. Contents
/// that are not in this clone are left out.
fn measure_all(
    repo: &Repository,
    open: &[&TipFile],
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> (Vec<(Key, Measured)>, Result<()>) {
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<(Key, Measured)>> = Mutex::default();
    let work = || -> Result<()> {
        let (mut reader, mut parser) = (repo.reader(), parse::Reader::default());
        loop {
            let from = next.fetch_add(PORTION, Ordering::Relaxed);
            let portion = open.get(from..open.len().min(from + PORTION)).unwrap_or_default();
            if portion.is_empty() {
                return Ok(());
            }
            let mut done = Vec::with_capacity(portion.len());
            for file in portion {
                cancel.check()?;
                let measured = match reader.size(&file.id) {
                    None => continue,
                    Some(size) if size > LARGEST => Measured::Failed,
                    Some(_) => match reader.blob(&file.id) {
                        None => continue,
                        Some(blob) => measure(&mut parser, file, &blob.data, cancel)?,
                    },
                };
                done.push((key(file), measured));
            }
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.extend(done);
            progress.report(found.len() as u64, open.len() as u64, "files", "complexity");
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let ended = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..workers.min(open.len().div_ceil(PORTION))).map(|_| scope.spawn(work)).collect();
        let mut ended = Ok(());
        for thread in threads {
            match thread.join() {
                Ok(result) => ended = ended.and(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        ended
    });
    (found.into_inner().unwrap_or_else(PoisonError::into_inner), ended)
}

fn measure(
    parser: &mut parse::Reader,
    file: &TipFile,
    text: &[u8],
    cancel: &CancelToken,
) -> Result<Measured> {
    let path = file.path.to_str_lossy();
    let content = recognise(&path, text);
    let name = path.rsplit('/').next().unwrap_or_default();
    if content.language.is_none() && !is_other_code(name) {
        return Ok(Measured::Other);
    }
    if content.binary {
        return Ok(Measured::Failed);
    }
    let (levels, lines) = indentation::measure(text);
    let generated = content.generated || content.minified;
    let by_indentation =
        Complexity { value: levels as f64, basis: ComplexityBasis::Indentation, lines, generated };
    let Some(language) = content.language else { return Ok(Measured::Is(by_indentation)) };
    match parser.parse(language, text, cancel).and_then(|parsed| metrics::measure(&parsed, cancel)) {
        Ok(found) => {
            let (value, basis) = (found.cognitive as f64, ComplexityBasis::Cognitive);
            Ok(Measured::Is(Complexity { value, basis, ..by_indentation }))
        }
        Err(error) if error.code() == "call.cancelled" => Err(error),
        Err(_) => Ok(Measured::Is(by_indentation)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_by_name() {
        for path in ["a/b.tcl", "Makefile", "x/CMakeLists.txt", "x.vue", "q.sql", "x.py", "bin/tool"] {
            assert!(may_be_code(path.into()), "{path}");
        }
        for path in ["README.md", "a.json", "x/y.txt", "a.yml", "d.c.orig"] {
            assert!(!may_be_code(path.into()), "{path}");
        }
        assert!(is_other_code("Makefile") && is_other_code("x.TCL"));
        assert!(!is_other_code("x.py") && !is_other_code("tool") && !is_other_code(".d"));
    }
}
