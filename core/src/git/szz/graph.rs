//! The commits behind a set of starts: trees, parents, and what their messages say of bugs.

use gix::ObjectId;

use super::message::{self, Named};
use crate::base::cancel::CancelToken;
use crate::error::Result;
use crate::git::log::IdTable;
use crate::git::objects::Packs;
use crate::git::order::{Node as OrderNode, topological};
use crate::git::read::Reader;
use crate::git::repository::Repository;

/// A commit that is not in this clone.
pub(super) const ABSENT: u32 = u32::MAX;

/// One commit.
#[derive(Debug)]
pub(super) struct Node {
    pub id: ObjectId,
    pub tree: ObjectId,
    /// Numbers of the parents, [`ABSENT`] where one is not in this clone.
    pub parents: Vec<u32>,
    /// Committer time, seconds since the Unix epoch.
    pub time: i64,
    /// Whether the message says that the commit is a fix.
    pub fix: bool,
    /// The commits that the message names as faulty.
    pub named: Option<Box<Named>>,
}

/// The commits reachable from some starts.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    index: IdTable<u32>,
    /// Every commit, children before parents.
    pub order: Vec<u32>,
    sorted: Vec<ObjectId>,
}

impl Graph {
    /// Reads every commit reachable from `starts` that stands in this clone.
    ///
    /// Errors: `call.cancelled`.
    pub fn read(repo: &Repository, starts: &[ObjectId], cancel: &CancelToken) -> Result<Graph> {
        let mut reader = Reader::of_history(repo.local(), Packs::open(&repo.local()).as_ref(), 8 << 20);
        let mut graph = Graph::default();
        let mut parents_of: Vec<Vec<ObjectId>> = Vec::new();
        let mut stack = starts.to_vec();
        while let Some(id) = stack.pop() {
            if graph.index.contains_key(&id) {
                continue;
            }
            if graph.nodes.len().is_multiple_of(256) {
                cancel.check()?;
            }
            let Some(head) = reader.commit(&id) else { continue };
            graph.index.insert(id, graph.nodes.len() as u32);
            stack.extend(head.parents.iter().rev());
            let named = message::named(&head.message);
            graph.nodes.push(Node {
                id,
                tree: head.tree,
                parents: Vec::new(),
                time: head.time,
                fix: crate::git::read::is_fix(&head.message),
                named: named.map(Box::new),
            });
            parents_of.push(head.parents);
        }
        for (node, parents) in graph.nodes.iter_mut().zip(&parents_of) {
            node.parents =
                parents.iter().map(|parent| graph.index.get(parent).copied().unwrap_or(ABSENT)).collect();
        }
        let nodes: Vec<OrderNode> = graph
            .nodes
            .iter()
            .map(|node| OrderNode {
                key: (node.time, node.id),
                parents: node.parents.iter().copied().filter(|parent| *parent != ABSENT).collect(),
            })
            .collect();
        graph.order = topological(&nodes);
        graph.order.reverse();
        graph.sorted = graph.nodes.iter().map(|node| node.id).collect();
        graph.sorted.sort_unstable();
        Ok(graph)
    }

    /// The number of a commit.
    pub fn find(&self, id: &ObjectId) -> Option<u32> {
        self.index.get(id).copied()
    }

    /// The one commit whose id begins with these hexadecimal digits.
    pub fn find_prefix(&self, digits: &str) -> Option<u32> {
        let digits = digits.to_ascii_lowercase();
        let from = self.sorted.partition_point(|id| id.to_string().as_str() < digits.as_str());
        let mut fitting = self.sorted[from..].iter().take_while(|id| id.to_string().starts_with(&digits));
        match (fitting.next(), fitting.next()) {
            (Some(id), None) => self.find(id),
            _ => None,
        }
    }

    /// Numbers of the commits reachable from `start`, itself included.
    pub fn reachable(&self, start: u32) -> Vec<bool> {
        let mut seen = vec![false; self.nodes.len()];
        let mut stack = vec![start];
        while let Some(at) = stack.pop() {
            if at != ABSENT && !std::mem::replace(&mut seen[at as usize], true) {
                stack.extend(&self.nodes[at as usize].parents);
            }
        }
        seen
    }
}
