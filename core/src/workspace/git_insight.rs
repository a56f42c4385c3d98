//! `git.files`, `git.coupling`, `git.owners`, `git.hotspots`: what history says about files.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::Shared;
use super::git::{Git, ends, history, history_at, segments};
use crate::base::cancel::CancelToken;
use crate::base::runtime::compute;
use crate::error::Result;
use crate::git::record::*;
use crate::git::{Commits, Contents, History, Insight, KnownContents, Level, ObjectId};

/// Insights of this many tips are kept for the next question.
const KEEP: usize = 3;

/// The histories that were joined to the files of their tips.
#[derive(Debug, Default)]
pub(crate) struct InsightCache {
    /// Newest last.
    insights: Mutex<Vec<(Arc<History>, Arc<Insight>)>>,
    known: Arc<KnownContents>,
}

/// The history that leads up to `tip` by file, from memory where it is known. Blocks.
///
/// Errors: as those of [`history`], and `git.object_missing` where trees of the tip are missing.
pub(crate) fn insight(shared: &Shared, tip: ObjectId, cancel: &CancelToken) -> Result<Arc<Insight>> {
    insight_at(shared, tip, Level::Lines, cancel)
}

/// The same where no more than `level` is asked of each commit.
fn insight_at(shared: &Shared, tip: ObjectId, level: Level, cancel: &CancelToken) -> Result<Arc<Insight>> {
    let history = history_at(shared, tip, level, cancel)?;
    let mut insights = shared.insight.insights.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(at) = insights.iter().position(|(known, _)| Arc::ptr_eq(known, &history)) {
        let found = insights.remove(at);
        insights.push(found.clone());
        return Ok(found.1);
    }
    let insight = Arc::new(Insight::new(shared.repository()?, &history, Arc::clone(&shared.insight.known))?);
    if insights.len() == KEEP {
        insights.remove(0);
    }
    insights.push((history, Arc::clone(&insight)));
    Ok(insight)
}

/// Where contents are read and kept.
fn contents(shared: &Shared) -> Result<Contents<'_>> {
    let (segments, progress) = (segments(shared), &shared.bus);
    Ok(Contents { repo: shared.repository()?, segments, progress })
}

/// A range that was resolved.
struct Span {
    tip: ObjectId,
    /// What leads up to the range's beginning.
    hidden: Option<HashSet<ObjectId>>,
}

/// Resolves `A..B` or one revision.
fn span(shared: &Shared, range: Option<&str>, level: Level, cancel: &CancelToken) -> Result<Span> {
    let (from, tip) = ends(shared.repository()?, range)?;
    let hidden = match from {
        None => None,
        Some(from) => {
            let known = history_at(shared, tip, level, cancel)?;
            // What is hidden need not be an ancestor: it, too, must be in the log.
            let known = if known.knows(from) { known } else { history_at(shared, from, level, cancel)? };
            Some(known.ancestors(from))
        }
    };
    Ok(Span { tip, hidden })
}

/// The commits of a change: those of a range, or one.
fn change(shared: &Shared, text: &str, cancel: &CancelToken) -> Result<(ObjectId, HashSet<ObjectId>)> {
    let Span { tip, hidden } = span(shared, Some(text), Level::Lines, cancel)?;
    let ids = match hidden {
        None => HashSet::from([tip]),
        Some(hidden) => {
            let mut ids = history(shared, tip, cancel)?.ancestors(tip);
            ids.retain(|id| !hidden.contains(id));
            ids
        }
    };
    Ok((tip, ids))
}

impl Git {
    /// What history says about each file of the tip: churn, age, authors, ownership, bus factor,
    /// fixes; merges left out, renames followed.
    ///
    /// Errors: `args.invalid`, `git.*`, `call.cancelled`.
    pub async fn files(&self, args: impl Into<FilesArgs>) -> Result<FileHistories> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        compute(move |cancel| {
            let span = span(&shared, args.range.as_deref(), Level::Lines, cancel)?;
            let commits = Commits {
                hidden: span.hidden.as_ref(),
                since: args.since.as_deref(),
                until: args.until.as_deref(),
                bots: args.bots,
            };
            let insight = insight(&shared, span.tip, cancel)?;
            insight.files(&commits, &args.paths, args.half_life_days, contents(&shared)?, cancel)
        })
        .await
    }

    /// Files that change together, with the definitions and defaults of code-maat.
    ///
    /// Errors: `args.invalid`, `git.*`, `call.cancelled`.
    pub async fn coupling(&self, args: impl Into<CouplingArgs>) -> Result<FileCoupling> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        compute(move |cancel| {
            let span = span(&shared, args.range.as_deref(), Level::Files, cancel)?;
            let commits = Commits {
                hidden: span.hidden.as_ref(),
                since: args.since.as_deref(),
                until: args.until.as_deref(),
                bots: args.bots,
            };
            insight_at(&shared, span.tip, Level::Files, cancel)?.coupling(&commits, &args, cancel)
        })
        .await
    }

    /// Who made what, by folder or file; or who knows the files that a change touches.
    ///
    /// Errors: `args.invalid`, `git.*`, `call.cancelled`.
    pub async fn owners(&self, args: impl Into<OwnersArgs>) -> Result<Ownership> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        compute(move |cancel| {
            let change = args.change.as_deref().map(|text| change(&shared, text, cancel)).transpose()?;
            let tip = change.as_ref().map(|(tip, _)| tip.to_string());
            let span = span(&shared, args.range.as_deref().or(tip.as_deref()), Level::Lines, cancel)?;
            let commits = Commits {
                hidden: span.hidden.as_ref(),
                since: args.since.as_deref(),
                until: args.until.as_deref(),
                bots: args.bots,
            };
            let change = change.as_ref().map(|(_, ids)| ids);
            insight(&shared, span.tip, cancel)?.owners(&commits, &args, change, cancel)
        })
        .await
    }

    /// Files that are complex and change often (Tornhill), generated and vendored ones left out.
    ///
    /// Errors: `args.invalid`, `git.*`, `call.cancelled`.
    pub async fn hotspots(&self, args: impl Into<HotspotsArgs>) -> Result<Hotspots> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        compute(move |cancel| {
            let span = span(&shared, args.range.as_deref(), Level::Lines, cancel)?;
            let commits = Commits {
                hidden: span.hidden.as_ref(),
                since: args.since.as_deref(),
                until: args.until.as_deref(),
                bots: args.bots,
            };
            let insight = insight(&shared, span.tip, cancel)?;
            insight.hotspots(&commits, &args, contents(&shared)?, cancel)
        })
        .await
    }
}
