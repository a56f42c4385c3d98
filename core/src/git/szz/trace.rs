//! Tracing: carries lines of file versions back along the diffs to the commits that made them.
//!
//! All questions travel together. Commits are visited once, children before parents; each hands
//! its open lines on to its parents, and keeps those that it added itself. What is open is all that
//! is in memory, and only files with open lines are read. Files are dealt out over the cores; trees
//! are compared once for all of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gix::ObjectId;

use super::blocks;
use super::compare::Hunk;
use super::graph::{ABSENT, Graph};
use super::scene::{Ask, Change, MOVE_FILES, OwnBlocks, Pair, Scene, Shared, Touched, renames};
use crate::base::cancel::CancelToken;
use crate::base::port::Progress;
use crate::error::Result;
use crate::git::objects::Packs;
use crate::git::read::Reader;
use crate::git::repository::Repository;
use crate::git::tree::{self, Differing};

type Version = crate::git::tree::Side;

/// Threads at most; each holds its own readers.
const THREADS: usize = 8;
/// Commits whose trees are compared before their files are looked at.
const WINDOW: usize = 1024;
/// Commits that one thread compares at a time: neighbours share most trees.
const CHUNK: usize = 32;
/// What all threads together keep of what they have read, in bytes.
const MEMORY: usize = 112 << 20;

/// Where a line was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// The commit's number; [`ABSENT`] where the trace left what this clone holds.
    pub commit: u32,
    /// The path there, by number.
    pub path: u32,
    /// The line there, from 0.
    pub line: u32,
}

const UNKNOWN: Origin = Origin { commit: ABSENT, path: 0, line: 0 };

/// Lines `start..start + len`; the first of them answers number `first`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub start: u32,
    pub len: u32,
    pub first: u32,
}

type Open = HashMap<u32, Vec<Run>>;

/// One thread's share of the files.
struct Share<'s, A> {
    reader: Reader,
    ask: A,
    open: HashMap<u32, Open>,
    origins: Vec<Origin>,
    number: u32,
    of: u32,
    cancel: &'s CancelToken,
}

/// What a thread found out: the answers, and who asked.
pub(super) struct Traced<A> {
    pub ask: A,
    pub origins: Vec<Origin>,
}

/// How many threads a trace is worth on this machine.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(THREADS)
}

