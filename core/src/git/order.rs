//! The order of history: topological, always the least (committer time, id) of those whose
//! parents are all out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use gix::ObjectId;

use super::log::{Log, NONE};
use super::record::HistorySpan;
use super::shared::List;

/// Everything reachable from a commit, in order, merges included.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    commits: List<u32>,
    /// By number in the log: the place in the order, or [`NONE`].
    places: List<u32>,
    span: HistorySpan,
}

impl Order {
    /// The order of everything reachable from `tip`; empty where it is unknown.
    pub fn of(log: &Log, tip: ObjectId) -> Order {
        let mut found = Vec::new();
        reachable(log, tip, |at| found.push(at));
        let mut order = Order::default();
        order.append(log, found);
        order
    }

    /// The order of `tip`, from this one, that of `earlier` in a log that `log` continues: only what
    /// can stand elsewhere is sorted again. `None` where the two have no more in common.
    pub fn advanced(&self, log: &Log, earlier: ObjectId, tip: ObjectId) -> Option<Order> {
        // What a cut hid may have come into the log since.
        if self.span.cut || self.commits.len() == 0 {
            return None;
        }
        let earlier = log.find(&earlier)?;
        let (mut new, mut start, mut whole) = (Vec::new(), self.commits.len(), false);
        self.beyond(log, tip, |at, known| {
            new.push(at);
            let ready = known.iter().map(|place| *place as usize + 1).max();
            let waits = log.parents_of(at).iter().filter_map(|parent| log.find(parent)).count() > known.len();
            if !waits {
                start = start.min(ready.unwrap_or(0));
            }
            whole |= known.iter().any(|place| self.commits[*place as usize] == earlier);
        });
        // Where the earlier tip is not behind the new one, commits have gone.
        if !whole {
            return None;
        }
        let mut order = self.clone();
        let rest: Vec<u32> = order.commits.iter_from(start).copied().collect();
        for at in &rest {
            order.count(log, *at, false);
        }
        order.commits.truncate(start);
        new.extend(rest);
        order.append(log, new);
        Some(order)
    }

    /// Calls `visit` for each commit reachable from `tip` that is not in this order, with the places of
    /// its parents that are.
    pub fn beyond(&self, log: &Log, tip: ObjectId, mut visit: impl FnMut(u32, &[u32])) {
        let mut seen = std::collections::HashSet::new();
        let mut stack: Vec<u32> = log.find(&tip).filter(|at| self.place(*at).is_none()).into_iter().collect();
        let mut known = Vec::new();
        while let Some(at) = stack.pop() {
            if !seen.insert(at) {
                continue;
            }
            known.clear();
            for parent in log.parents_of(at).iter().filter_map(|parent| log.find(parent)) {
                match self.place(parent) {
                    Some(place) => known.push(place),
                    None => stack.push(parent),
                }
            }
            visit(at, &known);
        }
    }

    /// Whether a commit of the log is in it.
    pub fn contains(&self, commit: u32) -> bool {
        self.place(commit).is_some()
    }

    fn place(&self, commit: u32) -> Option<u32> {
        self.places.get(commit as usize).copied().filter(|place| *place != NONE)
    }

    /// Puts commits behind what is there, in order among themselves.
    fn append(&mut self, log: &Log, found: Vec<u32>) {
        self.places.resize(log.len().max(self.places.len()), NONE);
        let slots: std::collections::HashMap<u32, u32> = found.iter().copied().zip(0..).collect();
        let node = |at: &u32| Node {
            key: (log.commit(*at).time, log.commit(*at).id),
            parents: log
                .parents_of(*at)
                .iter()
                .filter_map(|parent| slots.get(&log.find(parent)?).copied())
                .collect(),
        };
        let nodes: Vec<Node> = found.iter().map(node).collect();
        for at in topological(&nodes) {
            let commit = found[at as usize];
            if let Some(place) = self.places.get_mut(commit as usize) {
                *place = self.commits.len() as u32;
            }
            self.commits.push(commit);
            self.count(log, commit, true);
        }
    }

