//! What was read before, by content: unchanged files cost a stat.

/// Results of analyses, in memory and in the store.
#[derive(Debug, Default)]
pub struct Cache;
