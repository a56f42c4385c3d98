//! Who made the lines of files as they stand at a commit.

use std::sync::Mutex;

use gix::ObjectId;

use super::graph::{ABSENT, Graph};
use super::scene::{Ask, Scene, Shared, Touched};
use super::trace::{self, Run};
use crate::base::cancel::CancelToken;
use crate::base::port::Progress;
use crate::error::Result;
use crate::git::repository::Repository;

/// Lines of one file, to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLines {
    /// The path from the top of the repository.
    pub path: Vec<u8>,
    /// The lines, from 1; any order.
    pub lines: Vec<u32>,
}

/// The commit that made a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineOrigin {
    /// The commit.
    pub commit: ObjectId,
    /// Its committer time, seconds since the Unix epoch.
    pub time: i64,
    /// The author's name as the commit gives it.
    pub author: String,
    /// The author's e-mail address, lower-cased.
    pub email: String,
    /// The file's path there.
    pub path: Vec<u8>,
    /// The line there, from 1.
    pub line: u32,
}

/// The origins of lines as they stand at `tip`, in the order of `files` and of their lines; `None`
/// where the file does not have the line, or its origin lies beyond what this clone holds.
///
/// As `git blame -w -M -C` follows them: over renames, reindented lines and moved blocks, and through
/// the commits of `.git-blame-ignore-revs`.
///
/// Errors: `call.cancelled`.
pub fn origins(
    repo: &Repository,
    tip: ObjectId,
    files: &[FileLines],
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<Vec<Vec<Option<LineOrigin>>>> {
    let graph = Graph::read(repo, &[tip], cancel)?;
    let nothing = || files.iter().map(|file| vec![None; file.lines.len()]).collect();
    let Some(at) = graph.find(&tip) else { return Ok(nothing()) };
    let mut reader = repo.reader();
    let tree = graph.nodes[at as usize].tree;
    let shared = Shared {
        graph: &graph,
        paths: Mutex::default(),
        ignored: super::table::ignored(repo, &graph, tip),
        marked: vec![false; graph.nodes.len()],
    };
    let mut start = Vec::new();
    let mut first = 0;
    for file in files {
        let blob = trace::lookup(&mut reader, tree, &file.path).and_then(|version| reader.blob(&version.1));
        let count = blob.filter(|blob| !blob.binary).map_or(0, |blob| blob.lines);
        let path = shared.paths().number(&file.path.as_slice().into());
        for line in &file.lines {
            if (1..=count).contains(line) {
                start.push((at, path, Run { start: line - 1, len: 1, first }));
            }
            first += 1;
        }
    }
    let asks = (0..trace::threads()).map(|_| Nothing).collect();
    let traced = trace::trace(repo, &shared, asks, start, progress, cancel)?;
    let answer = |number: u32| {
        let origin = traced.iter().find_map(|share| {
            share.origins.get(number as usize).copied().filter(|origin| origin.commit != ABSENT)
        })?;
        let node = &graph.nodes[origin.commit as usize];
        Some((origin, node))
    };
    let paths = shared.paths();
    let mut people: std::collections::HashMap<u32, (String, String)> = std::collections::HashMap::new();
    let mut number = 0;
    let mut all = Vec::with_capacity(files.len());
    for file in files {
        let mut lines = Vec::with_capacity(file.lines.len());
        for _ in &file.lines {
            let found = answer(number).map(|(origin, node)| {
                let (author, email) =
                    people.entry(origin.commit).or_insert_with(|| person(&mut reader, &node.id)).clone();
                LineOrigin {
                    commit: node.id,
                    time: node.time,
                    author,
                    email,
                    path: paths.path(origin.path).into(),
                    line: origin.line + 1,
                }
            });
            lines.push(found);
            number += 1;
        }
        all.push(lines);
    }
    Ok(all)
}

fn person(reader: &mut crate::git::read::Reader, id: &ObjectId) -> (String, String) {
    reader.commit(id).map(|head| (head.signature.name.to_string(), head.author)).unwrap_or_default()
}

/// Asks for nothing more.
struct Nothing;

impl Ask for Nothing {
    fn ask(
        &mut self,
        _: &mut Scene<'_, '_>,
        _: u32,
        _: &Touched,
        _: &dyn Fn(u32) -> bool,
        _: u32,
    ) -> Vec<(u32, Run)> {
        Vec::new()
    }
}
