//! The fold: walks history in order and gives each commit its measures from what came before.

use std::sync::Arc;

use super::log::{Log, NONE, Touched};
use super::shared::{List, Map};
use super::{Vector, record::FeatureRow};

/// A year of the measure REXP, seconds.
const YEAR: i64 = 31_557_600;
const DAY: f64 = 86_400.0;

/// Measures of one commit, without its names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    /// The commit's number in the log.
    pub commit: u32,
    /// Its place in the order, merges left out.
    pub order: u32,
    pub ns: u32,
    pub nd: u32,
    pub nf: u32,
    pub entropy: f64,
    pub la: u64,
    pub ld: u64,
    pub lt_sum: u64,
    pub ndev: u32,
    pub age: f64,
    pub nuc: u32,
    pub nuc_last: u32,
    pub exp: u32,
    pub rexp: f64,
    pub sexp: u32,
    pub renames: u32,
    pub ndev_mean: f64,
    pub nuc_mean: f64,
}

impl Row {
    /// The fourteen measures in the order of [`super::FEATURES`].
    pub fn vector(&self, fix: bool) -> Vector {
        [
            f64::from(self.ns),
            f64::from(self.nd),
            f64::from(self.nf),
            self.entropy,
            self.la as f64,
            self.ld as f64,
            mean(self.lt_sum as f64, self.nf as usize),
            f64::from(u8::from(fix)),
            f64::from(self.ndev),
            self.age,
            f64::from(self.nuc),
            f64::from(self.exp),
            self.rexp,
            f64::from(self.sexp),
        ]
    }

    /// The row with its names.
    pub fn named(&self, log: &Log) -> FeatureRow {
        let commit = log.commit(self.commit);
        FeatureRow {
            order: u64::from(self.order),
            sha: commit.id.to_string(),
            author: crate::base::id::hex(&log.author_key(commit.author)[..6]),
            time: commit.time,
            ns: u64::from(self.ns),
            nd: u64::from(self.nd),
            nf: u64::from(self.nf),
            entropy: self.entropy,
            la: self.la,
            ld: self.ld,
            lt_sum: self.lt_sum,
            lt: mean(self.lt_sum as f64, self.nf as usize),
            fix: u64::from(commit.flags & super::log::FIX != 0),
            ndev: u64::from(self.ndev),
            age: self.age,
            nuc: u64::from(self.nuc),
            nuc_last: u64::from(self.nuc_last),
            exp: u64::from(self.exp),
            rexp: self.rexp,
            sexp: u64::from(self.sexp),
            renames: u64::from(self.renames),
            ndev_mean: self.ndev_mean,
            nuc_mean: self.nuc_mean,
        }
    }
}

pub(super) fn mean(sum: f64, count: usize) -> f64 {
    if count == 0 { 0.0 } else { sum / count as f64 }
}

/// Shannon entropy in bits of changed lines over files; 0 where no line changed.
pub(super) fn entropy(changed: impl Iterator<Item = u64> + Clone) -> f64 {
    let total: u64 = changed.clone().sum();
    let sum: f64 = changed
        .filter(|lines| *lines > 0 && *lines < total)
        .map(|lines| {
            let share = lines as f64 / total as f64;
            -share * libm::log2(share)
        })
        .sum();
    // The sum of nothing is a negative zero.
    sum + 0.0
}

/// Places in the order, or times, sorted.
type Sorted<T> = Arc<Vec<T>>;

/// The state after everything that came before; a clone shares what it has in common.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// By path number: the commits (by place in the order) in the path's history, sorted.
    histories: List<Sorted<u32>>,
    /// By place in the order.
    author_of: List<u32>,
    time_of: List<i64>,
    /// By author: the times of the commits, sorted.
    authors: List<Sorted<i64>>,
    /// By author and subsystem: places in the order, sorted.
    by_subsystem: Map<(u32, u32), Sorted<u32>>,
}

/// Sets that are emptied by counting up instead of clearing.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    marks: Vec<u32>,
    now: u32,
}

impl Stamps {
    /// An empty set of numbers below `size`.
    pub fn clear(&mut self, size: usize) {
        if self.now == u32::MAX {
            self.marks.clear();
            self.now = 0;
        }
        if self.marks.len() < size {
            self.marks.resize(size, 0);
        }
        self.now += 1;
    }

    /// Puts a number in; whether it is new.
    pub fn insert(&mut self, number: u32) -> bool {
        std::mem::replace(&mut self.marks[number as usize], self.now) != self.now
    }
}

