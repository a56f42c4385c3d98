//! History: the log up to a tip, kept in a segment, read once and then only continued.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gix::ObjectId;

use super::Vector;
use super::fold::{Row, Scratch, State};
use super::log::{BOUNDARY, FIX, GAP, Log, NONE, NewCommit};
use super::mine::{Known, Level, mine};
use super::order::{Order, reachable};
use super::record::{FeatureRow, FeatureTable, HistorySpan};
use super::repository::Repository;
use super::shared::List;
use crate::base::cancel::CancelToken;
use crate::base::port::{Progress, Segments};
use crate::error::Result;

/// Where the log is kept.
pub const SEGMENT: &str = "git/history/v2";

/// Where the first release kept it, without signatures; read where there is nothing else.
const SEGMENT_1: &str = "git/history/v1";

/// Where a log without lines is kept until there is one with lines.
const SEGMENT_FILES: &str = "git/files/v1";

/// The segment of a level.
fn segment(level: Level) -> &'static str {
    match level {
        Level::Files => SEGMENT_FILES,
        Level::Lines => SEGMENT,
    }
}

/// How many folded states are kept for the next question; they share most of what they are.
const KEEP_STATES: usize = 8;

/// How many commits before the last one a state is kept, too.
const STEP_BACK: usize = 256;

/// How often an append is tried again after another process was first.
const ATTEMPTS: usize = 8;

/// Everything reachable from a tip, as records; never changes.
#[derive(Debug)]
pub struct History {
    log: Arc<Log>,
    /// Where it knows no lines, there are no rows and a state has no measures.
    level: Level,
    tip: ObjectId,
    /// The segment's tip that the next append expects; `None` where there is no segment.
    expected: Option<String>,
    /// Every commit reachable from the tip, in order, merges included.
    order: Order,
    /// Commits that led up to the branch before and do not any more.
    dropped: AtomicU64,
    /// The same as one list, where somebody asked for it.
    listed: OnceLock<Arc<Vec<u32>>>,
    states: Mutex<Vec<Arc<Before>>>,
}

/// The state after everything reachable from a commit.
#[derive(Clone, Debug)]
pub struct Before {
    pub(super) log: Arc<Log>,
    pub(super) state: State,
    base: Option<ObjectId>,
    renames: bool,
    /// What was folded, in order, merges included.
    order: Order,
    rows: List<Row>,
    vectors: List<Vector>,
    /// By number in the log: the row, or [`NONE`].
    row_of: List<u32>,
}

/// Records that need no second look in this process.
struct Settled<'a>(&'a Log);

impl Known for Settled<'_> {
    fn is_known(&self, id: &ObjectId) -> bool {
        self.0.find(id).is_some_and(|at| !self.0.commit(at).is_gap())
    }
}

