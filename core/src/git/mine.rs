//! Mining: reads the commits that the log lacks and measures their diffs, on every core.
//!
//! One thread walks the graph and hands out runs of neighbours along first parents. A piece of
//! history is then read in two passes: first the trees of each run, which say what was touched, then
//! the touched files path by path, newest first, as a pack stores the versions of a path: each is
//! read once and the memory for it stays small.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use gix::ObjectId;

use super::diff::{self, Counts, Delta, UNCOUNTED};
use super::log::{BOUNDARY, FIX, GAP, IdTable, LIGHT, Log, MERGE, NewCommit};
use super::objects::Packs;
use super::read::{CommitHead, Reader, author_key, is_fix};
use super::rename::Pair;
use super::repository::Repository;
use crate::base::cancel::CancelToken;
use crate::base::port::Progress;
use crate::error::{Error, Result};

/// Commits in one run of neighbours.
const RUN: usize = 200;
/// Commits in a piece of history, which is what a read that is cut short may lose.
const PIECE: u64 = 4096;
/// File changes after which a piece is not made longer.
const PIECE_FILES: u64 = 1 << 16;
/// What all workers together keep of what they have read, in bytes.
const MEMORY: usize = 32 << 20;
/// What the walk keeps, in bytes: a commit is rarely read twice.
const WALK_MEMORY: usize = 1 << 20;
/// Changes of one path that one worker takes at a time.
const LONGEST_GROUP: usize = 256;
/// Progress is reported at most this often.
const REPORT_EVERY: Duration = Duration::from_millis(100);
/// So few commits are read here and now, without other threads.
const FEW: usize = 8;
/// Of the time for a commit, about this share goes into its trees.
const TREES_SHARE: f64 = 0.25;

struct Job {
    commit: NewCommit,
    /// Old and new tree; absent where there is nothing to compare.
    trees: Option<(Option<ObjectId>, ObjectId)>,
}

/// A commit whose touched files are known and not measured.
struct Touched {
    commit: NewCommit,
    pairs: Vec<Pair>,
}

/// How much of each commit a history knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Who made it and which files it touched, renames followed. A fraction of the time.
    Files,
    /// Also how many lines of each file.
    #[default]
    Lines,
}

/// Which records of the log count as known.
pub(super) trait Known: Sync {
    /// Whether the commit needs no reading.
    fn is_known(&self, id: &ObjectId) -> bool;
}

impl Known for Log {
    fn is_known(&self, id: &ObjectId) -> bool {
        self.find(id).is_some()
    }
}

/// How far the reading has come.
struct Meter<'a> {
    progress: &'a dyn Progress,
    /// Commits in all; 0 until the walk is over.
    total: AtomicU64,
    /// Commits of the pieces before this one.
    before: AtomicU64,
    /// Commits of this piece whose trees were read.
    trees: AtomicU64,
    /// Touched files of this piece, and how many of them were measured.
    files: AtomicU64,
    measured: AtomicU64,
}

impl Meter<'_> {
    fn report(&self) {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let share = load(&self.measured) as f64 / load(&self.files).max(1) as f64;
        let piece = load(&self.trees) as f64 * (TREES_SHARE + share * (1.0 - TREES_SHARE));
        self.progress.report(load(&self.before) + piece as u64, load(&self.total), "commits", "history");
    }

    /// Takes the piece as done.
    fn next(&self) {
        self.before.fetch_add(self.trees.swap(0, Ordering::Relaxed), Ordering::Relaxed);
        self.files.store(0, Ordering::Relaxed);
        self.measured.store(0, Ordering::Relaxed);
    }
}

