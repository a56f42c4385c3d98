//! Mining: reads the commits that the log lacks and measures their diffs, on every core.
//!
//! One thread walks the graph and hands out runs of neighbours along first parents; the workers
//! find most of a run's trees and files in the caches that the run itself has filled.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use gix::ObjectId;

use super::diff::{self, Delta};
use super::log::{BOUNDARY, FIX, GAP, IdMap, Log, MERGE, NewCommit};
use super::read::{CommitHead, Reader, author_key, is_fix};
use super::repository::Repository;
use crate::base::cancel::CancelToken;
use crate::base::port::Progress;
use crate::error::{Error, Result};

/// Commits in one run of neighbours.
const RUN: usize = 200;
/// What all workers together keep of what they have read, in bytes.
const MEMORY: usize = 320 << 20;
/// Progress is reported at most this often.
const REPORT_EVERY: Duration = Duration::from_millis(100);

struct Job {
    commit: NewCommit,
    /// Old and new tree; absent where there is nothing to compare.
    trees: Option<(Option<ObjectId>, ObjectId)>,
}

/// How many records wait before a piece is kept.
const PIECE: usize = 4096;

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

/// Reads every commit reachable from `starts` that is not known and stands in this clone, and hands
/// the records to `keep` in pieces, within a piece parents before children. What was read before the
/// call was cancelled is handed over too; the last piece may be empty.
///
/// Errors: `git.object_missing` where `starts[0]` is neither known nor in this clone,
/// `call.cancelled`.
pub(super) fn mine(
    repo: &Repository,
    starts: &[ObjectId],
    known: &dyn Known,
    progress: &dyn Progress,
    cancel: &CancelToken,
    keep: &mut dyn FnMut(Vec<NewCommit>),
) -> Result<()> {
    if starts.iter().all(|id| known.is_known(id)) {
        keep(Vec::new());
        return Ok(());
    }
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (send, receive) = mpsc::channel::<Vec<Job>>();
    let receive = Mutex::new(receive);
    let done = AtomicU64::new(0);
    let found: Mutex<Vec<NewCommit>> = Mutex::default();
    let walked = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|_| scope.spawn(|| work(repo, MEMORY / workers, &receive, &found, &done, cancel)))
            .collect();
        let walked = walk(repo, starts, known, send, &done, progress, cancel);
        let mut total = 0;
        if let Ok(count) = walked {
            total = count;
            // The walk is over: from here on the total is known.
            while threads.iter().any(|thread| !thread.is_finished()) && !cancel.is_cancelled() {
                progress.report(done.load(Ordering::Relaxed), total, "commits", "history");
                if let Some(piece) = taken(&found, PIECE) {
                    keep(sorted(piece));
                }
                let pause = Instant::now();
                while pause.elapsed() < REPORT_EVERY && threads.iter().any(|thread| !thread.is_finished()) {
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        }
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
        progress.report(done.load(Ordering::Relaxed), total, "commits", "history");
        walked
    });
    keep(sorted(taken(&found, 0).unwrap_or_default()));
    walked?;
    cancel.check()
}

/// What was found so far, where it is at least `least`.
fn taken(found: &Mutex<Vec<NewCommit>>, least: usize) -> Option<Vec<NewCommit>> {
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    (found.len() >= least).then(|| std::mem::take(&mut *found))
}

fn work(
    repo: &Repository,
    memory: usize,
    receive: &Mutex<mpsc::Receiver<Vec<Job>>>,
    found: &Mutex<Vec<NewCommit>>,
    done: &AtomicU64,
    cancel: &CancelToken,
) {
    let mut reader = Reader::with_memory(repo.local(), memory);
    loop {
        let run = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(run) = run else { return };
        let mut commits = Vec::with_capacity(run.len());
        for Job { mut commit, trees } in run {
            if cancel.is_cancelled() {
                return;
            }
            if let Some((old, new)) = trees {
                commit.delta = diff::trees(&mut reader, old, Some(new));
                if commit.delta.gap {
                    commit.flags |= GAP;
                }
            }
            commits.push(commit);
            done.fetch_add(1, Ordering::Relaxed);
        }
        found.lock().unwrap_or_else(PoisonError::into_inner).extend(commits);
    }
}

/// Walks from `starts` and hands out jobs; gives back how many.
fn walk(
    repo: &Repository,
    starts: &[ObjectId],
    known: &dyn Known,
    send: mpsc::Sender<Vec<Job>>,
    done: &AtomicU64,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<u64> {
    let mut reader = repo.reader();
    let mut trees: IdMap<Option<ObjectId>> = IdMap::default();
    let mut ahead: HashMap<ObjectId, CommitHead> = HashMap::new();
    let mut seen: IdMap<()> = IdMap::default();
    let mut stack: Vec<ObjectId> = starts.to_vec();
    let mut run = Vec::with_capacity(RUN);
    let mut count = 0u64;
    let mut reported = Instant::now();
    let send_run = |run: &mut Vec<Job>| {
        let jobs = std::mem::replace(run, Vec::with_capacity(RUN));
        // Workers leave early only when the call is cancelled.
        let _ = send.send(jobs);
    };
    while let Some(id) = stack.pop() {
        if known.is_known(&id) || seen.insert(id, ()).is_some() {
            continue;
        }
        if count.is_multiple_of(64) {
            cancel.check()?;
            if reported.elapsed() > REPORT_EVERY {
                reported = Instant::now();
                progress.report(done.load(Ordering::Relaxed), 0, "commits", "history");
            }
        }
        let head = match ahead.remove(&id) {
            Some(head) => head,
            None => match reader.commit(&id) {
                Some(head) => head,
                // Beyond the cut; only the tip must be there.
                None if starts[0] != id => continue,
                None => {
                    return Err(Error::new(
                        "git.object_missing",
                        format!("commit `{id}` is not in this clone; fetch it"),
                    )
                    .with("id", id));
                }
            },
        };
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
        run.push(Job { commit, trees: compare });
        count += 1;
        if run.len() == RUN {
            send_run(&mut run);
        }
    }
    send_run(&mut run);
    Ok(count)
}

/// Parents before children; otherwise in the order of history.
pub(super) fn sorted(commits: Vec<NewCommit>) -> Vec<NewCommit> {
    let index: IdMap<u32> = commits.iter().enumerate().map(|(at, commit)| (commit.id, at as u32)).collect();
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
