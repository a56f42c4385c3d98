//! `git.hotspots`: files that are complex and change often (Tornhill: Your Code as a Crime Scene).

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};

use super::scope::{Paths, days};
use super::tip::TipFile;
use super::{Commits, Insight, LIGHT, Scope, indentation};
use crate::base::cancel::CancelToken;
use crate::base::port::Progress;
use crate::code::language::Language;
use crate::code::scan::recognise;
use crate::code::{metrics, parse};
use crate::error::Result;
use crate::git::record::{ChangeTrend, ComplexityBasis, Hotspot, Hotspots, HotspotsArgs};
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
struct Complexity {
    value: f64,
    basis: ComplexityBasis,
    /// Lines that are not blank.
    lines: u64,
    /// Whether its head or its long lines say that a tool wrote it.
    generated: bool,
}

/// What was found for a file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Measured {
    /// Not readable, not text or too large.
    Failed,
    /// It is no code.
    Other,
    Is(Complexity),
}

/// Complexity by content and ending of the name, as far as it was asked for: the next tip has mostly
/// the same files.
#[derive(Debug, Default)]
pub struct Complexities(Mutex<HashMap<Key, Measured>>);

type Key = (ObjectId, BString);

fn key(file: &TipFile) -> Key {
    let name = file.path.rfind_byte(b'/').map_or(0, |slash| slash + 1);
    let ending = file.path[name..].rfind_byte(b'.').map_or(name, |dot| name + dot);
    (file.id, file.path[ending..].into())
}