/// Reads every commit reachable from `starts` that is not known and stands in this clone, and hands
/// the records to `keep` in pieces, within a piece parents before children. Pieces that were read
/// whole before the call was cancelled are handed over too; the last piece may be empty.
///
/// Errors: `git.object_missing` where `starts[0]` is neither known nor in this clone,
/// `call.cancelled`.
pub(super) fn mine(
    repo: &Repository,
    starts: &[ObjectId],
    known: &dyn Known,
    level: Level,
    progress: &dyn Progress,
    cancel: &CancelToken,
    keep: &mut dyn FnMut(Vec<NewCommit>),
) -> Result<()> {
    if starts.iter().all(|id| known.is_known(id)) {
        keep(Vec::new());
        return Ok(());
    }
    let mut walk = Walk::new(repo.reader(), starts, known);
    let first = walk.take(FEW, cancel)?;
    if first.len() < FEW {
        let mut reader = repo.reader();
        let mut found = Vec::with_capacity(first.len());
        for Job { mut commit, trees } in first {
            cancel.check()?;
            found.push(match trees {
                None => uncounted(Touched { commit, pairs: Vec::new() }),
                Some((old, new)) if level == Level::Files => {
                    let (pairs, whole) = diff::pairs(&mut reader, old, Some(new));
                    commit.flags |= if whole { 0 } else { GAP };
                    uncounted(Touched { commit, pairs })
                }
                Some((old, new)) => {
                    commit.delta = diff::trees(&mut reader, old, Some(new));
                    commit.flags |= if commit.delta.gap { GAP } else { 0 };
                    commit
                }
            });
        }
        keep(sorted(found));
        return Ok(());
    }

    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let meter = Meter {
        progress,
        total: AtomicU64::new(0),
        before: AtomicU64::new(0),
        trees: AtomicU64::new(0),
        files: AtomicU64::new(0),
        measured: AtomicU64::new(0),
    };
    // From here on commits, too, come without mapping the packs.
    repo.let_go();
    let packs = Packs::open(&repo.local());
    let mut readers: Vec<Reader> =
        (0..workers).map(|_| Reader::of_history(repo.local(), packs.as_ref(), MEMORY / workers)).collect();
    walk.reader = Reader::of_history(repo.local(), packs.as_ref(), WALK_MEMORY);
    let (send, receive) = mpsc::channel();
    let receive = Mutex::new(receive);
    let walked = std::thread::scope(|scope| {
        let total = &meter.total;
        let walker = scope.spawn(move || {
            let (mut run, mut count) = (first, 0);
            while !run.is_empty() {
                count += run.len() as u64;
                // Nobody takes what is sent after the call was cancelled.
                let _ = send.send(run);
                run = walk.take(RUN, cancel)?;
            }
            total.store(count, Ordering::Relaxed);
            Ok(())
        });
        loop {
            let touched = read_trees(&mut readers, &receive, &meter, cancel);
            if touched.is_empty() || cancel.is_cancelled() {
                break;
            }
            let found = match level {
                Level::Files => touched.into_iter().map(uncounted).collect(),
                Level::Lines => count_lines(&mut readers, touched, &meter, cancel),
            };
            if cancel.is_cancelled() {
                break;
            }
            meter.next();
            keep(sorted(found));
        }
        walker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    meter.report();
    keep(Vec::new());
    walked?;
    cancel.check()
}

/// Runs `work` with every reader at once, and `meanwhile` now and then until all are through.
fn together<T: Send>(
    readers: &mut [Reader],
    work: &(impl Fn(&mut Reader) -> T + Sync),
    meanwhile: &dyn Fn(),
) -> Vec<T> {
    let main = std::thread::current();
    std::thread::scope(|scope| {
        let spawn = |reader| {
            let main = &main;
            scope.spawn(move || {
                let done = work(reader);
                main.unpark();
                done
            })
        };
        let threads: Vec<_> = readers.iter_mut().map(spawn).collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::park_timeout(REPORT_EVERY);
            meanwhile();
        }
        let join = |thread: std::thread::ScopedJoinHandle<'_, T>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    })
}

/// The next piece: what each of its commits touched, in the order of the walk.
fn read_trees(
    readers: &mut [Reader],
    receive: &Mutex<mpsc::Receiver<Vec<Job>>>,
    meter: &Meter<'_>,
    cancel: &CancelToken,
) -> Vec<Touched> {
    let runs = AtomicUsize::new(0);
    let work = |reader: &mut Reader| {
        let mut done = Vec::new();
        while meter.trees.load(Ordering::Relaxed) < PIECE && meter.files.load(Ordering::Relaxed) < PIECE_FILES
        {
            let (number, run) = {
                let receive = receive.lock().unwrap_or_else(PoisonError::into_inner);
                let Ok(run) = receive.recv() else { break };
                (runs.fetch_add(1, Ordering::Relaxed), run)
            };
            let mut touched = Vec::with_capacity(run.len());
            for Job { mut commit, trees } in run {
                if cancel.is_cancelled() {
                    return done;
                }
                let (pairs, whole) = match trees {
                    Some((old, new)) => diff::pairs(reader, old, Some(new)),
                    None => (Vec::new(), true),
                };
                commit.flags |= if whole { 0 } else { GAP };
                meter.trees.fetch_add(1, Ordering::Relaxed);
                meter.files.fetch_add(pairs.len() as u64, Ordering::Relaxed);
                touched.push(Touched { commit, pairs });
            }
            done.push((number, touched));
        }
        done
    };
    let mut runs: Vec<_> = together(readers, &work, &|| meter.report()).into_iter().flatten().collect();
    runs.sort_unstable_by_key(|(number, _)| *number);
    runs.into_iter().flat_map(|(_, touched)| touched).collect()
}

/// The record of a commit without its lines.
fn uncounted(Touched { mut commit, pairs }: Touched) -> NewCommit {
    commit.delta.gap = commit.flags & GAP != 0;
    commit.flags |= if pairs.is_empty() { 0 } else { LIGHT };
    let counts = Counts { flags: UNCOUNTED, ..Counts::default() };
    pairs.into_iter().for_each(|pair| commit.delta.push(pair, counts));
    commit
}

/// Measures the touched files of a piece.
fn count_lines(
    readers: &mut [Reader],
    mut touched: Vec<Touched>,
    meter: &Meter<'_>,
    cancel: &CancelToken,
) -> Vec<NewCommit> {
    let groups = groups(&touched);
    let next = AtomicUsize::new(0);
    let work = |reader: &mut Reader| {
        let mut counted: Vec<(u32, u32, Counts)> = Vec::new();
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            for (commit, pair) in group {
                if cancel.is_cancelled() {
                    return counted;
                }
                let file = &touched[*commit as usize].pairs[*pair as usize];
                counted.push((*commit, *pair, diff::counts(reader, file)));
            }
            meter.measured.fetch_add(group.len() as u64, Ordering::Relaxed);
        }
        counted
    };
    let counted = together(readers, &work, &|| meter.report());
    let mut counts: Vec<Vec<Counts>> =
        touched.iter().map(|touched| vec![Counts::default(); touched.pairs.len()]).collect();
    for (commit, pair, count) in counted.into_iter().flatten() {
        counts[commit as usize][pair as usize] = count;
    }
    let mut found = Vec::with_capacity(touched.len());
    for (Touched { mut commit, pairs }, counts) in touched.drain(..).zip(counts) {
        commit.delta = Delta { gap: commit.flags & GAP != 0, ..Delta::default() };
        pairs.into_iter().zip(counts).for_each(|(pair, counts)| commit.delta.push(pair, counts));
        commit.flags |= if commit.delta.gap { GAP } else { 0 };
        found.push(commit);
    }
    found
}

/// The touched files by path, the newest version of each first; by number of commit and of file.
fn groups(touched: &[Touched]) -> Vec<Vec<(u32, u32)>> {
    let mut by_path: HashMap<u64, usize> = HashMap::new();
    let mut groups: Vec<Vec<(u32, u32)>> = Vec::new();
    for (commit, touched) in touched.iter().enumerate() {
        for (number, pair) in touched.pairs.iter().enumerate() {
            let mut hasher = DefaultHasher::new();
            pair.path.hash(&mut hasher);
            let group = by_path.entry(hasher.finish()).or_insert(groups.len());
            if *group == groups.len() {
                groups.push(Vec::new());
            } else if groups[*group].len() == LONGEST_GROUP {
                *group = groups.len();
                groups.push(Vec::new());
            }
            groups[*group].push((commit as u32, number as u32));
        }
    }
    groups
}

/// The walk over the graph.
struct Walk<'a> {
    reader: Reader,
    start: ObjectId,
    known: &'a dyn Known,
    trees: IdTable<Option<ObjectId>>,
    ahead: HashMap<ObjectId, CommitHead>,
    seen: IdTable<()>,
    stack: Vec<ObjectId>,
}

impl<'a> Walk<'a> {
    fn new(reader: Reader, starts: &[ObjectId], known: &'a dyn Known) -> Walk<'a> {
        Walk {
            reader,
            start: starts[0],
            known,
            trees: IdTable::default(),
            ahead: HashMap::new(),
            seen: IdTable::default(),
            stack: starts.to_vec(),
        }
    }

    /// The next commits, neighbours along first parents; fewer than `most` only at the end.
    fn take(&mut self, most: usize, cancel: &CancelToken) -> Result<Vec<Job>> {
        let mut run = Vec::with_capacity(most);
        cancel.check()?;
        while run.len() < most
            && let Some(id) = self.stack.pop()
        {
            if self.known.is_known(&id) || self.seen.insert(id, ()).is_some() {
                continue;
            }
            let head = match self.ahead.remove(&id).or_else(|| self.reader.commit(&id)) {
                Some(head) => head,
                // Beyond the cut; only the tip must be there.
                None if self.start != id => continue,
                None => {
                    return Err(Error::new(
                        "git.object_missing",
                        format!("commit `{id}` is not in this clone; fetch it"),
                    )
                    .with("id", id));
                }
            };
            run.push(self.job(id, head));
        }
        Ok(run)
    }

    fn job(&mut self, id: ObjectId, head: CommitHead) -> Job {
        let Walk { reader, known, trees, ahead, seen, stack, .. } = self;
        trees.insert(id, Some(head.tree));
        let merge = head.parents.len() > 1;
        let mut flags = if merge { MERGE } else { 0 };
        if is_fix(&head.message) {
            flags |= FIX;
        }
        let mut compare = None;
        if !merge {
            let old = head.parents.first().map(|parent| {
                *trees.entry(*parent).or_insert_with(|| {
                    let head = reader.commit(parent)?;
                    let tree = head.tree;
                    if !known.is_known(parent) && !seen.contains_key(parent) {
                        ahead.insert(*parent, head);
                    }
                    Some(tree)
                })
            });
            match old {
                Some(None) => flags |= BOUNDARY,
                Some(Some(old)) => compare = Some((Some(old), head.tree)),
                None => compare = Some((None, head.tree)),
            }
        }
        // The first parent is popped next, so that runs follow first parents.
        stack.extend(head.parents.iter().rev().filter(|parent| !seen.contains_key(*parent)));
        let commit = NewCommit {
            id,
            parents: head.parents,
            time: head.time,
            author: author_key(&head.author),
            signature: Some((head.signature, head.author_time)),
            flags,
            delta: Delta::default(),
        };
        Job { commit, trees: compare }
    }
}

/// Parents before children; otherwise in the order of history.
pub(super) fn sorted(commits: Vec<NewCommit>) -> Vec<NewCommit> {
    let index: IdTable<u32> = commits.iter().enumerate().map(|(at, commit)| (commit.id, at as u32)).collect();
    let nodes: Vec<super::order::Node> = commits
        .iter()
        .map(|commit| super::order::Node {
            key: (commit.time, commit.id),
            parents: commit.parents.iter().filter_map(|parent| index.get(parent).copied()).collect(),
        })
        .collect();
    let mut slots: Vec<Option<NewCommit>> = commits.into_iter().map(Some).collect();
    super::order::topological(&nodes).into_iter().filter_map(|at| slots[at as usize].take()).collect()
}