impl History {
    /// Reads the segment, adds what it lacks of the history of `tip`, and writes that back.
    ///
    /// Errors: `git.object_missing` where the tip is not in this clone, `call.cancelled`. A segment
    /// that is damaged, or cannot be read or written, costs time and nothing else.
    pub fn load(
        repo: &Repository,
        tip: ObjectId,
        level: Level,
        segments: &dyn Segments,
        progress: &dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Arc<History>> {
        let stored = Stored::read(segments, level).signed(repo, cancel)?;
        let first = stored.expected.is_none();
        let stored = fill(stored, repo, tip, None, segments, progress, cancel)?;
        // A log with lines says all that one without them does.
        if first
            && level == Level::Lines
            && matches!(segments.read(SEGMENT_FILES), Ok(Some((_, log))) if !log.is_empty())
        {
            let _ = segments.replace(SEGMENT_FILES, &Log::default().tip(), &[]);
        }
        let order = Order::of(&stored.log, tip);
        Ok(Arc::new(History::from_stored(stored, tip, order)))
    }

    /// Whether a log with lines is kept already, so that going on with it costs no more than another.
    pub fn is_kept(segments: &dyn Segments) -> bool {
        [SEGMENT, SEGMENT_1].iter().any(|name| matches!(segments.read(name), Ok(Some(_))))
    }

    /// The history of another tip, from what is in memory; only new commits are read.
    ///
    /// Errors: as [`load`](Self::load).
    pub fn advance(
        self: &Arc<Self>,
        repo: &Repository,
        tip: ObjectId,
        segments: &dyn Segments,
        progress: &dyn Progress,
        cancel: &CancelToken,
    ) -> Result<Arc<History>> {
        if tip == self.tip {
            return Ok(Arc::clone(self));
        }
        let stored = Stored {
            log: Arc::clone(&self.log),
            level: self.level,
            expected: self.expected.clone(),
            rewrite: false,
        };
        let stored = fill(stored, repo, tip, Some(&self.order), segments, progress, cancel)?;
        Ok(Arc::new(self.moved(stored, tip)))
    }

    /// The history of another tip in a log that may continue this one's.
    fn moved(&self, stored: Stored, tip: ObjectId) -> History {
        let continued = stored.log.continues(&self.log);
        let order = continued
            .then(|| self.order.advanced(&stored.log, self.tip, tip))
            .flatten()
            .unwrap_or_else(|| Order::of(&stored.log, tip));
        let next = History::from_stored(stored, tip, order);
        if continued {
            let states = self.states.lock().unwrap_or_else(PoisonError::into_inner).clone();
            *next.states.lock().unwrap_or_else(PoisonError::into_inner) = states;
        }
        next
    }

    fn from_stored(stored: Stored, tip: ObjectId, order: Order) -> History {
        History {
            log: stored.log,
            level: stored.level,
            tip,
            expected: stored.expected,
            order,
            dropped: AtomicU64::new(0),
            listed: OnceLock::new(),
            states: Mutex::default(),
        }
    }

    /// The commit that the history leads up to.
    pub fn tip(&self) -> ObjectId {
        self.tip
    }

    /// Whether the log has a record of the commit, on the way to the tip or not.
    pub fn knows(&self, id: ObjectId) -> bool {
        self.log.find(&id).is_some()
    }

    pub(super) fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// What is known of the history reachable from `base`; nothing where it is `None` or unknown.
    pub fn span(&self, base: Option<ObjectId>) -> HistorySpan {
        let mut span = self.order_of(base).span().clone();
        span.dropped = self.dropped.load(Ordering::Relaxed);
        span
    }

    /// The state after everything reachable from `base`; the empty state where it is `None`.
    pub fn before(&self, base: Option<ObjectId>) -> Arc<Before> {
        self.state(base, true)
    }

    /// The measures of commit `id` within the history of `tip`, and how many measured commits come
    /// before it; `None` where it is a merge, unknown, or its changes are not known.
    pub fn own(&self, tip: ObjectId, id: ObjectId) -> Option<(usize, Vector)> {
        let before = self.before(Some(tip));
        let at = before.place(&id)?;
        Some((at, before.vectors[at]))
    }

    /// The measures of every commit reachable from `to` and not from `from`, within the whole
    /// history of `to`.
    pub fn features(&self, from: Option<ObjectId>, to: ObjectId, renames: bool) -> FeatureTable {
        let state = self.state(Some(to), renames);
        let mut hidden = vec![false; if from.is_some() { self.log.len() } else { 0 }];
        if let Some(from) = from {
            reachable(&self.log, from, |at| hidden[at as usize] = true);
        }
        let rows: Vec<FeatureRow> = state
            .rows
            .iter()
            .filter(|row| !hidden.get(row.commit as usize).is_some_and(|hidden| *hidden))
            .map(|row| row.named(&self.log))
            .collect();
        let mut history = state.order.span().clone();
        history.dropped = self.dropped.load(Ordering::Relaxed);
        FeatureTable { rows, history }
    }

    /// Compares with the tip that the branch had when it was read last: where that does not lead up to
    /// this history's tip, history was rewritten, and answers say how many commits were dropped.
    pub fn follows(&self, earlier: ObjectId) {
        let mut dropped = 0;
        match self.log.find(&earlier) {
            Some(at) if self.order.contains(at) => {}
            // Its records are gone; it itself has been dropped for certain.
            None => dropped = 1,
            Some(_) => reachable(&self.log, earlier, |at| {
                dropped += u64::from(!self.order.contains(at) && !self.log.commit(at).is_merge());
            }),
        }
        self.dropped.store(dropped, Ordering::Relaxed);
    }

    /// Every commit reachable from the tip, in order, merges included.
    pub(super) fn order(&self) -> &Arc<Vec<u32>> {
        self.listed.get_or_init(|| Arc::new(self.order.iter_from(0).copied().collect()))
    }

    /// Every commit that leads up to `base`, itself included; none where it is unknown.
    pub fn ancestors(&self, base: ObjectId) -> std::collections::HashSet<ObjectId> {
        let mut found = std::collections::HashSet::new();
        reachable(&self.log, base, |at| {
            found.insert(self.log.commit(at).id);
        });
        found
    }

    fn order_of(&self, base: Option<ObjectId>) -> Order {
        match base {
            None => Order::default(),
            Some(base) if base == self.tip => self.order.clone(),
            Some(base) => Order::of(&self.log, base),
        }
    }

    fn state(&self, base: Option<ObjectId>, renames: bool) -> Arc<Before> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = states.iter().position(|state| state.base == base && state.renames == renames) {
            let state = states.remove(at);
            states.push(Arc::clone(&state));
            return state;
        }
        let order = self.order_of(base);
        // A state that is a beginning of this order saves folding it again.
        let start = states
            .iter()
            .filter(|state| state.renames == renames && order.starts_with(&state.order))
            .max_by_key(|state| state.order.len())
            .cloned();
        let mut state = match start.as_deref() {
            Some(start) => start.at(&self.log, base),
            None => Before::empty(&self.log, renames),
        };
        // A merge can put commits before the last ones: from a state somewhat back it is not far.
        let back = order.len().saturating_sub(STEP_BACK);
        if state.order.len() < back {
            state.fold(&order, back);
            states.push(Arc::new(state.clone()));
        }
        state.fold(&order, order.len());
        (state.base, state.order) = (base, order);
        let state = Arc::new(state);
        states.push(Arc::clone(&state));
        let surplus = states.len().saturating_sub(KEEP_STATES);
        states.drain(..surplus);
        state
    }
}

