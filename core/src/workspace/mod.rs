//! The roof: [`Workspace`] and one file per noun. The only place with public operations.

mod code;
mod events;
mod git;
mod git_insight;
mod patterns;
mod predict;
mod queue;
pub mod record;
mod risk;
mod schedule;
mod session;
pub(crate) mod step;
mod store;
mod symbols;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

pub use code::Code;
pub use events::{EventStream, Events};
pub use git::Git;
pub use predict::Predict;
pub use queue::Queues;
pub use risk::Risk;
pub use schedule::Schedules;
pub use session::{Session, Sessions};
pub use worker::{Worker, Workers};

use crate::base::clock::{Clock, parse_rfc3339};
use crate::base::runtime::{compute, refuse_forked};
use crate::error::{Error, Result};
use crate::observe::bus::Bus;
use crate::session::record::NoArgs;
use crate::store::{Durability, Settings, Store};
use record::{OpenArgs, WorkspaceInfo};

/// One repository and its store: the entry to everything.
///
/// Clones are cheap and share everything. The repository is opened when it is first needed, so a
/// workspace is also good for sessions and queues where there is none.
///
/// ```
/// # barograph::blocking::wait(async {
/// use barograph::{OpenArgs, Workspace};
/// let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
/// assert_eq!(ws.info(Default::default()).await?.durability, barograph::Durability::None);
/// # Ok::<(), barograph::Error>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Workspace(Arc<Shared>);

pub(crate) struct Shared {
    pid: u32,
    pub(crate) path: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) bus: Bus,
    pub(crate) store: Arc<Store>,
    namespace: String,
    pub(crate) notes: Vec<String>,
    repository: OnceLock<crate::git::Repository>,
    pub(crate) history: git::HistoryCache,
    pub(crate) insight: git_insight::InsightCache,
    pub(crate) code: crate::code::cache::Cache,
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace").field("path", &self.0.path).finish_non_exhaustive()
    }
}

impl Workspace {
    /// Opens a workspace on the repository in or above `path`.
    ///
    /// The store is `.barograph/store.db` at the top of the work tree, unless another is named;
    /// where it cannot be written and none was named, everything is kept in memory and
    /// [`WorkspaceInfo::notes`] says so.
    ///
    /// Errors: `git.not_a_repository` where `path` does not exist, `store.*` where a named store
    /// cannot be used, `args.invalid` for a clock that is not RFC 3339.
    pub async fn open(args: impl Into<OpenArgs>) -> Result<Workspace> {
        let args = args.into();
        compute(move |_| Workspace::open_blocking(&args)).await
    }

    fn open_blocking(args: &OpenArgs) -> Result<Workspace> {
        let clock = match &args.clock {
            None => Clock::system(),
            Some(text) => Clock::fixed(parse_rfc3339(text).ok_or_else(|| {
                Error::new(
                    "args.invalid",
                    format!("`clock` is `{text}`; write RFC 3339, for example 2026-01-31T12:00:00Z"),
                )
            })?),
        };
        let path = Path::new(&args.path);
        if !path.exists() {
            return Err(Error::new(
                "git.not_a_repository",
                format!("`{}` does not exist; name a folder in a repository", args.path),
            )
            .with("path", &args.path));
        }
        let repository = crate::git::Repository::open(path).ok();
        let bus = Bus::new(clock.clone());
        let settings = settings(args, &clock, &bus)?;
        let mut notes = Vec::new();
        let store = if args.in_memory || args.durability == Durability::None {
            if let Some(file) = &args.store {
                return Err(Error::new(
                    "args.invalid",
                    format!("the store `{file}` is named, and nothing is to be kept; leave one of them out"),
                ));
            }
            Store::in_memory(&settings)?
        } else if let Some(file) = &args.store {
            Store::named(file, &settings)?
        } else {
            let folder = repository.as_ref().map_or(path, |repository| repository.home()).join(".barograph");
            match prepare(&folder).and_then(|file| Store::open(&file, &settings)) {
                Ok(store) => store,
                Err(error) if matches!(error.code(), "store.read_only" | "store.network") => {
                    let why = match error.code() {
                        "store.network" => "lies on a network file system",
                        _ => "cannot be written",
                    };
                    notes.push(format!(
                        "`{}` {why}: everything is kept in memory and lost at the end",
                        folder.display()
                    ));
                    Store::in_memory(&settings)?
                }
                Err(error) => return Err(error),
            }
        };
        let store = Arc::new(store);
        if let Some(retention) = args.retention_ms {
            crate::session::life::retain(&store, retention);
        }
        let shared = Shared {
            pid: std::process::id(),
            path: path.to_owned(),
            clock,
            bus,
            store,
            namespace: args.namespace.clone(),
            notes,
            repository: OnceLock::new(),
            history: git::HistoryCache::default(),
            insight: git_insight::InsightCache::default(),
            code: crate::code::cache::Cache::default(),
        };
        if let Some(repository) = repository {
            let _ = shared.repository.set(repository);
        }
        Ok(Workspace(Arc::new(shared)))
    }