    /// Takes a commit into the span, or out of it.
    fn count(&mut self, log: &Log, at: u32, more: bool) {
        let commit = log.commit(at);
        if more {
            self.span.cut |= log.parents_of(at).iter().any(|parent| log.find(parent).is_none());
        }
        if !commit.is_merge() {
            let change = |number: u64, by: u64| if more { number + by } else { number - by };
            self.span.commits = change(self.span.commits, 1);
            self.span.gaps = change(self.span.gaps, u64::from(commit.is_gap()));
        }
    }

    /// The first `length` of it, which serves to continue from and says nothing of its span.
    pub fn first(&self, length: usize) -> Order {
        let mut order = self.clone();
        order.commits.truncate(length);
        order
    }

    pub fn len(&self) -> usize {
        self.commits.len()
    }

    /// Commits by number in the log, from a place on.
    pub fn iter_from(&self, place: usize) -> impl Iterator<Item = &u32> + '_ {
        self.commits.iter_from(place)
    }

    pub fn starts_with(&self, other: &Order) -> bool {
        self.commits.starts_with(&other.commits)
    }

    /// How much history it is.
    pub fn span(&self) -> &HistorySpan {
        &self.span
    }
}

/// Calls `visit` for each commit reachable from `tip`, itself included; for none where it is unknown.
pub(super) fn reachable(log: &Log, tip: ObjectId, mut visit: impl FnMut(u32)) {
    let mut seen = vec![false; log.len()];
    let mut stack: Vec<u32> = log.find(&tip).into_iter().collect();
    while let Some(at) = stack.pop() {
        if !std::mem::replace(&mut seen[at as usize], true) {
            visit(at);
            stack.extend(log.parents_of(at).iter().filter_map(|parent| log.find(parent)));
        }
    }
}

/// A commit in a graph of numbered commits.
pub(super) struct Node {
    /// Committer time and id.
    pub key: (i64, ObjectId),
    /// The parents that are in the graph, by number.
    pub parents: Vec<u32>,
}

/// Every node once, in order.
pub(super) fn topological(nodes: &[Node]) -> Vec<u32> {
    let mut waiting: Vec<u32> = Vec::with_capacity(nodes.len());
    let mut starts = vec![0u32; nodes.len() + 1];
    for node in nodes {
        waiting.push(node.parents.len() as u32);
        for parent in &node.parents {
            starts[*parent as usize + 1] += 1;
        }
    }
    for at in 0..nodes.len() {
        starts[at + 1] += starts[at];
    }
    let mut children = vec![0u32; starts[nodes.len()] as usize];
    let mut next = starts.clone();
    for (at, node) in nodes.iter().enumerate() {
        for parent in &node.parents {
            let slot = &mut next[*parent as usize];
            children[*slot as usize] = at as u32;
            *slot += 1;
        }
    }
    let mut ready: BinaryHeap<Reverse<((i64, ObjectId), u32)>> = (0..nodes.len())
        .filter(|at| waiting[*at] == 0)
        .map(|at| Reverse((nodes[at].key, at as u32)))
        .collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(Reverse((_, at))) = ready.pop() {
        order.push(at);
        for child in &children[starts[at as usize] as usize..starts[at as usize + 1] as usize] {
            let waiting = &mut waiting[*child as usize];
            *waiting -= 1;
            if *waiting == 0 {
                ready.push(Reverse((nodes[*child as usize].key, *child)));
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_ready_commit_comes_next() {
        let id = |byte: u8| ObjectId::from_bytes_or_panic(&[byte; 20]);
        let node = |time, byte, parents: &[u32]| Node { key: (time, id(byte)), parents: parents.to_vec() };
        // 0 and 3 are roots; 2 is older than its parent 1 but must wait for it; 4 merges twice the same.
        let nodes = [
            node(5, 9, &[]),
            node(9, 1, &[0]),
            node(1, 2, &[1]),
            node(5, 8, &[]),
            node(9, 0, &[3, 3]),
            node(99, 0, &[2, 4]),
        ];
        assert_eq!(topological(&nodes), [3, 0, 4, 1, 2, 5]);
    }
}
