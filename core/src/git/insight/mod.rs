//! What history says about files: everything here is counted from the log in memory, the trees of
//! the tip and a few small files of it.

mod bots;
mod columns;
mod complexity;
mod coupling;
mod files;
mod hotspots;
mod indentation;
mod kept;
mod lines;
mod owners;
mod people;
mod scope;
mod tally;
mod tip;
mod touches;

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use gix::ObjectId;
use gix::bstr::BString;

use super::history::History;
use super::log::{BOUNDARY, FIX, Log};
use super::record::{CountedHistory, HistorySpan};
use super::repository::Repository;
use crate::base::clock::rfc3339;
use crate::base::port::{Progress, Segments};
use crate::error::Result;
use complexity::Complexities;
use lines::LineCounts;
use people::People;
use tip::Tip;
use touches::{Lists, Touch, by_name, followed};

pub(super) const DAY: f64 = 86_400.0;

/// What changes of a generated or vendored file weigh beside those of others.
const LIGHT: f64 = 0.1;

/// A share of a file's commits below this is a minor contribution (Bird et al. 2011).
const MINOR: f64 = 0.05;

/// The history of a tip by file; never changes.
#[derive(Debug)]
pub struct Insight {
    log: Arc<Log>,
    id: ObjectId,
    tip: Tip,
    /// Every commit reachable from the tip, merges included; a place is an index into it.
    order: Arc<Vec<u32>>,
    people: People,
    touches: Lists<Touch>,
    names: OnceLock<(Vec<BString>, Lists<Touch>)>,
    known: Arc<KnownContents>,
    span: HistorySpan,
}

/// Which commits a question is about.
#[derive(Clone, Debug, Default)]
pub struct Commits<'a> {
    /// These do not count.
    pub hidden: Option<&'a HashSet<ObjectId>>,
    /// Only commits from this time on, RFC 3339 or a date.
    pub since: Option<&'a str>,
    /// Only commits before this time, RFC 3339 or a date.
    pub until: Option<&'a str>,
    /// Whether commits of bots count.
    pub bots: bool,
}

/// What was read of contents before, of any tip.
#[derive(Debug, Default)]
pub struct KnownContents {
    complexities: Complexities,
    lines: LineCounts,
}

/// Where contents are read, and where what was read of them is kept.
#[derive(Clone, Copy)]
pub struct Contents<'a> {
    /// Their repository.
    pub repo: &'a Repository,
    /// What is kept.
    pub segments: &'a dyn Segments,
    /// Is told how far reading has come.
    pub progress: &'a dyn Progress,
}

/// Which commits count.
struct Scope {
    /// By place.
    counted: Vec<bool>,
    basis: CountedHistory,
}

impl Scope {
    fn has(&self, touch: &Touch) -> bool {
        self.counted[touch.place as usize]
    }
}

impl Insight {
    /// Joins the history that leads up to its tip to the files of the tip; `known` is shared with
    /// other tips.
    ///
    /// Errors: `git.object_missing` where some trees of the tip are not in this clone.
    pub fn new(repo: &Repository, history: &History, known: Arc<KnownContents>) -> Result<Insight> {
        let (log, order, id) = (Arc::clone(history.log()), Arc::clone(history.order()), history.tip());
        let tip = Tip::read(repo, id)?;
        let people = People::of(&log, &order, &tip.mailmap);
        let touches = followed(&log, &order, &tip.files);
        let span = history.span(Some(id));
        Ok(Insight { log, id, tip, order, people, touches, names: OnceLock::new(), known, span })
    }

    /// Every name ever used and its touches.
    fn names(&self) -> &(Vec<BString>, Lists<Touch>) {
        self.names.get_or_init(|| by_name(&self.log, &self.order))
    }

    fn scope(&self, commits: &Commits<'_>) -> Result<Scope> {
        let since = scope::seconds("since", commits.since)?.unwrap_or(i64::MIN);
        let until = scope::seconds("until", commits.until)?.unwrap_or(i64::MAX);
        let mut basis = CountedHistory {
            tip: self.id.to_string(),
            time: rfc3339(self.tip.time.saturating_mul(1000)),
            history: self.span.clone(),
            ..CountedHistory::default()
        };
        let count = |(place, at): (usize, &u32)| {
            let commit = self.log.commit(*at);
            if commit.is_merge()
                || commit.flags & BOUNDARY != 0
                || !(since..until).contains(&commit.time)
                || commits.hidden.is_some_and(|hidden| hidden.contains(&commit.id))
            {
                return false;
            }
            if self.tip.ignored.contains(&commit.id) {
                basis.ignored += 1;
                return false;
            }
            if !commits.bots && self.people.person(self.people.author_of(place as u32)).bot {
                basis.by_bots += 1;
                return false;
            }
            basis.counted += 1;
            true
        };
        let counted = self.order.iter().enumerate().map(count).collect();
        Ok(Scope { counted, basis })
    }

    fn time_of(&self, place: u32) -> i64 {
        self.log.commit(self.order[place as usize]).time
    }

    fn is_fix(&self, place: u32) -> bool {
        self.log.commit(self.order[place as usize]).flags & FIX != 0
    }

    /// Days from a commit to the tip's time; 0 for one that a wrong clock put behind it.
    fn days_since(&self, place: u32) -> f64 {
        self.tip.time.saturating_sub(self.time_of(place)).max(0) as f64 / DAY
    }

    /// By place: 2^(-age / half-life).
    fn weights(&self, half_life_days: f64) -> Vec<f64> {
        (0..self.order.len() as u32)
            .map(|place| libm::exp2(-self.days_since(place) / half_life_days))
            .collect()
    }
}

/// The fewest that together make more than half of the sum; 0 where there is none.
fn fewest_of_half(weights: &mut [f64]) -> u64 {
    weights.sort_unstable_by(|a, b| b.total_cmp(a));
    let half = weights.iter().sum::<f64>() / 2.0;
    if half == 0.0 && !weights.is_empty() {
        // So old that nothing is left of any weight: then they are equal.
        return weights.len() as u64 / 2 + 1;
    }
    let mut sum = 0.0;
    for (at, weight) in weights.iter().enumerate() {
        sum += weight;
        if sum > half {
            return at as u64 + 1;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_half_is_needed() {
        assert_eq!(fewest_of_half(&mut []), 0);
        assert_eq!(fewest_of_half(&mut [3.0]), 1);
        assert_eq!(fewest_of_half(&mut [0.0, 0.0, 0.0]), 2);
        assert_eq!(fewest_of_half(&mut [1.0, 1.0]), 2);
        assert_eq!(fewest_of_half(&mut [1.0, 4.0, 2.0]), 1);
        assert_eq!(fewest_of_half(&mut [1.0, 2.0, 2.0, 1.0]), 2);
    }
}
