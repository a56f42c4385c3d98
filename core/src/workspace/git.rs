//! `git.*`: reads of the repository's history.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Shared, Workspace};
use crate::base::cancel::CancelToken;
use crate::base::port::Segments;
use crate::base::runtime::compute;
use crate::error::{Error, Result};
use crate::exec::process::{self, Order, Stop};
use crate::git::record::*;
use crate::git::{History, Level, ObjectId, Repository, pack, szz};

/// Reads of the repository's history.
#[derive(Clone, Debug)]
pub struct Git(pub(crate) Workspace);

/// Histories of this many tips are kept for the next question.
const KEEP: usize = 3;

/// The history that this workspace has read, kept up to date.
#[derive(Debug, Default)]
pub(crate) struct HistoryCache {
    /// Newest last.
    histories: Mutex<Vec<Arc<History>>>,
    /// The same without lines, where nobody has asked for lines yet.
    light: Mutex<Vec<Arc<History>>>,
}

impl HistoryCache {
    /// Forgets what is in memory: the repository has objects that it lacked.
    fn clear(&self) {
        for histories in [&self.histories, &self.light] {
            histories.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

/// Where the log of history is kept.
pub(super) fn segments(shared: &Shared) -> &dyn Segments {
    shared.store.as_ref()
}

/// The history that leads up to `tip`: from memory where it is known, else read from the segment
/// and the repository, with progress on the bus. Blocks.
///
/// Errors: as those of [`History::load`].
pub(crate) fn history(shared: &Shared, tip: ObjectId, cancel: &CancelToken) -> Result<Arc<History>> {
    history_at(shared, tip, Level::Lines, cancel)
}

/// The history that leads up to `tip`, with at least what `level` says: without lines it takes a fraction
/// of the time, and where there is one with lines already, that is continued. Blocks.
///
/// Errors: as those of [`History::load`].
pub(crate) fn history_at(
    shared: &Shared,
    tip: ObjectId,
    level: Level,
    cancel: &CancelToken,
) -> Result<Arc<History>> {
    let cache = &shared.history;
    // Held while reading, so that two callers do not read the same commits twice.
    let full = cache.histories.lock().unwrap_or_else(PoisonError::into_inner);
    if level == Level::Lines || !full.is_empty() || History::is_kept(segments(shared)) {
        return kept(full, shared, tip, Level::Lines, cancel);
    }
    drop(full);
    kept(cache.light.lock().unwrap_or_else(PoisonError::into_inner), shared, tip, level, cancel)
}

fn kept(
    mut histories: MutexGuard<'_, Vec<Arc<History>>>,
    shared: &Shared,
    tip: ObjectId,
    level: Level,
    cancel: &CancelToken,
) -> Result<Arc<History>> {
    cancel.check()?;
    if let Some(at) = histories.iter().position(|history| history.tip() == tip) {
        let history = histories.remove(at);
        histories.push(Arc::clone(&history));
        return Ok(history);
    }
    let repo = shared.repository()?;
    let history = match histories.last() {
        Some(last) => last.advance(repo, tip, segments(shared), &shared.bus, cancel)?,
        None => History::load(repo, tip, level, segments(shared), &shared.bus, cancel)?,
    };
    compare_tips(shared, repo, &history);
    if histories.len() == KEEP {
        histories.remove(0);
    }
    histories.push(Arc::clone(&history));
    Ok(history)
}

/// Where the tips of branches are kept, one line each: the branch and its tip.
const TIPS: &str = "git/tips/v1";

/// Notices a branch whose earlier tip does not lead up to its tip, and keeps the new one. A store that
/// cannot be read or written knows no earlier tip.
fn compare_tips(shared: &Shared, repo: &Repository, history: &History) {
    let tip = history.tip();
    let Some(branch) = repo.branch().filter(|_| repo.head().is_ok_and(|head| head == tip)) else { return };
    let known = segments(shared).read(TIPS).ok().flatten().map(|(_, bytes)| bytes).unwrap_or_default();
    let known = String::from_utf8_lossy(&known);
    let mut tips: BTreeMap<&str, &str> = known.lines().filter_map(|line| line.rsplit_once(' ')).collect();
    let text = tip.to_string();
    let earlier = tips.insert(&branch, &text);
    if earlier == Some(text.as_str()) {
        return;
    }
    if let Some(earlier) = earlier.and_then(|earlier| ObjectId::from_hex(earlier.as_bytes()).ok()) {
        history.follows(earlier);
    }
    let lines: String = tips.iter().map(|(branch, tip)| format!("{branch} {tip}\n")).collect();
    let _ = segments(shared).replace(TIPS, &text, lines.as_bytes());
}

impl Git {
    /// The fourteen change measures of Kamei et al. 2013 for every commit of a range, merges left
    /// out, each within the whole history of the range's tip.
    ///
    /// `A..B` gives the commits of B that are not in A, a revision all that lead up to it.
    /// Errors: `git.*`, `call.cancelled`.
    pub async fn features(&self, args: impl Into<FeaturesArgs>) -> Result<FeatureTable> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        compute(move |cancel| {
            let repo = shared.repository()?;
            let (from, to) = ends(repo, args.range.as_deref())?;
            let history = history(&shared, to, cancel)?;
            // What is hidden need not be an ancestor: it, too, must be in the log.
            match from.filter(|from| !history.knows(*from)) {
                None => Ok(history.features(from, to, args.renames)),
                Some(hidden) => {
                    let wider = self::history(&shared, hidden, cancel)?;
                    Ok(wider.features(from, to, args.renames))
                }
            }
        })
        .await
    }

    /// The commits that brought in what later commits fixed (SZZ): for each line that a fix changes
    /// the commit that made it, for all fixes in one pass.
    ///
    /// Errors: `git.*`, `args.invalid`, `call.cancelled`.
    pub async fn szz(&self, args: impl Into<SzzArgs>) -> Result<SzzTable> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        compute(move |cancel| {
            let repo = shared.repository()?;
            let fixes = if args.from_commits.is_empty() {
                let (from, to) = ends(repo, args.range.as_deref())?;
                szz::Fixes::Range { from, to, by: args.fixes }
            } else {
                let ids: Result<Vec<ObjectId>> =
                    args.from_commits.iter().map(|id| repo.resolve(id)).collect();
                szz::Fixes::Commits(ids?)
            };
            let below = args.path.clone().unwrap_or_default();
            let settings = szz::Settings { fixes, below, weak: args.weak, all: args.all };
            szz::szz(repo, &settings, &shared.bus, cancel)
        })
        .await
    }

    /// Writes the history that leads up to HEAD as one pack, all of it or nothing.
    ///
    /// Errors: `git.*`, `git.pack_format` where the file cannot be written, `call.cancelled`.
    pub async fn history_export(&self, args: impl Into<HistoryPackArgs>) -> Result<HistoryPack> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        compute(move |cancel| {
            let tip = shared.repository()?.head()?;
            let history = history(&shared, tip, cancel)?;
            pack::export(&history, pack_path(&args.path)?)
        })
        .await
    }

