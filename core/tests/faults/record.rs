//! What is done to the files of one folder, in order, with the answers that the program got in between;
//! and the place where a call is made to fail.

use std::collections::HashMap;
use std::ffi::c_int;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use crate::vfs;

/// Something that happened to the folder.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A name for a new file.
    Create {
        name: String,
        file: u32,
    },
    /// A name is gone; `folder`: and the folder was synced.
    Delete {
        name: String,
        folder: bool,
    },
    Write {
        file: u32,
        to: u64,
        data: Arc<[u8]>,
    },
    Truncate {
        file: u32,
        size: u64,
    },
    /// The file was synced; `folder`: and then its folder.
    Sync {
        file: u32,
        folder: bool,
    },
    /// The file's sync failed: what was to be synced may be on disk or not, and no later sync of the
    /// file will see to it, as the system takes those pages for clean.
    SyncFailed {
        file: u32,
    },
    /// The memory that processes share was used; nothing of it is on disk.
    Shared,
    /// How many moves of the program have begun.
    Began(usize),
    /// How many moves of the program were answered.
    Stood(usize),
}

impl Entry {
    /// Whether what a power loss leaves behind may differ before and after this.
    pub fn touches_disk(&self) -> bool {
        !matches!(self, Entry::Shared | Entry::Began(_) | Entry::Stood(_))
    }
}

/// The calls that can be counted and made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    Open,
    Read,
    Write,
    Truncate,
    Sync,
    Delete,
    Map,
    ShmLock,
    Unmap,
}

/// How a call fails.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub call: Call,
    pub which: Which,
    /// What SQLite is told.
    pub answer: c_int,
    /// How much of a failing write is done nevertheless.
    pub reach: Reach,
    /// Every later write, truncate and sync fails like it, until the fault is taken away.
    pub lasting: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The call of this number among those of its kind, from 0.
    Nth(u64),
    /// The next one to the file of this name.
    NextTo(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Nothing,
    Half,
    Whole,
}

#[derive(Default)]
struct Inside {
    folder: PathBuf,
    log: Vec<Entry>,
    /// Files by name as they are now.
    names: HashMap<String, u32>,
    next: u32,
    counts: HashMap<Call, u64>,
    fault: Option<Fault>,
    hit: Option<String>,
    /// Syncs are answered and not done.
    lying: bool,
}

/// A watched folder.
#[derive(Clone)]
pub struct Watch(Arc<Mutex<Inside>>);

static WATCHED: Mutex<Vec<Watch>> = Mutex::new(Vec::new());

fn watched() -> MutexGuard<'static, Vec<Watch>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who watches the folder of this file.
pub fn watching(path: &Path) -> Option<Watch> {
    let folder = path.parent()?;
    watched().iter().find(|watch| watch.inside().folder == folder).cloned()
}

/// The end of a watch: its folder is as any other again.
pub struct Guard(pub Watch);

impl std::ops::Deref for Guard {
    type Target = Watch;

    fn deref(&self) -> &Watch {
        &self.0
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        watched().retain(|watch| !Arc::ptr_eq(&watch.0, &self.0.0));
    }
}

/// Watches a folder from now on. `names` are the files that it holds already.
pub fn watch(folder: &Path, names: HashMap<String, u32>, next: u32) -> Guard {
    vfs::install();
    let folder = folder.canonicalize().expect("a folder that exists");
    let watch = Watch(Arc::new(Mutex::new(Inside { folder, names, next, ..Inside::default() })));
    watched().push(watch.clone());
    Guard(watch)
}

impl Watch {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what the program was answered.
    pub fn note(&self, entry: Entry) {
        self.inside().log.push(entry);
    }

    /// What happened so far.
    pub fn log(&self) -> Vec<Entry> {
        self.inside().log.clone()
    }

    /// Has a call fail.
    pub fn arm(&self, fault: Fault) {
        self.inside().fault = Some(fault);
    }

    /// Takes the fault away.
    pub fn disarm(&self) {
        self.inside().fault = None;
    }

    /// The call that failed, where the fault was met.
    pub fn hit(&self) -> Option<String> {
        self.inside().hit.clone()
    }

    /// How often a call was made.
    pub fn count(&self, call: Call) -> u64 {
        self.inside().counts.get(&call).copied().unwrap_or(0)
    }

    /// From now on a sync is answered and not done.
    pub fn lie(&self) {
        self.inside().lying = true;
    }