    /// What this workspace is: version, repository, store.
    pub async fn info(&self, _: NoArgs) -> Result<WorkspaceInfo> {
        self.alive()?;
        let store = self.0.store.shown();
        Ok(WorkspaceInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            repository: self.0.repository().ok().map(|repository| repository.top().display().to_string()),
            store,
            durability: self.0.store.durability(),
            namespace: self.0.namespace.clone(),
            notes: self.0.notes.clone(),
        })
    }

    /// Reads of files as they are on disk.
    pub fn code(&self) -> Code {
        Code(self.clone())
    }

    /// Reads of the repository's history.
    pub fn git(&self) -> Git {
        Git(self.clone())
    }

    /// Models and what they say of themselves.
    pub fn predict(&self) -> Predict {
        Predict(self.clone())
    }

    /// How risky a change is, and why.
    pub fn risk(&self) -> Risk {
        Risk(self.clone())
    }

    /// What makes sessions at set times.
    pub fn schedule(&self) -> Schedules {
        Schedules(self.clone())
    }

    /// Durable runs of checkpointed steps.
    pub fn session(&self) -> Sessions {
        Sessions(self.clone())
    }

    /// Durable queues of tasks.
    pub fn queue(&self) -> Queues {
        Queues(self.clone())
    }

    /// Workers that take tasks from a queue.
    pub fn worker(&self) -> Workers {
        Workers(self.clone())
    }

    /// What happened, by durable cursor.
    pub fn events(&self) -> Events {
        Events(self.clone())
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    pub(crate) fn alive(&self) -> Result<()> {
        refuse_forked(self.0.pid, "workspace")
    }
}

impl Shared {
    pub(crate) fn repository(&self) -> Result<&crate::git::Repository> {
        if let Some(repository) = self.repository.get() {
            return Ok(repository);
        }
        let opened = crate::git::Repository::open(&self.path)?;
        Ok(self.repository.get_or_init(|| opened))
    }
}

/// How the store is to be opened, checked.
fn settings(args: &OpenArgs, clock: &Clock, bus: &Bus) -> Result<Settings> {
    if !(1..=200).contains(&args.namespace.chars().count()) {
        return Err(Error::new(
            "args.invalid",
            format!("`namespace` has {} characters; it takes 1 to 200", args.namespace.chars().count()),
        ));
    }
    if !(1_000..=3_600_000).contains(&args.lease_ms) {
        return Err(Error::new(
            "args.invalid",
            format!("`lease_ms` is {}; it takes 1,000 to 3,600,000", args.lease_ms),
        ));
    }
    let mut settings = Settings::new(clock.clone(), bus.clone());
    settings.durability = args.durability;
    settings.namespace.clone_from(&args.namespace);
    settings.lease = std::time::Duration::from_millis(args.lease_ms);
    Ok(settings)
}

/// Makes the folder of the default store, which git is told to leave alone.
fn prepare(folder: &Path) -> Result<PathBuf> {
    let denied = |error: std::io::Error| {
        Error::new("store.read_only", format!("`{}` cannot be written; name another store", folder.display()))
            .because(&error)
    };
    if !folder.is_dir() {
        std::fs::create_dir_all(folder).map_err(denied)?;
        // SQLite syncs the folder that its files are in, not the one that this folder is in. Systems that
        // cannot sync a folder need not.
        if let Some(above) = folder.parent() {
            let _ = std::fs::File::open(above).and_then(|above| above.sync_all());
        }
    }
    let ignore = folder.join(".gitignore");
    if !ignore.exists() {
        std::fs::write(&ignore, "*\n").map_err(denied)?;
    }
    Ok(folder.join("store.db"))
}