/// Traces what `asks` make of the marked commits, and the runs of `start` (commit, path, run); one
/// thread for each of `asks`.
///
/// Errors: `call.cancelled`.
pub(super) fn trace<A: Ask>(
    repo: &Repository,
    shared: &Shared<'_>,
    asks: Vec<A>,
    start: Vec<(u32, u32, Run)>,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<Vec<Traced<A>>> {
    let threads = asks.len().max(1);
    let packs = Packs::open(&repo.local());
    let mut walkers: Vec<Reader> = (0..threads)
        .map(|_| Reader::of_history(repo.local(), packs.as_ref(), MEMORY / 4 / threads))
        .collect();
    let mut shares: Vec<Share<'_, A>> = asks
        .into_iter()
        .enumerate()
        .map(|(number, ask)| Share {
            reader: Reader::of_history(repo.local(), packs.as_ref(), MEMORY / 4 * 3 / threads),
            ask,
            open: HashMap::new(),
            origins: Vec::new(),
            number: number as u32,
            of: threads as u32,
            cancel,
        })
        .collect();
    for (commit, path, run) in start {
        if let Some(share) = shares.get_mut(path as usize % threads) {
            share.origins.resize(share.origins.len().max((run.first + run.len) as usize), UNKNOWN);
            share.open.entry(commit).or_default().entry(path).or_default().push(run);
        }
    }
    let order = &shared.graph.order;
    let last = order.iter().rposition(|at| shared.marked[*at as usize]).unwrap_or(0);
    let mut done = 0;
    for window in order.chunks(WINDOW) {
        cancel.check()?;
        progress.report(done as u64, order.len() as u64, "commits", "origins");
        let busy = shares.iter().any(|share| !share.open.is_empty());
        if !busy && done > last {
            break;
        }
        done += window.len();
        if !busy && !window.iter().any(|at| shared.marked[*at as usize]) {
            continue;
        }
        let touched = touched(shared, window, &mut walkers, cancel)?;
        std::thread::scope(|scope| {
            let threads: Vec<_> = shares
                .iter_mut()
                .map(|share| {
                    let touched = &touched;
                    scope.spawn(move || {
                        for (at, touched) in window.iter().zip(touched) {
                            if share.cancel.is_cancelled() {
                                return;
                            }
                            share.visit(shared, *at, touched);
                        }
                    })
                })
                .collect();
            for thread in threads {
                if let Err(panic) = thread.join() {
                    std::panic::resume_unwind(panic);
                }
            }
        });
    }
    cancel.check()?;
    progress.report(order.len() as u64, order.len() as u64, "commits", "origins");
    Ok(shares.into_iter().map(|share| Traced { ask: share.ask, origins: share.origins }).collect())
}

/// Compares the trees of some commits with those of their first parents.
fn touched(
    shared: &Shared<'_>,
    window: &[u32],
    readers: &mut [Reader],
    cancel: &CancelToken,
) -> Result<Vec<Touched>> {
    type Raw = (Vec<Differing>, bool);
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<(usize, Vec<Raw>)>> = Mutex::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = readers
            .iter_mut()
            .map(|reader| {
                let (next, found) = (&next, &found);
                scope.spawn(move || {
                    loop {
                        let from = next.fetch_add(CHUNK, Ordering::Relaxed);
                        if from >= window.len() || cancel.is_cancelled() {
                            return;
                        }
                        let chunk = &window[from..window.len().min(from + CHUNK)];
                        let raw = chunk.iter().map(|at| differing(shared.graph, reader, *at)).collect();
                        found.lock().unwrap_or_else(PoisonError::into_inner).push((from, raw));
                    }
                })
            })
            .collect();
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    cancel.check()?;
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_unstable_by_key(|chunk| chunk.0);
    let mut paths = shared.paths();
    let number = |(differing, whole): Raw| Touched {
        changes: differing
            .iter()
            .map(|file| Change { path: paths.number(&file.path), old: file.old, new: file.new })
            .collect(),
        whole,
        renames: OnceLock::new(),
    };
    Ok(found.into_iter().flat_map(|chunk| chunk.1).map(number).collect())
}

fn differing(graph: &Graph, reader: &mut Reader, at: u32) -> (Vec<Differing>, bool) {
    let node = &graph.nodes[at as usize];
    let mut found = Vec::new();
    let old = match node.parents.first() {
        None => None,
        Some(&ABSENT) => return (found, false),
        Some(parent) => Some(graph.nodes[*parent as usize].tree),
    };
    let whole = tree::differing(reader, old, Some(node.tree), &mut found).is_some();
    (found, whole)
}

impl<A: Ask> Share<'_, A> {
    fn visit(&mut self, shared: &Shared<'_>, at: u32, touched: &Touched) {
        let open = self.open.remove(&at);
        let node = &shared.graph.nodes[at as usize];
        let asked = shared.marked[at as usize] && node.parents.len() == 1 && touched.whole;
        let mut open = match open {
            Some(open) => open,
            None if asked => Open::default(),
            None => return,
        };
        if !touched.whole {
            // Which files the commit touched is not known, so no line can be followed past it.
            for run in open.into_values().flatten() {
                self.answer(run, UNKNOWN);
            }
            return;
        }
        match node.parents.as_slice() {
            [] => {
                for (path, runs) in open {
                    for run in runs {
                        self.answer(run, Origin { commit: at, path, line: run.start });
                    }
                }
            }
            [parent] => {
                self.step(shared, at, touched, &mut open, asked);
                self.hand_on(*parent, open);
            }
            parents => self.merge(shared, at, parents, touched, open),
        }
    }

    /// Sets the answers of a run whose first line stands at `origin`.
    fn answer(&mut self, run: Run, origin: Origin) {
        for step in 0..run.len {
            if let Some(answer) = self.origins.get_mut((run.first + step) as usize) {
                *answer = Origin { line: origin.line + step, ..origin };
            }
        }
    }

    fn hand_on(&mut self, parent: u32, mut open: Open) {
        open.retain(|_, runs| !runs.is_empty());
        if open.is_empty() {
            return;
        }
        match self.open.entry(parent) {
            std::collections::hash_map::Entry::Vacant(empty) => {
                empty.insert(open);
            }
            std::collections::hash_map::Entry::Occupied(mut known) => {
                let known = known.get_mut();
                if known.len() < open.len() {
                    std::mem::swap(known, &mut open);
                }
                for (path, runs) in open {
                    known.entry(path).or_default().extend(runs);
                }
            }
        }
    }

    /// A commit with one parent: what it touched is carried over, or stays with it.
    fn step(&mut self, shared: &Shared<'_>, at: u32, touched: &Touched, open: &mut Open, asked: bool) {
        let mut carried: Vec<(u32, Vec<Run>)> = Vec::new();
        for change in &touched.changes {
            if change.new.is_some()
                && let Some(runs) = open.remove(&change.path)
            {
                carried.push((change.path, runs));
            }
        }
        if carried.is_empty() && !asked {
            return;
        }
        let mut scene = Scene {
            shared,
            reader: &mut self.reader,
            pairs: HashMap::new(),
            moved: [None, None],
            keep: touched.changes.len() <= MOVE_FILES,
        };
        let mut answers: Vec<(Run, Origin)> = Vec::new();
        let by_path: HashMap<u32, &Change> = if carried.is_empty() {
            HashMap::new()
        } else {
            touched.changes.iter().map(|change| (change.path, change)).collect()
        };
        for (path, runs) in carried {
            let Some(change) = by_path.get(&path) else { continue };
            let before = scene.before(touched, change);
            let Some(pair) = scene.pair(before.map(|before| before.1), change.new) else {
                answers.extend(runs.into_iter().map(|run| (run, UNKNOWN)));
                continue;
            };
            let old_path = before.map_or(path, |before| before.0);
            let (passed, stayed) = pass(runs, &pair.compared.hunks);
            if !passed.is_empty() {
                open.entry(old_path).or_default().extend(passed);
            }
            let own = OwnBlocks::new(old_path, blocks::Side::Removed, &pair.compared);
            let mut settled = Settled { open, answers: &mut answers };
            let ignored = shared.ignored.contains(&at);
            for stay in stayed {
                settle(&mut scene, touched, at, (path, old_path), &pair, &own, stay, ignored, &mut settled);
            }
        }
        if asked {
            let (number, of) = (self.number, self.of);
            let mine = move |path: u32| path % of == number;
            let first = self.origins.len() as u32;
            let asked = self.ask.ask(&mut scene, at, touched, &mine, first);
            for (path, run) in asked {
                self.origins.resize(self.origins.len().max((run.first + run.len) as usize), UNKNOWN);
                open.entry(path).or_default().push(run);
            }
        }
        for (run, origin) in answers {
            self.answer(run, origin);
        }
    }

    /// A merge: a file goes to the first parent that has it unchanged; where none has, each parent in
    /// turn takes the lines that it has, and the rest is the merge's own.
    fn merge(&mut self, shared: &Shared<'_>, at: u32, parents: &[u32], touched: &Touched, mut open: Open) {
        let mut handed: Vec<Open> = parents.iter().map(|_| Open::default()).collect();
        let mut answers: Vec<(Run, Origin)> = Vec::new();
        let mut scene = Scene {
            shared,
            reader: &mut self.reader,
            pairs: HashMap::new(),
            moved: [None, None],
            keep: false,
        };
        let mut renamed: HashMap<usize, HashMap<u32, (u32, Version)>> = HashMap::new();
        for change in &touched.changes {
            let Some(new) = change.new else { continue };
            let Some(mut runs) = open.remove(&change.path) else { continue };
            let path = shared.paths().path(change.path);
            let mut versions = vec![change.old];
            for parent in &parents[1..] {
                let tree = shared.graph.nodes.get(*parent as usize).map(|node| node.tree);
                versions.push(tree.and_then(|tree| lookup(scene.reader, tree, &path)));
            }
            if let Some(same) = versions.iter().position(|old| old.is_some_and(|old| old.1 == new.1)) {
                handed[same].entry(change.path).or_default().extend(runs);
                continue;
            }
            for (slot, parent) in parents.iter().enumerate() {
                let old = versions[slot].map(|old| (change.path, old)).or_else(|| {
                    let of_parent = renamed
                        .entry(slot)
                        .or_insert_with(|| renames_of(shared, scene.reader, touched, at, slot, *parent));
                    of_parent.get(&change.path).copied()
                });
                let Some((old_path, old)) = old else { continue };
                let Some(pair) = scene.pair(Some(old), Some(new)) else { continue };
                if pair.old.is_none() {
                    continue;
                }
                let (passed, stayed) = pass(runs, &pair.compared.hunks);
                handed[slot].entry(old_path).or_default().extend(passed);
                runs = stayed.into_iter().map(|stay| stay.run).collect();
                if runs.is_empty() {
                    break;
                }
            }
            answers.extend(
                runs.into_iter().map(|run| (run, Origin { commit: at, path: change.path, line: run.start })),
            );
        }
        for (run, origin) in answers {
            self.answer(run, origin);
        }
        for (parent, more) in parents.iter().zip(handed) {
            if *parent == ABSENT {
                for run in more.into_values().flatten() {
                    self.answer(run, UNKNOWN);
                }
            } else {
                self.hand_on(*parent, more);
            }
        }
        if let Some(first) = parents.first() {
            self.hand_on(*first, open);
        }
    }
}