    /// Reads a history pack into this workspace's store, so that a shallow clone knows what came
    /// before it.
    ///
    /// Errors: `git.pack_format`, `git.pack_version`, `store.*`.
    pub async fn history_import(&self, args: impl Into<HistoryPackArgs>) -> Result<HistoryPack> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        compute(move |_| {
            let imported = pack::import(segments(&shared), pack_path(&args.path)?)?;
            shared.history.clear();
            Ok(imported)
        })
        .await
    }

    /// Fetches the history that a shallow clone lacks.
    ///
    /// Runs `git fetch`, as only the git executable has the user's credentials and proxies; it
    /// never asks on the terminal. A clone that is not shallow is left as it is.
    /// Errors: `git.fetch` with what git said, `args.invalid`, `call.cancelled`.
    pub async fn deepen(&self, args: impl Into<DeepenArgs>) -> Result<Deepened> {
        self.0.alive()?;
        let (args, shared) = (args.into(), Arc::clone(self.0.shared()));
        let seen = shared.clone();
        let at = compute(move |_| {
            let repo = seen.repository()?;
            Ok(repo.is_shallow().then(|| repo.git_dir().to_owned()))
        })
        .await?;
        let Some(folder) = at else {
            return Ok(Deepened { was_cut: false, is_cut: false });
        };
        if args.remote.is_empty() || args.remote.starts_with('-') {
            return Err(Error::new(
                "args.invalid",
                format!("`remote` is `{}`; name a remote, for example origin", args.remote),
            ));
        }
        fetch(folder, &args).await?;
        compute(move |_| {
            shared.history.clear();
            Ok(Deepened { was_cut: true, is_cut: shared.repository()?.is_shallow() })
        })
        .await
    }
}

/// Has git fetch what `args` ask for.
async fn fetch(folder: PathBuf, args: &DeepenArgs) -> Result<()> {
    let depth = match args.commits {
        0 => "--unshallow".to_owned(),
        commits => format!("--deepen={commits}"),
    };
    let failed = |why: &str| {
        Error::new(
            "git.fetch",
            format!(
                "the missing history could not be fetched from `{}`: {why}; check the network and the \
                 credentials, or run `git fetch {depth} {}` yourself",
                args.remote, args.remote
            ),
        )
        .with("remote", &args.remote)
    };
    let order = Order {
        program: "git".to_owned(),
        arguments: ["fetch", "--quiet", &depth, "--", &args.remote].map(str::to_owned).into(),
        folder,
        environment: [("GIT_TERMINAL_PROMPT", "0"), ("GIT_DIR", ".")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Order::default()
    };
    let (ended, _) = process::run(order, Stop::default())
        .await
        .map_err(|error| failed("the git executable could not be run; install git").because(&error))?;
    if ended.status == Some(0) {
        return Ok(());
    }
    let (stderr, _) = ended.stderr.into_text();
    let stderr = stderr.trim();
    let said = stderr.lines().last().unwrap_or("git said nothing");
    let status = ended.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    Err(failed(said).with("status", status).with("stderr", stderr))
}

/// The commits that a range hides and leads up to; without one, HEAD.
pub(super) fn ends(repo: &Repository, range: Option<&str>) -> Result<(Option<ObjectId>, ObjectId)> {
    let range = range.unwrap_or("HEAD");
    let (from, to) = match range.split_once("..") {
        Some((_, to)) if to.starts_with('.') => {
            return Err(Error::new(
                "args.invalid",
                format!("`range` is `{range}`; write `A..B` or one revision"),
            ));
        }
        Some((from, to)) => (Some(or_head(from)), or_head(to)),
        None => (None, range),
    };
    Ok((from.map(|from| repo.resolve(from)).transpose()?, repo.resolve(to)?))
}

fn or_head(end: &str) -> &str {
    if end.is_empty() { "HEAD" } else { end }
}

fn pack_path(path: &str) -> Result<&Path> {
    if path.is_empty() {
        return Err(Error::new("args.invalid", "`path` is empty; name the pack file"));
    }
    Ok(Path::new(path))
}
