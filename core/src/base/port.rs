//! The three ports through which the reading tower reaches the outside.
//!
//! The roof hands in the real ones (store and observe implement them); tests hand in [`Memory`].

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::error::Result;

/// Named append-only byte segments, each with a tip that guards its end: caches of history,
/// symbols and metrics.
pub trait Segments: Send + Sync {
    /// The segment's tip, or `None` where there is no such segment.
    fn tip(&self, name: &str) -> Result<Option<String>>;

    /// The segment's whole content and its tip; `None` where there is no such segment.
    fn read(&self, name: &str) -> Result<Option<(String, Vec<u8>)>>;

    /// Appends `bytes` and moves the tip from `expected` to `tip`, both or neither; `false` where
    /// the tip is not `expected` (`None`: the segment must not exist).
    fn append(&self, name: &str, expected: Option<&str>, tip: &str, bytes: &[u8]) -> Result<bool>;

    /// Replaces the whole segment, whatever its tip is.
    fn replace(&self, name: &str, tip: &str, bytes: &[u8]) -> Result<()>;
}

/// Records that are appended and read after a cursor: outcomes, model versions, stored values.
pub trait Ledger: Send + Sync {
    /// Appends a record to `topic` and returns its sequence number, which only grows.
    fn append(&self, topic: &str, record: &[u8]) -> Result<u64>;

    /// At most `limit` records of `topic` with a sequence number above `after`, oldest first.
    fn after(&self, topic: &str, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>>;
}

/// Takes reports of how far long work has come; must return at once.
pub trait Progress: Send + Sync {
    /// `done` of `total` (0 where unknown) `unit`s; `message` names the work, for example `history`.
    fn report(&self, done: u64, total: u64, unit: &str, message: &str);
}

/// Takes reports and forgets them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _: u64, _: u64, _: &str, _: &str) {}
}

/// Segments in memory, for tests and for a work tree that cannot be written.
#[derive(Debug, Default)]
pub struct Memory(Mutex<BTreeMap<String, (String, Vec<u8>)>>);

impl Memory {
    fn map(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (String, Vec<u8>)>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Segments for Memory {
    fn tip(&self, name: &str) -> Result<Option<String>> {
        Ok(self.map().get(name).map(|(tip, _)| tip.clone()))
    }

    fn read(&self, name: &str) -> Result<Option<(String, Vec<u8>)>> {
        Ok(self.map().get(name).cloned())
    }

    fn append(&self, name: &str, expected: Option<&str>, tip: &str, bytes: &[u8]) -> Result<bool> {
        let mut map = self.map();
        if map.get(name).map(|(tip, _)| tip.as_str()) != expected {
            return Ok(false);
        }
        let entry = map.entry(name.to_owned()).or_default();
        tip.clone_into(&mut entry.0);
        entry.1.extend_from_slice(bytes);
        Ok(true)
    }

    fn replace(&self, name: &str, tip: &str, bytes: &[u8]) -> Result<()> {
        self.map().insert(name.to_owned(), (tip.to_owned(), bytes.to_vec()));
        Ok(())
    }
}
