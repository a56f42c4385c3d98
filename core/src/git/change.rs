//! A change to be scored: a range of commits taken as one.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;
use gix::bstr::BString;

use super::diff::{self, Delta};
use super::history::History;
use super::log::{BOUNDARY, GAP, NONE};
use super::read::{CommitHead, Reader, is_fix};
use super::repository::Repository;
use crate::base::cancel::CancelToken;
use crate::error::{Error, Result};

/// One touched file of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileChange {
    /// The path from the top (after the change, where the file still exists).
    pub path: BString,
    /// The path before, where the file was renamed.
    pub old_path: Option<BString>,
    /// Lines added; 0 where binary.
    pub added: u64,
    /// Lines deleted; 0 where binary.
    pub deleted: u64,
    /// Lines before the change; 0 where the file is new or binary.
    pub lines_before: u64,
    /// Whether git calls either version binary.
    pub binary: bool,
}

/// A commit by its id and title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitTitle {
    /// The commit.
    pub id: ObjectId,
    /// The first line of its message; bytes that are no UTF-8 are replaced.
    pub title: String,
}

/// A change to be scored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The commit that the change stands on; history is what is reachable from here.
    pub base: Option<ObjectId>,
    /// The commit that it leads to; `None` for the working tree.
    pub tip: Option<ObjectId>,
    /// When it was made, seconds since the Unix epoch.
    pub time: i64,
    /// The author's e-mail address, where known.
    pub author: Option<String>,
    /// Whether any message in it says that it is a fix.
    pub fix: bool,
    /// The touched files, sorted by path.
    pub files: Vec<FileChange>,
    /// Its commits, newest first, merges left out.
    pub commits: Vec<CommitTitle>,
    /// Whether what the change stands on is not in this clone, so that its files are unknown.
    pub parent_missing: bool,
}

/// The files as a change shows them.
pub(super) fn file_changes(delta: Delta) -> Vec<FileChange> {
    delta
        .files
        .into_iter()
        .map(|file| {
            let binary = file.counts.binary();
            FileChange {
                path: file.path,
                old_path: file.from,
                added: u64::from(file.counts.added),
                deleted: u64::from(file.counts.deleted),
                lines_before: if binary { 0 } else { u64::from(file.counts.before) },
                binary,
            }
        })
        .collect()
}

/// The commit graph: from the log where it knows a commit, else from the objects.
struct Graph<'a> {
    history: Option<&'a History>,
    reader: Reader,
    heads: HashMap<ObjectId, Option<CommitHead>>,
}

impl Graph<'_> {
    fn head(&mut self, id: &ObjectId) -> Option<&CommitHead> {
        let reader = &mut self.reader;
        self.heads.entry(*id).or_insert_with(|| reader.commit(id)).as_ref()
    }

    /// Parents and committer time; `None` where nothing is known of the commit.
    fn node(&mut self, id: &ObjectId) -> Option<(Vec<ObjectId>, i64)> {
        if let Some(history) = self.history
            && let Some(at) = history.log().find(id)
        {
            return Some((history.log().parents_of(at).to_vec(), history.log().commit(at).time));
        }
        self.head(id).map(|head| (head.parents.clone(), head.time))
    }

    fn ancestors(&mut self, start: ObjectId, cancel: &CancelToken) -> Result<HashSet<ObjectId>> {
        let mut seen = HashSet::new();
        let mut stack = vec![start];
        while let Some(id) = stack.pop() {
            if seen.insert(id) {
                if seen.len().is_multiple_of(256) {
                    cancel.check()?;
                }
                stack.extend(self.node(&id).map(|(parents, _)| parents).unwrap_or_default());
            }
        }
        Ok(seen)
    }

    /// Commits that `hidden` does not hold, reachable from `tip`, newest first as git lists them:
    /// by committer time, children before parents.
    fn between(
        &mut self,
        hidden: &HashSet<ObjectId>,
        tip: ObjectId,
        cancel: &CancelToken,
    ) -> Result<Vec<ObjectId>> {
        let mut nodes = Vec::new();
        let mut numbers: HashMap<ObjectId, u32> = HashMap::new();
        let mut stack = vec![tip];
        let mut parents_of: Vec<Vec<ObjectId>> = Vec::new();
        while let Some(id) = stack.pop() {
            if hidden.contains(&id) || numbers.contains_key(&id) {
                continue;
            }
            if numbers.len().is_multiple_of(256) {
                cancel.check()?;
            }
            let Some((parents, time)) = self.node(&id) else { continue };
            numbers.insert(id, nodes.len() as u32);
            nodes.push(super::order::Node { key: (time, id), parents: Vec::new() });
            stack.extend(&parents);
            parents_of.push(parents);
        }
        for (node, parents) in nodes.iter_mut().zip(&parents_of) {
            node.parents = parents.iter().filter_map(|parent| numbers.get(parent).copied()).collect();
        }
        let order = super::order::topological(&nodes);
        Ok(order.into_iter().rev().map(|at| nodes[at as usize].key.1).collect())
    }

    /// The best common ancestor: of those that no other one is a descendant of, the newest.
    fn merge_base(&mut self, a: ObjectId, b: ObjectId, cancel: &CancelToken) -> Result<Option<ObjectId>> {
        let of_a = self.ancestors(a, cancel)?;
        if of_a.contains(&b) {
            return Ok(Some(b));
        }
        // From b down to the first commits that a has too.
        let mut seen = HashSet::new();
        let mut stack = vec![b];
        let mut common = Vec::new();
        while let Some(id) = stack.pop() {
            if !seen.insert(id) {
                continue;
            }
            if of_a.contains(&id) {
                if self.node(&id).is_some() {
                    common.push(id);
                }
                continue;
            }
            if seen.len().is_multiple_of(256) {
                cancel.check()?;
            }
            stack.extend(self.node(&id).map(|(parents, _)| parents).unwrap_or_default());
        }
        if common.len() > 1 {
            let mut below = HashSet::new();
            for id in &common {
                for parent in self.node(id).map(|(parents, _)| parents).unwrap_or_default() {
                    below.extend(self.ancestors(parent, cancel)?);
                }
            }
            common.retain(|id| !below.contains(id));
        }
        Ok(common.into_iter().max_by_key(|id| (self.node(id).map(|(_, time)| time), *id)))
    }
}