fn renames_of(
    shared: &Shared<'_>,
    reader: &mut Reader,
    touched: &Touched,
    at: u32,
    slot: usize,
    parent: u32,
) -> HashMap<u32, (u32, Version)> {
    if slot == 0 {
        return renames(shared, reader, &touched.changes);
    }
    let (Some(old), node) = (shared.graph.nodes.get(parent as usize), &shared.graph.nodes[at as usize])
    else {
        return HashMap::new();
    };
    let mut found = Vec::new();
    // What a missing tree hides cannot be a source.
    let _ = tree::differing(reader, Some(old.tree), Some(node.tree), &mut found);
    let changes: Vec<Change> = {
        let mut paths = shared.paths();
        let change =
            |file: &Differing| Change { path: paths.number(&file.path), old: file.old, new: file.new };
        found.iter().map(change).collect()
    };
    renames(shared, reader, &changes)
}

/// The version of a file in a tree.
pub(super) fn lookup(reader: &mut Reader, tree: ObjectId, path: &[u8]) -> Option<Version> {
    let mut id = tree;
    let mut parts = path.split(|byte| *byte == b'/').peekable();
    while let Some(part) = parts.next() {
        let data = reader.tree(&id)?;
        let entry = gix::objs::TreeRefIter::from_bytes(&data, id.kind())
            .filter_map(std::result::Result::ok)
            .find(|entry| entry.filename == part)?;
        id = entry.oid.to_owned();
        if parts.peek().is_none() {
            let mode = u32::from(entry.mode.value());
            return (!entry.mode.is_tree() && !entry.mode.is_commit()).then_some((mode, id));
        }
        if !entry.mode.is_tree() {
            return None;
        }
    }
    None
}

