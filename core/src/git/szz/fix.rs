//! A fix: which of the lines that it removes may hold the bug.

use super::blocks::{Side, reflowed};
use super::class::{Class, Classes, is_code};
use super::compare::Hunk;
use super::record::SzzSkipped;
use super::trace::{Ask, OwnBlocks, Pair, Run, Scene, Touched};

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
    /// Whether the lines are not removed but stand around added ones.
    pub context: bool,
}

/// The lines of fixes.
#[derive(Debug, Default)]
pub(super) struct FixAsk {
    /// Only files at or below this path; empty for all.
    pub below: Vec<u8>,
    /// Whether lines around added ones are asked for.
    pub context: bool,
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
            if !is_code(&path) {
                self.skipped.no_code_files += 1;
                continue;
            }
            if change.new.is_none() {
                self.skipped.deleted_files += 1;
                continue;
            }
            let Some((old_path, old)) = scene.before(touched, change) else { continue };
            let Some(pair) = scene.pair(Some(old), change.new) else { continue };
            if pair.old.is_none() || pair.new.is_none() {
                continue;
            }
            let mut file =
                File { pair: &pair, classes: Classes::new(&path, pair.old_bytes()), runs: Vec::new() };
            let own = OwnBlocks::new(old_path, Side::Added, &pair.compared);
            for hunk in &pair.compared.hunks {
                if hunk.removed > 0 {
                    self.removed(scene, touched, &mut file, &own, hunk);
                } else if self.context {
                    file.around(hunk);
                }
            }
            for (line, len, context) in file.runs {
                let run = Run { start: line, len, first: next };
                next += len;
                self.asked.push(Asked { fix: at, path: old_path, run, context });
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
            return;
        }
        let mut line = hunk.old;
        while line < hunk.old + hunk.removed {
            let skipped = &mut self.skipped;
            let reason = match file.class(line) {
                Class::Blank => &mut skipped.blank,
                Class::Comment => &mut skipped.comment,
                Class::Import => &mut skipped.import,
                Class::Punctuation => &mut skipped.punctuation,
                Class::Code => {
                    if let Some(found) = scene.moved(touched, own, &file.pair.compared, hunk, line) {
                        let lines = found.lines.min(hunk.old + hunk.removed - line);
                        skipped.moved += u64::from(lines);
                        line += lines;
                    } else {
                        file.push(line, false);
                        line += 1;
                    }
                    continue;
                }
            };
            *reason += 1;
            line += 1;
        }
    }
}

struct File<'p> {
    pair: &'p Pair,
    classes: Classes<'p>,
    /// First line, lines, whether context.
    runs: Vec<(u32, u32, bool)>,
}

impl File<'_> {
    fn class(&self, line: u32) -> Class {
        self.pair.compared.old.range(line).map_or(Class::Blank, |range| self.classes.of(range))
    }

    fn push(&mut self, line: u32, context: bool) {
        match self.runs.last_mut() {
            Some((start, len, same)) if *start + *len == line && *same == context => *len += 1,
            _ => self.runs.push((line, 1, context)),
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
            self.push(line, true);
        }
    }
}