impl Repository {
    /// The change that `range` names: `A..B` or `A...B` (both: from the merge base of A and B to
    /// B), or one revision (from its first parent, or from nothing for a root commit).
    ///
    /// `message` and `author` stand in for those of the commits. With `history` the graph is not
    /// read again, and a record answers where the objects are not in this clone.
    ///
    /// Errors: `git.revision`, `git.no_commits`, `git.object_missing` where the merge base or a
    /// file's content is not in this clone, `call.cancelled`.
    pub fn change(
        &self,
        history: Option<&History>,
        range: &str,
        message: Option<&str>,
        author: Option<&str>,
        cancel: &CancelToken,
    ) -> Result<Change> {
        let mut graph = Graph { history, reader: self.reader(), heads: HashMap::new() };
        let ends = range.split_once("...").or_else(|| range.split_once(".."));
        let (base, tip) = match ends {
            Some((from, to)) => {
                let or_head = |end: &str| if end.is_empty() { "HEAD".to_owned() } else { end.to_owned() };
                let (from, to) = (self.resolve(&or_head(from))?, self.resolve(&or_head(to))?);
                let base = graph.merge_base(from, to, cancel)?;
                if base.is_none() && self.is_shallow() {
                    return Err(Error::new(
                        "git.object_missing",
                        format!("the common ancestor of `{range}` is not in this shallow clone; fetch it with git.deepen"),
                    )
                    .with("range", range));
                }
                (base, to)
            }
            None => {
                let tip = self.resolve(range)?;
                (self.known(&mut graph, tip)?.parents.first().copied(), tip)
            }
        };
        let head = self.known(&mut graph, tip)?;
        let mut change = Change {
            base,
            tip: Some(tip),
            time: head.time,
            author: Some(author.map_or_else(|| head.author.clone(), str::to_lowercase)),
            ..Change::default()
        };

        let single = ends.is_none() && head.parents.len() < 2;
        let ids = match base {
            _ if single => vec![tip],
            None => graph.between(&HashSet::new(), tip, cancel)?,
            Some(base) => {
                let hidden = graph.ancestors(base, cancel)?;
                graph.between(&hidden, tip, cancel)?
            }
        };
        for id in ids {
            cancel.check()?;
            let Some(head) = graph.head(&id) else { continue };
            change.fix |= is_fix(&head.message);
            if head.parents.len() < 2 {
                change.commits.push(CommitTitle { id, title: head.title() });
            }
        }
        if let Some(message) = message {
            change.fix = is_fix(message.as_bytes());
        }

        let old = match base {
            None => None,
            Some(base) => match graph.head(&base) {
                Some(head) => Some(head.tree),
                None if single => return Ok(from_record(history, tip, change)),
                None => {
                    change.parent_missing = true;
                    change.base = None;
                    return Ok(change);
                }
            },
        };
        let delta = diff::trees(&mut graph.reader, old, Some(head.tree));
        if delta.gap {
            if single && recorded(history, tip).is_some() {
                return Ok(from_record(history, tip, change));
            }
            return Err(Error::new(
                "git.object_missing",
                format!("files that `{range}` touches are not in this partial clone; fetch them, for example with `git log --stat {range}`"),
            )
            .with("range", range));
        }
        change.files = file_changes(delta);
        Ok(change)
    }

    fn known(&self, graph: &mut Graph<'_>, id: ObjectId) -> Result<CommitHead> {
        graph
            .head(&id)
            .cloned()
            .ok_or_else(|| self.unreadable(&format!("commit `{id}` cannot be read")).with("id", id))
    }
}

/// The number of a whole record of the commit.
fn recorded(history: Option<&History>, id: ObjectId) -> Option<u32> {
    let log = history?.log();
    log.find(&id).filter(|at| log.commit(*at).flags & (BOUNDARY | GAP) == 0)
}

/// The files as the record has them; without one the parent counts as missing.
fn from_record(history: Option<&History>, tip: ObjectId, mut change: Change) -> Change {
    match history.zip(recorded(history, tip)) {
        Some((history, at)) => {
            let log = history.log();
            let delta = log.restore(at).delta;
            debug_assert!(log.files_of(at).iter().all(|file| file.path != NONE));
            change.files = file_changes(delta);
        }
        None => {
            change.parent_missing = true;
            change.base = None;
        }
    }
    change
}
