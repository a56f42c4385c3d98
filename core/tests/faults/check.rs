//! What must hold of a folder that a fault has left behind.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;

use crate::disk::Image;
use crate::model::{Seen, difference, expected, observe};
use crate::program::{FILLER, Move, open, resume};

/// A folder that is removed at the end, in memory where the system has such a place: what is sure to be
/// on disk is for the model to say, and nothing real is waited for.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let path = parent.join(format!("barograph-{name}-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Puts these files in the place of all others.
    pub fn hold(&self, image: &Image) {
        std::fs::remove_dir_all(&self.0).unwrap();
        std::fs::create_dir_all(&self.0).unwrap();
        for (name, bytes) in image {
            std::fs::write(self.0.join(name), bytes).unwrap();
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A failure leaves its files for whoever looks into it.
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// How far the program was: `stood` moves were answered, `began` at most were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub stood: usize,
    pub began: usize,
}

/// Whether what is seen is what `progress` allows: all that was answered, and of what was not answered
/// all or nothing.
pub fn fits(seen: &Seen, moves: &[Move], progress: Progress) -> Result<(), String> {
    let all = |count: usize| expected(&moves[..count]);
    let least = all(progress.stood);
    if *seen == least || (progress.began > progress.stood && *seen == all(progress.began)) {
        return Ok(());
    }
    Err(format!("after {progress:?}: {}", difference(seen, &least)))
}

/// Opens the store in `folder` and looks whether it is what `progress` allows and whole.
pub fn stands(folder: &Path, moves: &[Move], progress: Progress) -> Result<Seen, String> {
    let ws = open(folder).map_err(|error| format!("does not open: {error:?}"))?;
    let seen = observe(&ws)?;
    fits(&seen, moves, progress)?;
    whole(folder)?;
    Ok(seen)
}

/// Whether SQLite finds the file without a fault.
pub fn whole(folder: &Path) -> Result<(), String> {
    let conn = Connection::open(folder.join("s.db")).map_err(|error| error.to_string())?;
    let verdict: String = conn
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .map_err(|error| format!("integrity check: {error}"))?;
    let strays: i64 = conn
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .map_err(|error| format!("foreign key check: {error}"))?;
    match (verdict.as_str(), strays) {
        ("ok", 0) => Ok(()),
        _ => Err(format!("integrity check: {verdict}, {strays} rows that point nowhere")),
    }
}

/// Takes the program up in `folder`, and looks whether it comes to its end with every result right.
pub fn goes_on(folder: &Path, moves: &[Move]) -> Result<(), String> {
    drop(resume(folder, moves).map_err(|error| format!("cannot go on: {error:?}"))?);
    let seen = observe(&open(folder).map_err(|error| format!("does not open at the end: {error:?}"))?)?;
    ended(&seen, moves)?;
    whole(folder)
}

/// Whether all that the program is for was done.
pub fn ended(seen: &Seen, moves: &[Move]) -> Result<(), String> {
    let wanted = expected(moves);
    // What was tried again may count more attempts, and a filler stands for all that were left.
    let results = |seen: &Seen| -> Vec<_> {
        let steps = seen.steps.iter().filter(|step| step.name != FILLER);
        steps.map(|step| (step.name.clone(), step.policy, step.status, step.result.clone())).collect()
    };
    let ends = (seen.status, &seen.output, seen.tasks.0) == (wanted.status, &wanted.output, 0);
    let tasks = seen.tasks.1 + seen.tasks.2 == wanted.tasks.1 + wanted.tasks.2;
    if !ends || !tasks || results(seen) != results(&wanted) {
        return Err(format!("ends otherwise: {}", difference(seen, &wanted)));
    }
    Ok(())
}
