//! How complex the files of a tip are: each content is measured once, and kept.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};

use super::Contents;
use super::indentation;
use super::kept::Kept;
use super::tip::TipFile;
use crate::base::cancel::CancelToken;
use crate::code::language::Language;
use crate::code::scan::recognise;
use crate::code::{metrics, parse};
use crate::error::Result;
use crate::git::read::Reader;
use crate::git::record::ComplexityBasis;

/// Where complexities are kept.
const SEGMENT: &str = "git/complexity/v1";

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
pub(super) struct Complexities(Mutex<State>);

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
        files: &[&TipFile],
        contents: Contents<'_>,
        cancel: &CancelToken,
    ) -> Result<Vec<Measured>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State { known, kept } = &mut *state;
        let kept = kept.get_or_insert_with(|| {
            Kept::read(contents.segments, SEGMENT, |mut rows| {
                while let Some((key, measured, rest)) = row(rows) {
                    known.insert(key, measured);
                    rows = rest;
                }
            })
        });
        let open: Vec<&TipFile> =
            files.iter().copied().filter(|file| !known.contains_key(&key(file))).collect();
        let (found, ended) = read_all(&open, contents, cancel, |reader, parser, file| {
            let measured = match reader.size(&file.id) {
                None => return Ok(None),
                Some(size) if size > LARGEST => Measured::Failed,
                Some(_) => match reader.blob(&file.id) {
                    None => return Ok(None),
                    Some(blob) => measure(parser, file, &blob.data, cancel)?,
                },
            };
            Ok(Some((key(file), measured)))
        });
        if !found.is_empty() {
            known.extend(found.iter().cloned());
            kept.add(contents.segments, &rows(found.iter().map(|(key, measured)| (key, measured))), || {
                let live: Vec<Key> = files.iter().map(|file| key(file)).collect();
                rows(live.iter().filter_map(|key| Some((key, known.get(key)?))))
            });
        }
        ended?;
        let of = |file: &&TipFile| known.get(&key(file)).copied().unwrap_or(Measured::Failed);
        Ok(files.iter().map(of).collect())
    }
}

/// Reads files on every core; what was found before the call was cancelled is given too.
pub(super) fn read_all<T: Send>(
    open: &[&TipFile],
    contents: Contents<'_>,
    cancel: &CancelToken,
    one: impl Fn(&mut Reader, &mut parse::Reader, &TipFile) -> Result<Option<T>> + Sync,
) -> (Vec<T>, Result<()>) {
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<T>> = Mutex::default();
    let work = || -> Result<()> {
        let (mut reader, mut parser) = (contents.repo.reader(), parse::Reader::default());
        loop {
            let from = next.fetch_add(PORTION, Ordering::Relaxed);
            let portion = open.get(from..open.len().min(from + PORTION)).unwrap_or_default();
            if portion.is_empty() {
                return Ok(());
            }
            let mut done = Vec::with_capacity(portion.len());
            for file in portion {
                cancel.check()?;
                done.extend(one(&mut reader, &mut parser, file)?);
            }
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.extend(done);
            contents.progress.report(found.len() as u64, open.len() as u64, "files", "contents");
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

const FAILED: u8 = 0;
const OTHER: u8 = 1;
const COGNITIVE: u8 = 2;
const INDENTATION: u8 = 3;
const GENERATED: u8 = 0x80;

/// A row for each content: the length of its id, the id, the length of the ending, the ending, a byte
/// for what it is, the value (f64) and the lines (u32).
fn rows<'a>(found: impl Iterator<Item = (&'a Key, &'a Measured)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for ((id, ending), measured) in found {
        let Ok(length) = u8::try_from(ending.len()) else { continue };
        bytes.push(id.as_bytes().len() as u8);
        bytes.extend_from_slice(id.as_bytes());
        bytes.push(length);
        bytes.extend_from_slice(ending);
        let (kind, value, lines) = match measured {
            Measured::Failed => (FAILED, 0.0, 0),
            Measured::Other => (OTHER, 0.0, 0),
            Measured::Is(is) => {
                let basis = match is.basis {
                    ComplexityBasis::Cognitive => COGNITIVE,
                    ComplexityBasis::Indentation => INDENTATION,
                };
                (basis | if is.generated { GENERATED } else { 0 }, is.value, is.lines)
            }
        };
        bytes.push(kind);
        bytes.extend_from_slice(&value.to_le_bytes());
        // A content has at most 4 MiB, and so have its lines.
        bytes.extend_from_slice(&(lines as u32).to_le_bytes());
    }
    bytes
}

/// The first row and what comes behind it.
fn row(bytes: &[u8]) -> Option<(Key, Measured, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    let (length, rest) = rest.split_first()?;
    let (ending, rest) = rest.split_at_checked(usize::from(*length))?;
    let (kind, rest) = rest.split_first()?;
    let (value, rest) = rest.split_first_chunk::<8>()?;
    let (lines, rest) = rest.split_first_chunk::<4>()?;
    let (value, lines) = (f64::from_le_bytes(*value), u64::from(u32::from_le_bytes(*lines)));
    let is = |basis| Measured::Is(Complexity { value, basis, lines, generated: kind & GENERATED != 0 });
    let measured = match kind & !GENERATED {
        FAILED => Measured::Failed,
        OTHER => Measured::Other,
        COGNITIVE => is(ComplexityBasis::Cognitive),
        INDENTATION => is(ComplexityBasis::Indentation),
        _ => return None,
    };
    Some(((ObjectId::try_from(id).ok()?, ending.into()), measured, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_back() {
        let key = |byte: u8| -> Key { (ObjectId::from_bytes_or_panic(&[byte; 20]), ".c".into()) };
        let is = |value, basis, generated| Measured::Is(Complexity { value, basis, lines: 7, generated });
        let all = [
            (key(1), is(3.5, ComplexityBasis::Cognitive, false)),
            (key(2), Measured::Other),
            (key(3), is(9.0, ComplexityBasis::Indentation, true)),
            (key(4), Measured::Failed),
        ];
        let bytes = rows(all.iter().map(|(key, measured)| (key, measured)));
        let mut rest = bytes.as_slice();
        for (key, measured) in all {
            let (found, value, after) = row(rest).unwrap();
            assert_eq!((found, value), (key, measured));
            rest = after;
        }
        assert!(rest.is_empty() && row(rest).is_none());
    }

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