/// Lines within a hunk: not in the version before.
#[derive(Clone, Copy, Debug)]
struct Stay {
    hunk: usize,
    run: Run,
}

/// Takes runs over a comparison: those that stand in the version before, with their lines there, and
/// those that do not.
fn pass(mut runs: Vec<Run>, hunks: &[Hunk]) -> (Vec<Run>, Vec<Stay>) {
    runs.sort_unstable_by_key(|run| (run.start, run.first));
    let (mut passed, mut stayed) = (Vec::with_capacity(runs.len()), Vec::new());
    let mut push = |run: Run| match passed.last_mut() {
        Some(Run { start, len, first }) if *start + *len == run.start && *first + *len == run.first => {
            *len += run.len;
        }
        _ => passed.push(run),
    };
    for run in runs {
        let (mut line, end) = (run.start, run.start + run.len);
        let mut next = hunks.partition_point(|hunk| hunk.new + hunk.added <= line);
        while line < end {
            let first = run.first + (line - run.start);
            match hunks.get(next) {
                Some(hunk) if hunk.new <= line => {
                    let to = end.min(hunk.new + hunk.added);
                    stayed.push(Stay { hunk: next, run: Run { start: line, len: to - line, first } });
                    line = to;
                    next += 1;
                }
                hunk => {
                    let to = hunk.map_or(end, |hunk| end.min(hunk.new));
                    // The lines since the hunk before stand at the same distance on both sides.
                    let before = next.checked_sub(1).and_then(|before| hunks.get(before));
                    let start = before.map_or(line, |before| {
                        (line + before.old + before.removed).saturating_sub(before.new + before.added)
                    });
                    push(Run { start, len: to - line, first });
                    line = to;
                    // A hunk that adds nothing holds no line.
                    while hunks.get(next).is_some_and(|hunk| hunk.new <= line && hunk.added == 0) {
                        next += 1;
                    }
                }
            }
        }
    }
    (passed, stayed)
}

