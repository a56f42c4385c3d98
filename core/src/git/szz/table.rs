//! From a range of history to rows: chooses the fixes, traces their lines, names what was found.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use gix::ObjectId;

use super::class::is_test;
use super::fix::{Asked, FixAsk};
use super::graph::{ABSENT, Graph};
use super::record::{SzzFixes, SzzRow, SzzSkipped, SzzSource, SzzTable};
use super::scene::Shared;
use super::trace::{self, Origin, Traced};
use crate::base::cancel::CancelToken;
use crate::base::port::Progress;
use crate::error::Result;
use crate::git::read::Reader;
use crate::git::record::HistorySpan;
use crate::git::repository::Repository;

/// Where git's own users keep the commits that blame looks through.
const IGNORED: &[u8] = b".git-blame-ignore-revs";

/// What lines say of where a bug came from, strongest first; measured on fixes that name the commit.
const STRENGTH: [SzzSource; 7] = [
    SzzSource::Lines,
    SzzSource::Moved,
    SzzSource::Context,
    SzzSource::Import,
    SzzSource::Text,
    SzzSource::Comment,
    SzzSource::Layout,
];
/// A commit that made two fifths of the lines is answered beside the one that made most.
const PART: (u64, u64) = (2, 5);

/// Which commits are the fixes.
#[derive(Clone, Debug)]
pub enum Fixes {
    /// Those reachable from `to` and not from `from` that the messages tell.
    Range {
        /// What is left out.
        from: Option<ObjectId>,
        /// The tip.
        to: ObjectId,
        /// What makes a commit a fix.
        by: SzzFixes,
    },
    /// These.
    Commits(Vec<ObjectId>),
}

/// What `git.szz` is asked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The fixes.
    pub fixes: Fixes,
    /// Only files at or below this path; empty for all.
    pub below: String,
    /// Whether fixes that change no code are answered, too.
    pub weak: bool,
    /// Whether every commit found is answered, and not the likeliest only.
    pub all: bool,
}

/// Finds the commits that brought in what the fixes of a history fixed.
///
/// Errors: `call.cancelled`. What this clone does not hold is counted.
pub fn szz(
    repo: &Repository,
    settings: &Settings,
    progress: &dyn Progress,
    cancel: &CancelToken,
) -> Result<SzzTable> {
    let (starts, tip) = match &settings.fixes {
        Fixes::Range { from, to, .. } => (from.iter().chain([to]).copied().collect(), Some(*to)),
        Fixes::Commits(ids) => (ids.clone(), ids.first().copied()),
    };
    let graph = Graph::read(repo, &starts, cancel)?;
    let named = named(&graph, &settings.fixes);
    let marked = marked(&graph, &settings.fixes, &named);
    let paths = Mutex::default();
    let ignored = tip.map(|tip| ignored(repo, &graph, tip)).unwrap_or_default();
    let shared = Shared { graph: &graph, paths, ignored, marked };
    let asks = (0..trace::threads())
        .map(|_| FixAsk {
            below: settings.below.trim_matches('/').as_bytes().to_vec(),
            weak: settings.weak,
            ..FixAsk::default()
        })
        .collect();
    let traced = trace::trace(repo, &shared, asks, Vec::new(), progress, cancel)?;
    Ok(assemble(&shared, traced, &named, settings))
}

/// What the messages say: for each fix the commits that it names, with what they are named as.
type NamedBy = BTreeMap<u32, Vec<(u32, SzzSource)>>;

fn named(graph: &Graph, fixes: &Fixes) -> NamedBy {
    let mut all = NamedBy::new();
    if matches!(fixes, Fixes::Commits(_) | Fixes::Range { by: SzzFixes::Message, .. }) {
        return all;
    }
    for (at, node) in graph.nodes.iter().enumerate() {
        let Some(named) = &node.named else { continue };
        let trailers = named.fixes.iter().map(|id| (id, SzzSource::Trailer));
        let reverts = named.reverts.iter().map(|id| (id, SzzSource::Revert));
        let mut found: Vec<(u32, SzzSource)> = trailers
            .chain(reverts)
            .filter_map(|(id, source)| Some((graph.find_prefix(id)?, source)))
            // A commit cannot mend what came after it.
            .filter(|(other, _)| *other as usize != at && graph.nodes[*other as usize].time <= node.time)
            .collect();
        found.dedup_by_key(|found| found.0);
        if !found.is_empty() {
            all.insert(at as u32, found);
        }
    }
    all
}

fn marked(graph: &Graph, fixes: &Fixes, named: &NamedBy) -> Vec<bool> {
    let mut marked = vec![false; graph.nodes.len()];
    match fixes {
        Fixes::Commits(ids) => {
            for at in ids.iter().filter_map(|id| graph.find(id)) {
                marked[at as usize] = true;
            }
        }
        Fixes::Range { from, to, by } => {
            let wanted = graph.find(to).map(|to| graph.reachable(to)).unwrap_or_default();
            let hidden = from.and_then(|from| graph.find(&from)).map(|from| graph.reachable(from));
            for (at, node) in graph.nodes.iter().enumerate() {
                let told = match by {
                    SzzFixes::Message => node.fix,
                    SzzFixes::Trailers => named.contains_key(&(at as u32)),
                    SzzFixes::Both => node.fix || named.contains_key(&(at as u32)),
                };
                let inside = wanted.get(at) == Some(&true)
                    && hidden.as_ref().is_none_or(|hidden| hidden.get(at) != Some(&true));
                marked[at] = told && inside && node.parents.len() < 2;
            }
        }
    }
    marked
}

