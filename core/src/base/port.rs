//! The two ports through which the reading tower reaches the outside.
//!
//! The roof hands in the real ones (store and observe implement them); tests hand in those of this file.

#[cfg(test)]
use std::collections::BTreeMap;
#[cfg(test)]
use std::sync::Mutex;

use crate::error::Result;

/// Named append-only byte segments, each with a tip that guards its end: caches of history,
/// symbols and metrics.
pub trait Segments: Send + Sync {
    /// The segment's whole content and its tip; `None` where there is no such segment.
    fn read(&self, name: &str) -> Result<Option<(String, Vec<u8>)>>;

    /// Appends `bytes` and moves the tip from `expected` to `tip`, both or neither; `false` where
    /// the tip is not `expected` (`None`: the segment must not exist).
    fn append(&self, name: &str, expected: Option<&str>, tip: &str, bytes: &[u8]) -> Result<bool>;

    /// Replaces the whole segment, whatever its tip is.
    fn replace(&self, name: &str, tip: &str, bytes: &[u8]) -> Result<()>;
}

/// Takes reports of how far long work has come; must return at once.
pub trait Progress: Send + Sync {
    /// `done` of `total` (0 where unknown) `unit`s; `message` names the work, for example `history`.
    fn report(&self, done: u64, total: u64, unit: &str, message: &str);
}

/// Takes reports and forgets them.
#[cfg(test)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

#[cfg(test)]
impl Progress for Silent {
    fn report(&self, _: u64, _: u64, _: &str, _: &str) {}
}

/// Segments in memory, for tests.
#[cfg(test)]
#[derive(Debug, Default)]
pub struct Memory(Mutex<BTreeMap<String, (String, Vec<u8>)>>);

#[cfg(test)]
impl Memory {
    fn map(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (String, Vec<u8>)>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Segments for Memory {
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
