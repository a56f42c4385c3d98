//! A fix: which of the lines that it removes may hold the bug.

use super::blocks::{Side, reflowed};
use super::class::{Class, Classes, is_code};
use super::compare::Hunk;
use super::record::{SzzSkipped, SzzSource};
use super::scene::{Ask, OwnBlocks, Pair, Scene, Touched};
use super::trace::Run;

/// Lines of code above and below added lines that count as their surroundings.
const AROUND: u32 = 3;

/// Lines of one file that a fix removes, or adds lines among.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// The fix's number.
    pub fix: u32,
    /// The path before the fix, by number.
    pub path: u32,
    pub run: Run,
    /// What the lines are.
    pub source: SzzSource,
}

/// The lines of fixes.
#[derive(Debug, Default)]
pub(super) struct FixAsk {
    /// Only files at or below this path; empty for all.
    pub below: Vec<u8>,
    /// Whether lines are asked for that are no code of the program, too.
    pub weak: bool,
    pub asked: Vec<Asked>,
    pub skipped: SzzSkipped,
}

impl FixAsk {
    fn wants(&self, path: &[u8]) -> bool {
        self.below.is_empty()
            || path.strip_prefix(self.below.as_slice()).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }
}

impl Ask for FixAsk {
    fn ask(
        &mut self,
        scene: &mut Scene<'_, '_>,
        at: u32,
        touched: &Touched,
        mine: &dyn Fn(u32) -> bool,
        first: u32,
    ) -> Vec<(u32, Run)> {
        let mut next = first;
        let mut runs = Vec::new();
        for change in touched.changes.iter().filter(|change| mine(change.path)) {
            let path = scene.shared.paths().path(change.path);
            if !self.wants(&path) {
                continue;
            }
            let code = is_code(&path);
            if !code {
                self.skipped.no_code_files += 1;
            }
            if change.new.is_none() {
                self.skipped.deleted_files += 1;
                continue;
            }
            if !code && !self.weak {
                continue;
            }
            let Some((old_path, old)) = scene.before(touched, change) else { continue };
            let Some(pair) = scene.pair(Some(old), change.new) else { continue };
            if pair.old.is_none() || pair.new.is_none() {
                continue;
            }
            let mut file =
                File { pair: &pair, classes: Classes::new(&path, pair.old_bytes()), code, runs: Vec::new() };
            let own = OwnBlocks::new(old_path, Side::Added, &pair.compared);
            for hunk in &pair.compared.hunks {
                if hunk.removed > 0 {
                    self.removed(scene, touched, &mut file, &own, hunk);
                } else if self.weak && code {
                    file.around(hunk);
                }
            }
            for (line, len, source) in file.runs {
                let run = Run { start: line, len, first: next };
                next += len;
                self.asked.push(Asked { fix: at, path: old_path, run, source });
                runs.push((old_path, run));
            }
        }
        runs
    }
}

impl FixAsk {
    fn removed(
        &mut self,
        scene: &mut Scene<'_, '_>,
        touched: &Touched,
        file: &mut File<'_>,
        own: &OwnBlocks,
        hunk: &Hunk,
    ) {
        let (old, new) = (file.pair.old_bytes(), file.pair.new_bytes());
        if reflowed(old, new, &file.pair.compared, hunk).is_some() {
            self.skipped.reflowed += u64::from(hunk.removed);
            self.keep_weak(file, hunk.old, hunk.removed, SzzSource::Layout);
            return;
        }
        let mut line = hunk.old;
        while line < hunk.old + hunk.removed {
            let mut lines = 1;
            if !file.code {
                self.keep_weak(file, line, 1, SzzSource::Text);
                line += 1;
                continue;
            }
            let skipped = &mut self.skipped;
            let (reason, source) = match file.class(line) {
                Class::Blank => (&mut skipped.blank, SzzSource::Layout),
                Class::Comment => (&mut skipped.comment, SzzSource::Comment),
                Class::Import => (&mut skipped.imports, SzzSource::Import),
                Class::Punctuation => (&mut skipped.punctuation, SzzSource::Layout),
                Class::Code => {
                    let Some(found) = scene.moved(touched, own, &file.pair.compared, hunk, line) else {
                        file.push(line, 1, SzzSource::Lines);
                        line += 1;
                        continue;
                    };
                    lines = found.lines.min(hunk.old + hunk.removed - line);
                    (&mut skipped.moved, SzzSource::Moved)
                }
            };
            *reason += u64::from(lines);
            self.keep_weak(file, line, lines, source);
            line += lines;
        }
    }

    fn keep_weak(&self, file: &mut File<'_>, line: u32, lines: u32, source: SzzSource) {
        if self.weak {
            file.push(line, lines, source);
        }
    }
}

struct File<'p> {
    pair: &'p Pair,
    classes: Classes<'p>,
    /// Whether it holds a program.
    code: bool,
    /// First line, lines, what they are.
    runs: Vec<(u32, u32, SzzSource)>,
}

impl File<'_> {
    fn class(&self, line: u32) -> Class {
        self.pair.compared.old.range(line).map_or(Class::Blank, |range| self.classes.of(range))
    }

    fn push(&mut self, line: u32, lines: u32, source: SzzSource) {
        match self.runs.last_mut() {
            Some((start, len, same)) if *start + *len == line && *same == source => *len += lines,
            _ => self.runs.push((line, lines, source)),
        }
    }

    /// The code lines next to a place where lines are added.
    fn around(&mut self, hunk: &Hunk) {
        let above = (0..AROUND).filter_map(|back| hunk.old.checked_sub(back + 1));
        let below = (0..AROUND).map(|on| hunk.old + on);
        let mut lines: Vec<u32> =
            above.chain(below).filter(|line| self.class(*line) == Class::Code).collect();
        lines.sort_unstable();
        for line in lines {
            self.push(line, 1, SzzSource::Context);
        }
    }
}
