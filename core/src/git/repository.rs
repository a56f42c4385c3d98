//! The repository: found upwards from a path, read without any configuration of the user.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use gix::ObjectId;

use super::read::Reader;
use crate::error::{Error, Result};

/// An open repository; clones are cheap and share everything.
#[derive(Clone, Debug)]
pub struct Repository {
    inner: Arc<RwLock<gix::ThreadSafeRepository>>,
    /// Where it was looked for.
    start: PathBuf,
    top: PathBuf,
    git_dir: PathBuf,
    bare: bool,
}

impl Repository {
    /// Opens the repository in or above `path`.
    ///
    /// Only the repository's own configuration is read, and whoever owns the folder: reading is
    /// safe, and in containers the owner is often another.
    ///
    /// Errors: `git.not_a_repository` where there is none, `git.read` where it cannot be read.
    pub fn open(path: &Path) -> Result<Repository> {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut start = absolute.as_path();
        // A file in a repository is as good a place to start as its folder.
        while !start.is_dir() {
            start = start.parent().ok_or_else(|| none_at(path))?;
        }
        gix::discover::upwards_opts(start, upwards()).map_err(|error| none_at(path).with("cause", error))?;
        let inner = discovered(start).map_err(|error| {
            Error::new(
                "git.read",
                format!("the repository at `{}` cannot be read; try `git fsck` there", path.display()),
            )
            .with("path", path.display())
            .with("cause", error)
        })?;
        let top = inner.work_dir().unwrap_or_else(|| inner.git_dir()).to_owned();
        let top = top.canonicalize().unwrap_or(top);
        Ok(Repository {
            git_dir: inner.git_dir().to_owned(),
            bare: inner.work_dir().is_none(),
            inner: Arc::new(RwLock::new(inner)),
            start: start.to_owned(),
            top,
        })
    }

    /// Opens the repository anew for whoever asks next: what it has mapped of packs and their indices
    /// leaves the memory when its last reader is gone.
    pub(super) fn let_go(&self) {
        if let Ok(fresh) = discovered(&self.start) {
            *self.inner.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
    }

    /// The top of the work tree, or the git directory where the repository is bare.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The folder that `.barograph/` goes into: the same as [`top`](Self::top).
    pub fn home(&self) -> &Path {
        &self.top
    }

    /// The git directory, that of a linked work tree where it is one.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// Whether the repository has no work tree.
    pub fn is_bare(&self) -> bool {
        self.bare
    }

    /// Whether the clone is shallow now: read anew at each call, as a fetch can change it.
    pub fn is_shallow(&self) -> bool {
        self.local().is_shallow().unwrap_or(false)
    }

    /// A handle of this thread.
    pub(super) fn local(&self) -> gix::Repository {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).to_thread_local()
    }

    /// A reader of this thread.
    pub(super) fn reader(&self) -> Reader {
        Reader::new(self.local())
    }

    /// The commit that HEAD is at.
    ///
    /// Errors: `git.no_commits` where the branch has none yet.
    pub fn head(&self) -> Result<ObjectId> {
        let local = self.local();
        let head =
            local.head().map_err(|error| self.unreadable("HEAD cannot be read").with("cause", error))?;
        if head.is_unborn() {
            return Err(self.no_commits());
        }
        self.resolve("HEAD")
    }

    /// The name of the branch that HEAD is on, for example `refs/heads/main`; `None` where it is on none.
    pub fn branch(&self) -> Option<String> {
        Some(self.local().head_name().ok()??.as_bstr().to_string())
    }

    /// The commit that a revision names: a branch, a tag, an id, `HEAD~2` and the like.
    ///
    /// Errors: `git.revision` where it names none, `git.no_commits` where there is none to name,
    /// `git.object_missing` where it names one that is not in this clone.
    pub fn resolve(&self, revision: &str) -> Result<ObjectId> {
        let local = self.local();
        let from_head = revision.starts_with("HEAD") || revision.starts_with('@') || revision.is_empty();
        if from_head && local.head().is_ok_and(|head| head.is_unborn()) {
            return Err(self.no_commits());
        }
        let unknown = || {
            Error::new(
                "git.revision",
                format!(
                    "`{revision}` does not name a commit of this repository; name a branch, a tag or an id"
                ),
            )
            .with("revision", revision)
        };
        if revision.is_empty() {
            return Err(unknown());
        }
        let missing = |id: ObjectId| {
            Error::new(
                "git.object_missing",
                format!("`{revision}` is `{id}`, which is not in this clone; fetch it, or more history with git.deepen"),
            )
            .with("revision", revision)
            .with("id", id)
        };
        let id = match local.rev_parse_single(revision) {
            Ok(id) => id.detach(),
            Err(error) => {
                // A whole id that is not here, as build servers hand it in.
                if let Ok(id) = ObjectId::from_hex(revision.as_bytes()) {
                    return Err(missing(id));
                }
                if !self.is_shallow() {
                    return Err(unknown().with("cause", error));
                }
                return Err(Error::new(
                    "git.revision",
                    format!(
                        "`{revision}` does not name a commit of this shallow clone; name another, or fetch more with git.deepen"
                    ),
                )
                .with("revision", revision));
            }
        };
        // Tags point at commits, sometimes over other tags.
        let object = local.find_object(id).map_err(|_| missing(id))?;
        let object = object.peel_tags_to_end().map_err(|_| missing(id))?;
        if object.kind == gix::objs::Kind::Commit { Ok(object.id) } else { Err(unknown()) }
    }

    fn no_commits(&self) -> Error {
        Error::new(
            "git.no_commits",
            format!(
                "the repository at `{}` has no commit on this branch yet; commit first",
                self.top.display()
            ),
        )
        .with("path", self.top.display())
    }

    /// An error of code `git.read`.
    pub(super) fn unreadable(&self, what: &str) -> Error {
        Error::new(
            "git.read",
            format!("{what} in the repository at `{}`; try `git fsck` there", self.top.display()),
        )
        .with("path", self.top.display())
    }
}

fn upwards() -> gix::discover::upwards::Options<'static> {
    gix::discover::upwards::Options {
        trust: gix::discover::upwards::TrustPolicy::Assume(gix::sec::Trust::Full),
        ..gix::discover::upwards::Options::default()
    }
}

/// The repository in or above `start`, with its own configuration alone.
fn discovered(
    start: &Path,
) -> std::result::Result<gix::ThreadSafeRepository, Box<dyn std::error::Error + Send + Sync>> {
    let options = || gix::open::Options::isolated().with(gix::sec::Trust::Full);
    let trust = gix::sec::trust::Mapping { full: options(), reduced: options() };
    Ok(gix::ThreadSafeRepository::discover_opts(start, upwards(), trust)?)
}

fn none_at(path: &Path) -> Error {
    Error::new(
        "git.not_a_repository",
        format!("no git repository at or above `{}`; name a folder in one", path.display()),
    )
    .with("path", path.display())
}