/// Reusable sets of one fold.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    commits: Stamps,
    authors: Stamps,
    file_authors: Stamps,
    lasts: Stamps,
    parts: Vec<Part>,
}

/// One file as one reading of renames sees it.
#[derive(Clone, Copy, Debug)]
struct Part {
    path: u32,
    from: u32,
    added: u32,
    deleted: u32,
    before: u32,
}

/// A record's files under one reading of renames.
fn parts(files: &[Touched], renames: bool, parts: &mut Vec<Part>) {
    parts.clear();
    for file in files {
        let counts = &file.counts;
        if file.from != NONE && !renames {
            let old = if counts.flags & super::diff::OLD_BINARY != 0 { 0 } else { counts.before };
            let new = if counts.flags & super::diff::NEW_BINARY != 0 { 0 } else { counts.after };
            parts.push(Part { path: file.from, from: NONE, added: 0, deleted: old, before: old });
            parts.push(Part { path: file.path, from: NONE, added: new, deleted: 0, before: 0 });
        } else {
            let before = if counts.binary() { 0 } else { counts.before };
            parts.push(Part {
                path: file.path,
                from: file.from,
                added: counts.added,
                deleted: counts.deleted,
                before,
            });
        }
    }
}

/// All of two sorted lists, each number once.
pub(super) fn union(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut all = Vec::with_capacity(a.len() + b.len() + 1);
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let next = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x == y => {
                b.next();
                a.next()
            }
            (Some(x), Some(y)) if x < y => a.next(),
            (_, Some(_)) => b.next(),
            (_, None) => a.next(),
        };
        match next {
            Some(next) => all.push(*next),
            None => return all,
        }
    }
}

impl State {
    /// Commits folded so far, merges left out.
    pub fn commits(&self) -> usize {
        self.time_of.len()
    }

    /// A path's history; empty where the path is unknown.
    pub fn history(&self, path: Option<u32>) -> &[u32] {
        path.and_then(|path| self.histories.get(path as usize)).map_or(&[], |history| history.as_slice())
    }

    /// Who made the commit at a place in the order.
    pub fn author_of(&self, place: u32) -> u32 {
        self.author_of[place as usize]
    }

    /// When the commit at a place in the order was made.
    pub fn time_of(&self, place: u32) -> i64 {
        self.time_of[place as usize]
    }

    /// Numbers of authors are below this.
    pub fn authors(&self) -> usize {
        self.authors.len()
    }

    /// Earlier commits of an author.
    pub fn experience(&self, author: u32) -> u32 {
        self.authors.get(author as usize).map_or(0, |times| times.len() as u32)
    }

    /// Earlier commits of an author, each weighted 1/(n+1), n = whole years before `time`.
    pub fn recent_experience(&self, author: u32, time: i64) -> f64 {
        let Some(times) = self.authors.get(author as usize) else { return 0.0 };
        let not_after = |limit: i64| times.partition_point(|known| *known <= limit);
        let mut left = times.len();
        let mut sum = 0.0;
        let mut years = 0i64;
        while left > 0 {
            let older = not_after(time.saturating_sub(YEAR.saturating_mul(years + 1)));
            sum += (left - older) as f64 / (years + 1) as f64;
            left = older;
            // Commits of an age in hundreds of years come from broken clocks: on to the next one.
            years = match times[..left].last() {
                Some(last) => (time.saturating_sub(*last) / YEAR).max(years + 1),
                None => break,
            };
        }
        sum
    }

    /// Earlier commits of an author in a subsystem.
    pub fn in_subsystem(&self, author: u32, subsystem: u32) -> &[u32] {
        self.by_subsystem.get(&(author, subsystem)).map_or(&[], |places| places.as_slice())
    }