struct Settled<'s> {
    open: &'s mut Open,
    answers: &'s mut Vec<(Run, Origin)>,
}

/// Lines that a commit added: they go on where they only moved or were only broken anew, or where the
/// commit is to be looked through; else this is where they come from.
#[allow(clippy::too_many_arguments, reason = "the parts of one comparison")]
fn settle(
    scene: &mut Scene<'_, '_>,
    touched: &Touched,
    at: u32,
    (path, old_path): (u32, u32),
    pair: &Pair,
    own: &OwnBlocks,
    stay: Stay,
    ignored: bool,
    settled: &mut Settled<'_>,
) {
    let compared = Arc::clone(&pair.compared);
    let hunk = compared.hunks[stay.hunk];
    let map = blocks::reflowed(pair.old_bytes(), pair.new_bytes(), &compared, &hunk);
    let mut step = 0;
    while step < stay.run.len {
        let line = stay.run.start + step;
        let first = stay.run.first + step;
        let left = stay.run.len - step;
        if let Some(from) = map.as_ref().and_then(|map| map.get((line - hunk.new) as usize)) {
            settled.open.entry(old_path).or_default().push(Run { start: *from, len: 1, first });
            step += 1;
        } else if let Some(found) = scene.moved(touched, own, &compared, &hunk, line) {
            let len = found.lines.min(left);
            settled.open.entry(found.path).or_default().push(Run { start: found.line, len, first });
            step += len;
        } else if ignored && hunk.removed > 0 {
            // Line by line, as nothing better is known; what is too many stands at the last one.
            let start = hunk.old + (line - hunk.new).min(hunk.removed - 1);
            settled.open.entry(old_path).or_default().push(Run { start, len: 1, first });
            step += 1;
        } else {
            settled.answers.push((Run { start: line, len: 1, first }, Origin { commit: at, path, line }));
            step += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_pass_around_hunks() {
        let hunks = [
            Hunk { old: 2, removed: 1, new: 2, added: 2 },
            Hunk { old: 6, removed: 2, new: 7, added: 0 },
            Hunk { old: 9, removed: 0, new: 8, added: 1 },
        ];
        let (passed, stayed) = pass(vec![Run { start: 0, len: 12, first: 100 }], &hunks);
        let shown: Vec<_> = passed.iter().map(|run| (run.start, run.len, run.first)).collect();
        assert_eq!(shown, [(0, 2, 100), (3, 3, 104), (8, 1, 107), (9, 3, 109)]);
        let shown: Vec<_> = stayed.iter().map(|stay| (stay.hunk, stay.run.start, stay.run.len)).collect();
        assert_eq!(shown, [(0, 2, 2), (2, 8, 1)]);
    }
}