impl Before {
    fn empty(log: &Arc<Log>, renames: bool) -> Before {
        Before {
            log: Arc::clone(log),
            state: State::default(),
            base: None,
            renames,
            order: Order::default(),
            rows: List::default(),
            vectors: List::default(),
            row_of: List::default(),
        }
    }

    /// The same state, as one of a log that continues this one's.
    fn at(&self, log: &Arc<Log>, base: Option<ObjectId>) -> Before {
        Before { log: Arc::clone(log), base, ..self.clone() }
    }

    /// Takes in what stands in the order up to `until`.
    fn fold(&mut self, order: &Order, until: usize) {
        let log = Arc::clone(&self.log);
        let mut scratch = Scratch::default();
        self.row_of.resize(log.len().max(self.row_of.len()), NONE);
        for commit in order.iter_from(self.order.len()).take(until.saturating_sub(self.order.len())) {
            let record = log.commit(*commit);
            if record.is_merge() {
                continue;
            }
            let row = self.state.step(&log, *commit, self.renames, &mut scratch);
            // Of a commit that could not be read whole the measures would be wrong.
            if !record.is_gap() && record.is_counted() {
                if let Some(slot) = self.row_of.get_mut(*commit as usize) {
                    *slot = self.rows.len() as u32;
                }
                self.rows.push(row);
                self.vectors.push(row.vector(record.flags & FIX != 0));
            }
        }
        self.order = order.first(until);
        self.base = None;
    }

    /// How many commits in this state have measures.
    pub fn measured(&self) -> usize {
        self.vectors.len()
    }

    /// The measures of every commit in this state, in order; merges and commits whose changes are
    /// not known are left out.
    pub fn vectors(&self) -> impl Iterator<Item = &Vector> + '_ {
        self.vectors.iter()
    }

    /// The measures of the last `count` commits in this state, or of all where there are fewer.
    pub fn last_vectors(&self, count: usize) -> Vec<Vector> {
        self.vectors.iter_from(self.vectors.len().saturating_sub(count)).copied().collect()
    }

    fn place(&self, id: &ObjectId) -> Option<usize> {
        let number = self.log.find(id)?;
        self.row_of.get(number as usize).filter(|row| **row != NONE).map(|row| *row as usize)
    }
}

/// Whether the log says of this commit, too, that the same could not be read.
fn same_gap(log: &Log, commit: &NewCommit) -> bool {
    log.find(&commit.id).is_some_and(|at| {
        let known = log.commit(at);
        commit.flags & (BOUNDARY | GAP) != 0
            && known.flags & (BOUNDARY | GAP) == commit.flags & (BOUNDARY | GAP)
    })
}

