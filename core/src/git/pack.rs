//! The history pack: records in one file, for runners that start empty and shallow.
//!
//! `BAROHIST`, the version (u32, little-endian), one chunk of the log, and the SHA-256 of
//! everything before it. The first commit without a child in the pack is its tip.

use std::path::Path;
use std::sync::Arc;

use sha2::Digest;

use super::history::{History, Stored};
use super::log::{Log, NewCommit, damaged, read_whole};
use super::record::HistoryPack;
use crate::base::port::Segments;
use crate::error::{Error, Result};

const MAGIC: &[u8; 8] = b"BAROHIST";
/// The version that this release writes; it reads 1 too, which has no signatures.
const VERSION: u32 = 2;
const HEAD: usize = MAGIC.len() + 4;
const SUM: usize = 32;

fn summary(log: &Log, path: &Path, tip: String, bytes: usize) -> HistoryPack {
    HistoryPack {
        path: path.display().to_string(),
        tip,
        commits: log.len() as u64,
        file_changes: (0..log.len() as u32).map(|at| log.files_of(at).len() as u64).sum(),
        bytes: bytes as u64,
    }
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        "git.pack_format",
        format!("`{}` cannot be {what}; check the path and its folder", path.display()),
    )
    .with("path", path.display())
    .because(error)
}

/// Writes everything reachable from the history's tip to `path`, all of it or nothing.
///
/// Records that could not be read whole are left out where nothing follows from them.
/// Errors: `git.pack_format` where the file cannot be written.
pub fn export(history: &Arc<History>, path: &Path) -> Result<HistoryPack> {
    let known = history.log();
    let mut order = Vec::new();
    super::order::reachable(known, history.tip(), |at| order.push(at));
    // Numbers of the log put parents first within an append; the order of history does always.
    order.sort_unstable_by_key(|at| (known.commit(*at).time, known.commit(*at).id));
    let records: Vec<NewCommit> =
        super::mine::sorted(order.into_iter().map(|at| known.restore(at)).collect());
    let mut log = Log::default();
    let chunk = log.extend(&records);
    let mut bytes = Vec::with_capacity(HEAD + chunk.len() + SUM);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&chunk);
    let sum = sha2::Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum);

    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = path.with_file_name(format!(".{name}.{}", &crate::base::id::random()[..8]));
    let written = std::fs::write(&temporary, &bytes)
        .and_then(|()| std::fs::File::open(&temporary)?.sync_all())
        .and_then(|()| std::fs::rename(&temporary, path));
    if let Err(error) = written {
        let _ = std::fs::remove_file(&temporary);
        return Err(cannot("written", path, &error));
    }
    Ok(summary(&log, path, history.tip().to_string(), bytes.len()))
}

/// Checks the pack at `path` and adds its records to the segment; what is known already stays.
///
/// Errors: `git.pack_format` where the file cannot be read, is damaged or is none,
/// `git.pack_version` where a newer release wrote it.
pub fn import(segments: &dyn Segments, path: &Path) -> Result<HistoryPack> {
    let bytes = std::fs::read(path).map_err(|error| cannot("read", path, &error))?;
    let what = format!("`{}`", path.display());
    let body = bytes.strip_prefix(MAGIC).ok_or_else(|| damaged(&what))?;
    let (version, body) = body.split_first_chunk::<4>().ok_or_else(|| damaged(&what))?;
    let version = u32::from_le_bytes(*version);
    if version > VERSION {
        return Err(Error::new(
            "git.pack_version",
            format!(
                "{what} is a history pack of version {version}, this release reads up to {VERSION}; upgrade"
            ),
        )
        .with("path", path.display()));
    }
    let (chunk, sum) = body.split_last_chunk::<SUM>().ok_or_else(|| damaged(&what))?;
    if sha2::Sha256::digest(&bytes[..bytes.len() - SUM])[..] != sum[..] {
        return Err(damaged(&what));
    }
    let log = read_whole(chunk, &what)?;
    let stored = Stored::read(segments, super::mine::Level::Lines);
    let fresh = |at: &u32| {
        let commit = log.commit(*at);
        stored.log.find(&commit.id).is_none_or(|known| stored.log.commit(known).is_gap() && !commit.is_gap())
    };
    let restored = |at: u32| {
        let mut commit = log.restore(at);
        if commit.signature.is_none() {
            let known = stored.log.find(&commit.id);
            commit.signature = known.and_then(|known| stored.log.restore(known).signature);
        }
        commit
    };
    let records: Vec<NewCommit> = (0..log.len() as u32).filter(fresh).map(restored).collect();
    let tip = tip(&log);
    stored.add(segments, records);
    Ok(summary(&log, path, tip, bytes.len()))
}

/// The last commit that is no other's parent.
fn tip(log: &Log) -> String {
    let parents: std::collections::HashSet<_> =
        (0..log.len() as u32).flat_map(|at| log.parents_of(at).iter().copied()).collect();
    (0..log.len() as u32)
        .rev()
        .map(|at| log.commit(at).id)
        .find(|id| !parents.contains(id))
        .map_or_else(String::new, |id| id.to_string())
}