/// The commits that the repository asks blame to look through.
pub(super) fn ignored(repo: &Repository, graph: &Graph, tip: ObjectId) -> HashSet<u32> {
    let mut reader: Reader = repo.reader();
    let blob = graph
        .find(&tip)
        .map(|at| graph.nodes[at as usize].tree)
        .and_then(|tree| trace::lookup(&mut reader, tree, IGNORED))
        .and_then(|version| reader.blob(&version.1));
    let Some(blob) = blob else { return HashSet::new() };
    String::from_utf8_lossy(&blob.data)
        .lines()
        .filter_map(|line| line.split('#').next()?.split_whitespace().next())
        .filter_map(|id| graph.find(&ObjectId::from_hex(id.as_bytes()).ok()?))
        .collect()
}

struct Line {
    asked: Asked,
    step: u32,
    origin: Origin,
    test: bool,
}

fn assemble(
    shared: &Shared<'_>,
    traced: Vec<Traced<FixAsk>>,
    named: &NamedBy,
    settings: &Settings,
) -> SzzTable {
    let graph = shared.graph;
    let mut table = SzzTable { history: span(graph), ..SzzTable::default() };
    let mut skipped = SzzSkipped::default();
    let mut by_fix: BTreeMap<u32, Vec<Line>> = BTreeMap::new();
    let paths = shared.paths();
    for Traced { ask, origins } in &traced {
        skipped.add(&ask.skipped);
        for asked in &ask.asked {
            let test = is_test(&paths.path(asked.path));
            let lines = by_fix.entry(asked.fix).or_default();
            for step in 0..asked.run.len {
                if let Some(origin) = origins.get((asked.run.first + step) as usize) {
                    lines.push(Line { asked: *asked, step, origin: *origin, test });
                }
            }
        }
    }
    for at in graph.order.iter().rev().filter(|at| shared.marked[**at as usize]) {
        table.fixes += 1;
        let mut lines = by_fix.remove(at).unwrap_or_default();
        if lines.iter().any(|line| !line.test && line.asked.source == SzzSource::Lines) {
            let before = lines.len();
            lines.retain(|line| !line.test);
            skipped.tests += (before - lines.len()) as u64;
        }
        table.unknown_lines += lines.iter().filter(|line| line.origin.commit == ABSENT).count() as u64;
        lines.retain(|line| line.origin.commit != ABSENT);
        let rows = rows(graph, &lines, *at, named.get(at).map_or(&[], Vec::as_slice), settings, |path| {
            paths.path(path).to_string()
        });
        table.unanswered += u64::from(rows.is_empty());
        table.rows.extend(rows);
    }
    table.skipped = skipped;
    table
}

fn rows(
    graph: &Graph,
    lines: &[Line],
    fix: u32,
    named: &[(u32, SzzSource)],
    settings: &Settings,
    path: impl Fn(u32) -> String,
) -> Vec<SzzRow> {
    let id = |at: u32| graph.nodes[at as usize].id.to_string();
    let row = |line: &Line, source: SzzSource| {
        let from = line.asked.path;
        SzzRow {
            fix: id(fix),
            inducing: id(line.origin.commit),
            path: path(from),
            line: u64::from(line.asked.run.start + line.step) + 1,
            inducing_path: path(line.origin.path),
            inducing_line: u64::from(line.origin.line) + 1,
            source,
        }
    };
    let mut rows = Vec::new();
    if !named.is_empty() {
        for (inducing, source) in named {
            let before = rows.len();
            rows.extend(
                lines
                    .iter()
                    .filter(|line| line.asked.source != SzzSource::Context && line.origin.commit == *inducing)
                    .map(|line| row(line, *source)),
            );
            if rows.len() == before {
                rows.push(SzzRow {
                    fix: id(fix),
                    inducing: id(*inducing),
                    source: *source,
                    ..SzzRow::default()
                });
            }
        }
        return rows;
    }
    rows.extend(choose(graph, lines, settings.all).into_iter().map(|line| row(line, line.asked.source)));
    rows.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    rows
}

/// The lines that say most of where the bug came from: of the strongest kind that there is, those of
/// the commit that made most of them and of any that made its part ([`PART`]); with `all` those of
/// every commit. Of two that made as many the later one counts.
fn choose<'l>(graph: &Graph, lines: &'l [Line], all: bool) -> Vec<&'l Line> {
    let strength = |line: &Line| STRENGTH.iter().position(|source| *source == line.asked.source);
    let Some(strongest) = lines.iter().filter_map(strength).min() else { return Vec::new() };
    let mut kept: Vec<&Line> = lines.iter().filter(|line| strength(line) == Some(strongest)).collect();
    if all {
        return kept;
    }
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for line in &kept {
        *counts.entry(line.origin.commit).or_default() += 1;
    }
    let rank = |commit: u32, count: u64| {
        let node = &graph.nodes[commit as usize];
        (count, node.time, node.id)
    };
    let best = counts.iter().max_by_key(|(commit, count)| rank(**commit, **count)).map(|(commit, _)| *commit);
    let total = kept.len() as u64;
    kept.retain(|line| {
        let count = counts.get(&line.origin.commit).copied().unwrap_or(0);
        best == Some(line.origin.commit) || count * PART.1 >= total * PART.0
    });
    kept
}

fn span(graph: &Graph) -> HistorySpan {
    let mut span = HistorySpan::default();
    for node in &graph.nodes {
        let cut = node.parents.contains(&ABSENT);
        span.cut |= cut;
        if node.parents.len() < 2 {
            span.commits += 1;
            span.gaps += u64::from(cut);
        }
    }
    span
}