    /// Measures the next commit and takes it in.
    pub fn step(&mut self, log: &Log, commit: u32, renames: bool, scratch: &mut Scratch) -> Row {
        let record = log.commit(commit);
        let place = self.time_of.len() as u32;
        self.histories.resize(log.paths().max(self.histories.len()), Arc::default());
        self.authors.resize(log.authors().max(self.authors.len()), Arc::default());
        let mut touched = std::mem::take(&mut scratch.parts);
        parts(log.files_of(commit), renames, &mut touched);

        let mut row = Row { commit, order: place, nf: touched.len() as u32, ..Row::default() };
        row.entropy = entropy(touched.iter().map(|part| u64::from(part.added) + u64::from(part.deleted)));
        scratch.commits.clear(place as usize);
        scratch.lasts.clear(place as usize);
        scratch.authors.clear(self.authors.len());
        let (mut ages, mut aged) = (0.0, 0usize);
        let (mut all_devs, mut all_changes) = (0usize, 0usize);
        for part in &touched {
            row.la += u64::from(part.added);
            row.ld += u64::from(part.deleted);
            row.lt_sum += u64::from(part.before);
            if part.from != NONE {
                row.renames += 1;
                // The old path's history becomes part of the new path's; the old one keeps its own.
                let old = &self.histories[part.from as usize];
                let new = &self.histories[part.path as usize];
                let all = if new.is_empty() { Arc::clone(old) } else { Arc::new(union(new, old)) };
                if let Some(history) = self.histories.get_mut(part.path as usize) {
                    *history = all;
                }
            }
            let history = &self.histories[part.path as usize];
            scratch.file_authors.clear(self.authors.len());
            for earlier in history.iter() {
                let author = self.author_of[*earlier as usize];
                if scratch.commits.insert(*earlier) {
                    row.nuc += 1;
                    row.ndev += u32::from(scratch.authors.insert(author));
                }
                all_devs += usize::from(scratch.file_authors.insert(author));
            }
            all_changes += history.len();
            if let Some(last) = history.last() {
                ages += record.time.saturating_sub(self.time_of[*last as usize]).max(0) as f64 / DAY;
                aged += 1;
                row.nuc_last += u32::from(scratch.lasts.insert(*last));
            }
        }
        row.age = mean(ages, aged);
        row.ndev_mean = mean(all_devs as f64, touched.len());
        row.nuc_mean = mean(all_changes as f64, touched.len());

        let mut subsystems: Vec<u32> = touched.iter().map(|part| log.place(part.path).subsystem).collect();
        let mut directories: Vec<u32> = touched.iter().map(|part| log.place(part.path).directory).collect();
        for numbers in [&mut subsystems, &mut directories] {
            numbers.sort_unstable();
            numbers.dedup();
        }
        (row.ns, row.nd) = (subsystems.len() as u32, directories.len() as u32);
        row.exp = self.experience(record.author);
        row.rexp = self.recent_experience(record.author, record.time);
        row.sexp = match subsystems.as_slice() {
            [one] => self.in_subsystem(record.author, *one).len() as u32,
            many => {
                scratch.commits.clear(place as usize);
                many.iter()
                    .flat_map(|subsystem| self.in_subsystem(record.author, *subsystem))
                    .map(|earlier| u32::from(scratch.commits.insert(*earlier)))
                    .sum()
            }
        };

        for part in &touched {
            if let Some(history) = self.histories.get_mut(part.path as usize) {
                Arc::make_mut(history).push(place);
            }
        }
        for subsystem in subsystems {
            self.by_subsystem.update((record.author, subsystem), |places| Arc::make_mut(places).push(place));
        }
        self.author_of.push(record.author);
        self.time_of.push(record.time);
        if let Some(times) = self.authors.get_mut(record.author as usize) {
            let at = times.partition_point(|known| *known <= record.time);
            Arc::make_mut(times).insert(at, record.time);
        }
        scratch.parts = touched;
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_that_of_the_paper() {
        assert!((entropy([30, 20, 10].into_iter()) - 1.459_147_917).abs() < 1e-9);
        assert_eq!(entropy([0, 5].into_iter()).to_bits(), 0.0f64.to_bits());
        assert_eq!(entropy([].into_iter()).to_bits(), 0.0f64.to_bits());
    }

    #[test]
    fn union_keeps_each_once() {
        assert_eq!(union(&[1, 3, 5], &[1, 2, 5, 9]), [1, 2, 3, 5, 9]);
        assert_eq!(union(&[], &[4]), [4]);
    }

    #[test]
    fn experience_fades_by_whole_years() {
        let mut state = State::default();
        let now = 2_000_000_000;
        let mut times = vec![now - 3 * YEAR, now - YEAR, now - YEAR + 1, now, now + 5];
        state.authors.push(Arc::new(times.clone()));
        assert!((state.recent_experience(0, now) - (3.0 + 0.5 + 0.25)).abs() < 1e-12);
        times.insert(0, 0);
        state.authors = [Arc::new(times)].into_iter().collect();
        let n = (now / YEAR) as f64;
        assert!((state.recent_experience(0, now) - (3.75 + 1.0 / (n + 1.0))).abs() < 1e-12);
        assert_eq!(state.recent_experience(7, now), 0.0);
    }
}