/// What a name says of whether it is code; a name without an ending may be that of a script.
fn may_be_code(path: &BStr) -> bool {
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

/// The share of the values that are less than this one, among all others; sorted values.
fn rank(sorted: &[f64], value: f64) -> f64 {
    match sorted.len() {
        0 | 1 => 1.0,
        count => sorted.partition_point(|other| *other < value) as f64 / (count - 1) as f64,
    }
}

fn trend(recent: u64, earlier: u64) -> ChangeTrend {
    if recent >= earlier + 2 && 2 * recent >= 3 * earlier {
        ChangeTrend::Rising
    } else if earlier >= recent + 2 && 3 * recent <= 2 * earlier {
        ChangeTrend::Falling
    } else {
        ChangeTrend::Stable
    }
}

impl Insight {
    /// The files that are complex and change often, within the limits of `args`.
    ///
    /// Reads the contents of the tip's files once.
    /// Errors: `args.invalid` for paths, times or days that cannot be used, `call.cancelled`.
    pub fn hotspots(
        &self,
        repo: &Repository,
        commits: &Commits<'_>,
        args: &HotspotsArgs,
        progress: &dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Hotspots> {
        let paths = Paths::new(&args.paths)?;
        let period = days("period_days", args.period_days)?;
        let weights = self.weights(days("half_life_days", args.half_life_days)?);
        let scope = self.scope(commits)?;
        let light = |file: &TipFile| file.generated || file.vendored;
        let asked: Vec<usize> = (0..self.tip.files.len())
            .filter(|at| args.include_generated || !light(&self.tip.files[*at]))
            .filter(|at| may_be_code(self.tip.files[*at].path.as_ref()))
            .collect();
        let measured = self.measured(repo, &asked, progress, cancel)?;
        let mut unmeasured = 0;
        let mut rows: Vec<(Hotspot, bool)> = Vec::with_capacity(asked.len());
        for (at, measured) in asked.into_iter().zip(measured) {
            let complexity = match measured {
                Measured::Is(complexity) => complexity,
                Measured::Other => continue,
                Measured::Failed => {
                    unmeasured += 1;
                    continue;
                }
            };
            if complexity.generated && !args.include_generated {
                continue;
            }
            let light = light(&self.tip.files[at]) || complexity.generated;
            rows.push((self.hotspot(at, &scope, &weights, period, complexity), light));
        }
        let sorted = |values: Vec<f64>| {
            let mut values = values;
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let changes = sorted(rows.iter().map(|(row, _)| row.weighted_commits).collect());
        let complexities = [ComplexityBasis::Cognitive, ComplexityBasis::Indentation].map(|basis| {
            let of = rows.iter().filter(|(row, _)| row.complexity_basis == basis);
            (basis, sorted(of.map(|(row, _)| row.complexity).collect()))
        });
        let compared = rows.len() as u64;
        let mut files = Vec::new();
        for (mut row, light) in rows {
            if row.commits == 0 || !paths.has(BStr::new(&row.path)) {
                continue;
            }
            let others = complexities.iter().find(|(basis, _)| *basis == row.complexity_basis);
            let change = rank(&changes, row.weighted_commits);
            let complexity = others.map_or(0.0, |(_, others)| rank(others, row.complexity));
            row.score = change * complexity * if light { LIGHT } else { 1.0 };
            row.reason = reason(&row, change, complexity, period);
            files.push(row);
        }
        files.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then(b.weighted_commits.total_cmp(&a.weighted_commits))
                .then_with(|| a.path.cmp(&b.path))
        });
        if args.limit > 0 {
            files.truncate(usize::try_from(args.limit).unwrap_or(usize::MAX));
        }
        Ok(Hotspots { files, compared, unmeasured, basis: scope.basis })
    }

    fn hotspot(
        &self,
        at: usize,
        scope: &Scope,
        weights: &[f64],
        period: f64,
        complexity: Complexity,
    ) -> Hotspot {
        let mut row = Hotspot {
            path: self.tip.files[at].path.to_str_lossy().into_owned(),
            complexity: complexity.value,
            complexity_basis: complexity.basis,
            lines: complexity.lines,
            ..Hotspot::default()
        };
        let mut authors: Vec<u32> = Vec::new();
        for touch in self.touches.of(at).iter().filter(|touch| scope.has(touch)) {
            row.commits += 1;
            row.weighted_commits += weights[touch.place as usize];
            row.fixes += u64::from(self.is_fix(touch.place));
            authors.push(self.people.author_of(touch.place));
            let days = self.days_since(touch.place);
            if days < period {
                row.recent_commits += 1;
                row.growth += i64::from(touch.added) - i64::from(touch.deleted);
            } else if days < 2.0 * period {
                row.earlier_commits += 1;
            }
        }
        authors.sort_unstable();
        authors.dedup();
        row.authors = authors.len() as u64;
        row.trend = trend(row.recent_commits, row.earlier_commits);
        row
    }

    /// The complexity of the files asked for; what was measured before is not read again.
    fn measured(
        &self,
        repo: &Repository,
        asked: &[usize],
        progress: &dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Vec<Measured>> {
        let mut known = self.complexities.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open: Vec<&TipFile> = asked
            .iter()
            .map(|at| &self.tip.files[*at])
            .filter(|file| !known.contains_key(&key(file)))
            .collect();
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
                    let small = reader.size(&file.id).is_some_and(|size| size <= LARGEST);
                    let measured = match if small { reader.blob(&file.id) } else { None } {
                        Some(blob) => measure(&mut parser, file, &blob.data, cancel)?,
                        None => Measured::Failed,
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
                (0..workers.min(open.len() / PORTION + 1)).map(|_| scope.spawn(work)).collect();
            let mut ended = Ok(());
            for thread in threads {
                match thread.join() {
                    Ok(result) => ended = ended.and(result),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            ended
        });
        // What was measured before the call was cancelled is kept for the next one.
        known.extend(found.into_inner().unwrap_or_else(PoisonError::into_inner));
        ended?;
        let of = |at: &usize| known.get(&key(&self.tip.files[*at])).copied().unwrap_or(Measured::Failed);
        Ok(asked.iter().map(of).collect())
    }
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

fn reason(row: &Hotspot, change: f64, complexity: f64, period: f64) -> String {
    let times = |count: u64| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let percent = |share: f64| format!("{:.0} %", (share * 100.0).floor());
    let what = match row.complexity_basis {
        ComplexityBasis::Cognitive => "cognitive complexity",
        ComplexityBasis::Indentation => "indentation",
    };
    let mut text = format!(
        "changes more than {} of the files ({}, {} in the last {period} days after {} before) and is more complex than {} ({what} {})",
        percent(change),
        times(row.commits),
        row.recent_commits,
        row.earlier_commits,
        percent(complexity),
        row.complexity,
    );
    if row.fixes > 0 {
        let verb = if row.fixes == 1 { "is" } else { "are" };
        text.push_str(&format!("; {} of the changes {verb} fixes", row.fixes));
        if row.fixes == 1 {
            text.truncate(text.len() - " fixes".len());
            text.push_str(" a fix");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_shares_of_the_others() {
        let values = [1.0, 2.0, 2.0, 5.0, 9.0];
        assert_eq!(rank(&values, 1.0), 0.0);
        assert_eq!(rank(&values, 2.0), 0.25);
        assert_eq!(rank(&values, 9.0), 1.0);
        assert_eq!(rank(&[3.0], 3.0), 1.0);
    }

    #[test]
    fn a_trend_needs_two_commits_and_half() {
        for (recent, earlier, expected) in [
            (2, 0, ChangeTrend::Rising),
            (1, 0, ChangeTrend::Stable),
            (3, 2, ChangeTrend::Stable),
            (6, 4, ChangeTrend::Rising),
            (11, 9, ChangeTrend::Stable),
            (4, 6, ChangeTrend::Falling),
            (9, 11, ChangeTrend::Stable),
            (0, 2, ChangeTrend::Falling),
            (0, 0, ChangeTrend::Stable),
        ] {
            assert_eq!(trend(recent, earlier), expected, "{recent} after {earlier}");
        }
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
