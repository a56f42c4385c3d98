//! The working tree as a change: HEAD to what is on disk, staged or not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gix::bstr::BString;

use super::change::{Change, file_changes};
use super::diff;
use super::read::{Reader, is_fix};
use super::repository::Repository;
use super::tree::{Differing, Side};
use crate::base::cancel::CancelToken;
use crate::error::{Error, Result};

/// Beyond this size a file is binary to git, and is not read.
const BIG_FILE: u64 = 512 << 20;

impl Repository {
    /// The change from HEAD to the tracked files and the untracked ones that are not ignored, as
    /// they are on disk; submodules are left out.
    ///
    /// Errors: `git.no_commits`, `git.read` where the work tree cannot be read or there is none,
    /// `call.cancelled`.
    pub fn worktree_change(
        &self,
        message: Option<&str>,
        author: Option<&str>,
        now_s: i64,
        cancel: &CancelToken,
    ) -> Result<Change> {
        if self.is_bare() {
            return Err(Error::new(
                "git.read",
                format!(
                    "the repository at `{}` is bare and has no working tree; name a range",
                    self.top().display()
                ),
            ));
        }
        let head = self.head()?;
        let mut change = Change {
            base: Some(head),
            time: now_s,
            author: author.map(str::to_lowercase),
            fix: message.is_some_and(|message| is_fix(message.as_bytes())),
            ..Change::default()
        };
        let failed = |what: &str, error: &dyn std::fmt::Display| self.unreadable(what).with("cause", error);
        let mut local = self.local().with_object_memory();
        // A filter is a program that the repository names: none is ever started.
        drop_filters(&mut local).map_err(|error| failed("its configuration cannot be read", &error))?;

        let paths = touched(&local, cancel).map_err(|error| match cancel.is_cancelled() {
            true => Error::cancelled(),
            false => failed("the working tree cannot be compared", &error),
        })?;
        cancel.check()?;
        let tree = local
            .find_commit(head)
            .and_then(|commit| commit.tree())
            .map_err(|error| failed("the tree of HEAD cannot be read", &error))?;
        let index = local.index_or_empty().map_err(|error| failed("the index cannot be read", &error))?;
        let mut filters =
            local.filter_pipeline(None).map_err(|error| failed("its attributes cannot be read", &error))?.0;
        let mut found = Vec::new();
        for path in paths {
            cancel.check()?;
            let old = side_in_tree(&tree, &path)
                .map_err(|error| failed("the tree of HEAD cannot be read", &error))?;
            let new = side_on_disk(self, &local, &mut filters, &index, &path)
                .map_err(|error| failed(&format!("`{path}` cannot be read"), &error))?;
            if old != new && (old.is_some() || new.is_some()) {
                found.push(Differing { path, old, new });
            }
        }
        drop(filters);
        drop(tree);
        let delta = diff::measure(&mut Reader::new(local), found);
        change.files = file_changes(delta);
        Ok(change)
    }
}

type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn drop_filters(local: &mut gix::Repository) -> Outcome<()> {
    let mut config = local.config_snapshot_mut();
    let ids: Vec<_> =
        config.sections_and_ids_by_name("filter").into_iter().flatten().map(|(_, id)| id).collect();
    for id in ids {
        config.remove_section_by_id(id);
    }
    config.commit()?;
    Ok(())
}

/// Every path that may differ between HEAD, the index and the disk.
fn touched(local: &gix::Repository, cancel: &CancelToken) -> Outcome<BTreeSet<BString>> {
    let stop = Arc::new(AtomicBool::new(false));
    let status = local
        .status(gix::progress::Discard)?
        .untracked_files(gix::status::UntrackedFiles::Files)
        .index_worktree_submodules(gix::status::Submodule::Given {
            ignore: gix::submodule::config::Ignore::All,
            check_dirty: false,
        })
        .index_worktree_rewrites(None)
        .tree_index_track_renames(gix::status::tree_index::TrackRenames::Disabled)
        .should_interrupt_owned(Arc::clone(&stop));
    let mut paths = BTreeSet::new();
    for item in status.into_iter(None)? {
        if cancel.is_cancelled() {
            stop.store(true, Ordering::Relaxed);
            break;
        }
        let item = item?;
        if let gix::status::Item::IndexWorktree(gix::status::index_worktree::Item::DirectoryContents {
            entry,
            ..
        }) = &item
            && !matches!(entry.status, gix::dir::entry::Status::Untracked)
        {
            continue;
        }
        paths.insert(item.location().to_owned());
    }
    Ok(paths)
}

fn side_in_tree(tree: &gix::Tree<'_>, path: &BString) -> Outcome<Option<Side>> {
    use gix::bstr::ByteSlice;
    let Some(entry) = tree.lookup_entry(path.split_str("/"))? else { return Ok(None) };
    let mode = match entry.mode().kind() {
        gix::objs::tree::EntryKind::Blob => 0o100_644,
        gix::objs::tree::EntryKind::BlobExecutable => 0o100_755,
        gix::objs::tree::EntryKind::Link => 0o120_000,
        gix::objs::tree::EntryKind::Tree | gix::objs::tree::EntryKind::Commit => return Ok(None),
    };
    Ok(Some((mode, entry.object_id())))
}

/// The file as git would add it; `None` where there is none.
fn side_on_disk(
    repo: &Repository,
    local: &gix::Repository,
    filters: &mut gix::filter::Pipeline<'_>,
    index: &gix::index::State,
    path: &BString,
) -> Outcome<Option<Side>> {
    let file = repo.top().join(gix::path::from_bstr(gix::bstr::BStr::new(path))?);
    let Ok(metadata) = std::fs::symlink_metadata(&file) else { return Ok(None) };
    if metadata.is_dir() {
        return Ok(None);
    }
    if metadata.is_file() && metadata.len() > BIG_FILE {
        // A NUL byte in its place: binary, like the file, and without reading it.
        let id = local.write_blob(b"\0beyond the limit of size")?.detach();
        return Ok(Some((0o100_644, id)));
    }
    let Some((id, kind, _)) = filters.worktree_file_to_object(path.as_ref(), index)? else { return Ok(None) };
    let mode = match kind {
        gix::objs::tree::EntryKind::BlobExecutable => 0o100_755,
        gix::objs::tree::EntryKind::Link => 0o120_000,
        gix::objs::tree::EntryKind::Commit | gix::objs::tree::EntryKind::Tree => return Ok(None),
        gix::objs::tree::EntryKind::Blob => 0o100_644,
    };
    Ok(Some((mode, id)))
}