/// Adds what the log lacks of the history of `tip`, kept piece by piece, so that a read that is cut
/// short goes on where it stopped. `done` is the order of a history that is in the log already;
/// without one, what could not be read before is tried again.
fn fill(
    mut stored: Stored,
    repo: &Repository,
    tip: ObjectId,
    done: Option<&Order>,
    segments: &dyn Segments,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<Stored> {
    let mut again = done.is_none();
    loop {
        let log = Arc::clone(&stored.log);
        let starts = starts(&log, tip, again, done);
        let settled = Settled(&log);
        let known: &dyn Known = if again { &settled } else { log.as_ref() };
        mine(repo, &starts, known, stored.level, progress, cancel, &mut |mut found| {
            found.retain(|commit| !same_gap(&log, commit));
            stored = std::mem::take(&mut stored).add(segments, found);
        })?;
        // What was found may stand on what is known, but not to the end: look again from there.
        if stored.log.len() == log.len() {
            return Ok(stored);
        }
        again = false;
    }
}

/// Where reading begins: the tip, and behind what is known but not to the end. With `again` also what
/// was not in the clone before: commits that could not be read whole, and those beyond a cut.
fn starts(log: &Log, tip: ObjectId, again: bool, done: Option<&Order>) -> Vec<ObjectId> {
    let mut starts = vec![tip];
    let mut look = |at: u32| {
        let commit = log.commit(at);
        if again && commit.is_gap() && commit.id != tip {
            starts.push(commit.id);
        }
        if again || commit.flags & BOUNDARY == 0 {
            starts.extend(log.parents_of(at).iter().filter(|parent| log.find(parent).is_none()));
        }
    };
    // Behind what is known to the end there is nothing to read.
    match done.filter(|done| !done.span().cut) {
        Some(done) => done.beyond(log, tip, |at, _| look(at)),
        None => reachable(log, tip, look),
    }
    starts
}

/// The log as the segment has it.
#[derive(Default)]
pub(super) struct Stored {
    pub log: Arc<Log>,
    level: Level,
    /// The segment's tip; `None` where there is no segment.
    expected: Option<String>,
    /// Whether the segment must be written anew: it does not hold what its tip says, or less than the log.
    rewrite: bool,
}

impl Stored {
    /// Reads the segment; what cannot be trusted is as if it were not there.
    pub fn read(segments: &dyn Segments, level: Level) -> Stored {
        match segments.read(segment(level)) {
            Ok(Some((tip, bytes))) => {
                let (log, sound) = Log::read(&bytes);
                let rewrite = sound != bytes.len() || log.tip() != tip;
                Stored { log: Arc::new(log), level, expected: Some(tip), rewrite }
            }
            _ => match segments.read(SEGMENT_1) {
                Ok(Some((_, bytes))) if level == Level::Lines => {
                    Stored { log: Arc::new(Log::read(&bytes).0), level, expected: None, rewrite: true }
                }
                _ => Stored { level, ..Stored::default() },
            },
        }
    }

    /// Looks up the signatures that the log lacks, of commits that are in this clone; no diff is read
    /// again.
    ///
    /// Errors: `call.cancelled`.
    fn signed(self, repo: &Repository, cancel: &CancelToken) -> Result<Stored> {
        if !self.log.is_unsigned() {
            return Ok(self);
        }
        let mut reader = repo.reader().without_refresh();
        let mut commits = Vec::with_capacity(self.log.len());
        let mut found = false;
        for at in (0..self.log.len() as u32).filter(|at| self.log.find(&self.log.commit(*at).id) == Some(*at))
        {
            let mut commit = self.log.restore(at);
            if commit.signature.is_none()
                && let Some(head) = reader.commit(&commit.id)
            {
                commit.signature = Some((head.signature, head.author_time));
                found = true;
            }
            commits.push(commit);
            if commits.len().is_multiple_of(256) {
                cancel.check()?;
            }
        }
        if !found {
            return Ok(self);
        }
        let mut log = Log::default();
        log.extend(&commits);
        Ok(Stored { log: Arc::new(log), rewrite: true, ..self })
    }

    /// Adds records and appends them to the segment; another process that was first is read again.
    pub fn add(mut self, segments: &dyn Segments, mut commits: Vec<NewCommit>) -> Stored {
        for _ in 0..ATTEMPTS {
            if commits.is_empty() && !self.rewrite {
                return self;
            }
            let mut log = Log::clone(&self.log);
            let done = if self.rewrite {
                // What was sound is written anew in one piece, with the rest.
                let mut all: Vec<NewCommit> = (0..log.len() as u32).map(|at| log.restore(at)).collect();
                all.extend(commits.iter().cloned());
                log = Log::default();
                let chunk = log.extend(&all);
                segments.replace(segment(self.level), &log.tip(), &chunk).map(|()| true)
            } else {
                let chunk = log.extend(&commits);
                segments.append(segment(self.level), self.expected.as_deref(), &log.tip(), &chunk)
            };
            match done {
                Ok(true) => {
                    let expected = Some(log.tip());
                    return Stored { log: Arc::new(log), level: self.level, expected, rewrite: false };
                }
                Ok(false) => {
                    self = Stored::read(segments, self.level);
                    commits.retain(|commit| match self.log.find(&commit.id) {
                        None => true,
                        Some(at) => self.log.commit(at).is_gap() && !same_gap(&self.log, commit),
                    });
                }
                // A store that cannot be written: the answer does not depend on it.
                Err(_) => {
                    return Stored { log: Arc::new(log), ..self };
                }
            }
        }
        let mut log = Log::clone(&self.log);
        log.extend(&commits);
        Stored { log: Arc::new(log), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::port::Memory;
    use crate::git::diff::{Counts, Delta, Measured};
    use crate::git::log::{MERGE, Signature};

    struct Dice(u64);

    impl Dice {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % limit
        }
    }

    /// A commit on some of those before it: mostly on the last one, sometimes on an old one, a merge
    /// of two, or a new root; clocks go wrong.
    fn commit(dice: &mut Dice, known: &[NewCommit]) -> NewCommit {
        let number = known.len();
        let parent = |dice: &mut Dice| match dice.below(4) {
            0 => dice.below(number),
            _ => number - 1 - dice.below(number.min(3)),
        };
        let count = if number == 0 { 0 } else { [1, 1, 1, 1, 1, 2, 2, 0, 1, 1][dice.below(10)] };
        let mut parents: Vec<ObjectId> = (0..count).map(|_| known[parent(dice)].id).collect();
        parents.dedup();
        let merge = parents.len() > 1;
        let mut files: Vec<Measured> = Vec::new();
        for at in 0..if merge { 0 } else { dice.below(4) } {
            let path = |number: usize| format!("d{}/f{number}", number % 3).into();
            let renamed = dice.below(5) == 0;
            let counts = Counts { added: dice.below(9) as u32, before: 5, after: 7, ..Counts::default() };
            let from = renamed.then(|| path(dice.below(12)));
            files.push(Measured { path: path(at * 4 + dice.below(4)), from, counts });
        }
        let mut id = [0; 20];
        id[..8].copy_from_slice(&(number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
        let author = dice.below(3) as u8;
        let gap = !merge && dice.below(20) == 0;
        NewCommit {
            id: ObjectId::from_bytes_or_panic(&id),
            parents,
            time: 1_600_000_000 + (number * 1000) as i64 - [0, 0, 0, 1000, 2500, 90_000][dice.below(6)],
            author: [author; 16],
            signature: Some((Signature { name: "A".into(), email: vec![b'a' + author].into() }, 0)),
            flags: if merge { MERGE } else { 0 } | if gap { GAP } else { 0 },
            delta: Delta { files, gap },
        }
    }

    #[test]
    fn a_continued_history_equals_one_from_scratch() {
        for seed in 0..16 {
            let mut dice = Dice(seed);
            let segments = Memory::default();
            let mut known: Vec<NewCommit> = Vec::new();
            let mut history: Option<History> = None;
            while known.len() < 120 {
                let mut found = Vec::new();
                for _ in 0..=dice.below(3) {
                    let next = commit(&mut dice, &[known.as_slice(), &found].concat());
                    found.push(next);
                }
                known.extend(found.iter().cloned());
                // Mostly the newest, sometimes any other: as after a force-push.
                let tip = match dice.below(8) {
                    0 => known[dice.below(known.len())].id,
                    _ => known[known.len() - 1].id,
                };
                let stored = match &history {
                    None => Stored::default(),
                    Some(history) => Stored {
                        log: Arc::clone(&history.log),
                        level: Level::Lines,
                        expected: history.expected.clone(),
                        rewrite: false,
                    },
                };
                let stored = stored.add(&segments, found);
                let next = match &history {
                    None => {
                        let order = Order::of(&stored.log, tip);
                        History::from_stored(stored, tip, order)
                    }
                    Some(history) => history.moved(stored, tip),
                };
                let fresh = Stored::read(&segments, Level::Lines);
                assert_eq!(fresh.log.len(), known.len());
                let order = Order::of(&fresh.log, tip);
                let fresh = History::from_stored(fresh, tip, order);
                assert_eq!(next.span(Some(tip)), fresh.span(Some(tip)), "{seed}: {}", known.len());
                for renames in [true, false] {
                    if dice.below(3) > 0 {
                        let (a, b) = (next.features(None, tip, renames), fresh.features(None, tip, renames));
                        assert_eq!(a, b, "{seed}: {} commits, renames {renames}", known.len());
                    }
                }
                let base = known[dice.below(known.len())].id;
                assert_eq!(next.features(Some(base), tip, true), fresh.features(Some(base), tip, true));
                let ids = known.iter().map(|commit| commit.id);
                ids.for_each(|id| assert_eq!(next.own(tip, id), fresh.own(tip, id)));
                history = Some(next);
            }
        }
    }
}
