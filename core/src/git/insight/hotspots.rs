//! `git.hotspots`: files that are complex and change often (Tornhill: Your Code as a Crime Scene).

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use gix::bstr::{BStr, ByteSlice};

use super::scope::{Paths, days};
use super::tip::TipFile;
use super::{Commits, Insight, LIGHT, Scope, indentation};
use crate::base::cancel::CancelToken;
use crate::base::port::Progress;
use crate::code::language::Language;
use crate::error::Result;
use crate::git::record::{ChangeTrend, ComplexityBasis, Hotspot, Hotspots, HotspotsArgs};
use crate::git::repository::Repository;

/// Larger files are not measured.
const LARGEST: u64 = 4 << 20;

/// Files that one thread takes at a time.
const PORTION: usize = 32;

/// Endings and whole names of files of code in languages without a grammar here.
const OTHER_CODE: &[&str] = &[
    "adb", "ads", "asm", "bat", "clj", "cljc", "cljs", "cmake", "coffee", "cr", "cu", "cuh", "d", "dart",
    "el", "elm", "erl", "ex", "exs", "f", "f90", "fs", "fsx", "gd", "gleam", "glsl", "gradle", "groovy",
    "hrl", "hs", "jl", "l", "less", "lisp", "lua", "m", "m4", "mk", "ml", "mli", "mm", "nim", "nix", "pas",
    "pl", "pm", "ps1", "psm1", "proto", "pyx", "r", "rkt", "s", "scm", "scss", "sol", "sql", "sv", "svelte",
    "sty", "t", "tcl", "tf", "v", "vb", "vhd", "vhdl", "vim", "vue", "y", "zig", "makefile", "dockerfile",
    "cmakelists.txt", "build.bazel", "justfile",
];

/// How complex a file is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::git) struct Complexity {
    pub value: f64,
    pub basis: ComplexityBasis,
    /// Lines that are not blank.
    pub lines: u64,
    /// Whether its head says that a tool wrote it.
    pub generated: bool,
}

/// What was found for a file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Measured {
    /// Not asked for.
    #[default]
    Not,
    /// Not readable, not text or too large.
    Failed,
    Is(Complexity),
}

/// Complexity by file of the tip, filled in as asked for.
#[derive(Debug, Default)]
pub(super) struct Complexities(Mutex<Vec<Measured>>);

/// Whether the name says that it is code.
fn is_code(path: &BStr) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_str_lossy();
    if language(&name).is_some() {
        return true;
    }
    let name = name.to_ascii_lowercase();
    let ending = name.rsplit_once('.').map_or(name.as_str(), |(_, ending)| ending);
    OTHER_CODE.contains(&ending) || OTHER_CODE.contains(&name.as_str())
}

fn language(_name: &str) -> Option<Language> {
    None
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
            .filter(|at| is_code(self.tip.files[*at].path.as_ref()))
            .collect();
        let measured = self.measured(repo, &asked, progress, cancel)?;
        let mut unmeasured = 0;
        let mut rows: Vec<(Hotspot, bool)> = Vec::with_capacity(asked.len());
        for (at, measured) in asked.into_iter().zip(measured) {
            let Measured::Is(complexity) = measured else {
                unmeasured += 1;
                continue;
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
        known.resize(self.tip.files.len(), Measured::Not);
        let open: Vec<usize> = asked.iter().copied().filter(|at| known[*at] == Measured::Not).collect();
        let next = AtomicUsize::new(0);
        let found: Mutex<Vec<(usize, Measured)>> = Mutex::default();
        let work = || {
            let mut reader = repo.reader();
            while !cancel.is_cancelled() {
                let from = next.fetch_add(PORTION, Ordering::Relaxed);
                let Some(portion) = open.get(from..open.len().min(from + PORTION)) else { return };
                if portion.is_empty() {
                    return;
                }
                let done: Vec<(usize, Measured)> = portion
                    .iter()
                    .map(|at| {
                        let id = &self.tip.files[*at].id;
                        let small = reader.size(id).is_some_and(|size| size <= LARGEST);
                        let blob = if small { reader.blob(id) } else { None };
                        let text = blob.filter(|blob| !blob.binary);
                        (*at, text.map_or(Measured::Failed, |blob| Measured::Is(complexity(&blob.data))))
                    })
                    .collect();
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                found.extend(done);
                progress.report(found.len() as u64, open.len() as u64, "files", "complexity");
            }
        };
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..workers.min(open.len() / PORTION + 1)).map(|_| scope.spawn(work)).collect();
            for thread in threads {
                if let Err(panic) = thread.join() {
                    std::panic::resume_unwind(panic);
                }
            }
        });
        cancel.check()?;
        for (at, measured) in found.into_inner().unwrap_or_else(PoisonError::into_inner) {
            known[at] = measured;
        }
        Ok(asked.iter().map(|at| known[*at]).collect())
    }
}

fn complexity(text: &[u8]) -> Complexity {
    let (levels, lines) = indentation::measure(text);
    Complexity { value: levels as f64, basis: ComplexityBasis::Indentation, lines, generated: false }
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
        for path in ["a/b.tcl", "Makefile", "x/CMakeLists.txt", "x.vue", "q.sql"] {
            assert!(is_code(path.into()), "{path}");
        }
        for path in ["README.md", "a.json", "x/y.txt", "c", "00-RELEASENOTES", "a.yml"] {
            assert!(!is_code(path.into()), "{path}");
        }
    }
}