    /// Opens a file, and says which it is.
    pub fn opening(&self, path: &Path, real: impl FnOnce() -> (c_int, bool)) -> (c_int, Option<u32>) {
        let mut inside = self.inside();
        let name = file_name(path);
        if let Some((answer, _)) = inside.fails(Call::Open, &name) {
            return (answer, None);
        }
        // The product itself makes an empty file to learn why SQLite could not.
        let fresh = std::fs::metadata(path).map_or(true, |there| there.len() == 0);
        let (answer, opened) = real();
        if !opened {
            return (answer, None);
        }
        let file = match inside.names.get(&name) {
            // A name is taken away by a deletion alone.
            Some(&file) => file,
            None => {
                assert!(fresh, "`{name}` was there before the watch, which was not told of it");
                let file = inside.next;
                inside.next += 1;
                inside.names.insert(name.clone(), file);
                inside.log.push(Entry::Create { name, file });
                file
            }
        };
        (answer, Some(file))
    }

    pub fn deleting(&self, path: &Path, real: impl FnOnce() -> (c_int, bool)) -> c_int {
        let mut inside = self.inside();
        let name = file_name(path);
        if let Some((answer, _)) = inside.fails(Call::Delete, &name) {
            return answer;
        }
        let (answer, folder) = real();
        if answer == ffi::SQLITE_OK {
            inside.names.remove(&name);
            let folder = folder && !inside.lying;
            inside.log.push(Entry::Delete { name, folder });
        }
        answer
    }

    pub fn reading(&self, real: impl FnOnce() -> c_int) -> c_int {
        let fails = self.inside().fails(Call::Read, "");
        fails.map_or_else(real, |(answer, _)| answer)
    }

    pub fn writing(&self, file: u32, to: u64, data: &[u8], real: impl Fn(usize) -> c_int) -> c_int {
        let mut inside = self.inside();
        let name = inside.name(file);
        let fails = inside.fails(Call::Write, &name);
        let length = match fails {
            None | Some((_, Reach::Whole)) => data.len(),
            Some((_, Reach::Half)) => data.len() / 2,
            Some((_, Reach::Nothing)) => 0,
        };
        let answer = if length > 0 { real(length) } else { ffi::SQLITE_OK };
        if answer == ffi::SQLITE_OK && length > 0 {
            inside.log.push(Entry::Write { file, to, data: data[..length].into() });
        }
        fails.map_or(answer, |(answer, _)| answer)
    }

    pub fn truncating(&self, file: u32, size: u64, real: impl FnOnce() -> c_int) -> c_int {
        let mut inside = self.inside();
        let name = inside.name(file);
        if let Some((answer, _)) = inside.fails(Call::Truncate, &name) {
            return answer;
        }
        let answer = real();
        if answer == ffi::SQLITE_OK {
            inside.log.push(Entry::Truncate { file, size });
        }
        answer
    }

    pub fn syncing(&self, file: u32, real: impl FnOnce() -> (c_int, bool)) -> c_int {
        let mut inside = self.inside();
        let name = inside.name(file);
        if let Some((answer, _)) = inside.fails(Call::Sync, &name) {
            inside.log.push(Entry::SyncFailed { file });
            return answer;
        }
        let (answer, folder) = real();
        if answer == ffi::SQLITE_OK && !inside.lying {
            inside.log.push(Entry::Sync { file, folder });
        }
        answer
    }

    pub fn sharing(&self, call: Call, real: impl FnOnce() -> c_int) -> c_int {
        {
            let mut inside = self.inside();
            if let Some((answer, _)) = inside.fails(call, "shared memory") {
                return answer;
            }
            inside.log.push(Entry::Shared);
        }
        real()
    }
}

impl Inside {
    fn name(&self, file: u32) -> String {
        let name = self.names.iter().find(|(_, number)| **number == file);
        name.map_or_else(|| "a deleted file".to_owned(), |(name, _)| name.clone())
    }

    /// Counts a call, and tells whether and how it fails.
    fn fails(&mut self, call: Call, name: &str) -> Option<(c_int, Reach)> {
        let count = self.counts.entry(call).or_default();
        let nth = *count;
        *count += 1;
        let fault = self.fault?;
        let first = fault.call == call
            && match fault.which {
                Which::Nth(wanted) => wanted == nth,
                Which::NextTo(wanted) => wanted == name && self.hit.is_none(),
            };
        let after = fault.lasting
            && self.hit.is_some()
            && (call == fault.call || matches!(call, Call::Write | Call::Truncate | Call::Sync));
        if !first && !after {
            return None;
        }
        if first {
            self.hit = Some(format!("{call:?} number {nth}, {name}"));
        }
        Some((answer_for(call, &fault), if first { fault.reach } else { Reach::Nothing }))
    }
}

/// The answer that the default file system gives where the disk refuses this call.
fn answer_for(call: Call, fault: &Fault) -> c_int {
    match call {
        _ if call == fault.call => fault.answer,
        Call::Write if fault.answer == ffi::SQLITE_FULL => ffi::SQLITE_FULL,
        Call::Write => ffi::SQLITE_IOERR_WRITE,
        Call::Truncate => ffi::SQLITE_IOERR_TRUNCATE,
        _ => ffi::SQLITE_IOERR_FSYNC,
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
