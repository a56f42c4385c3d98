//! The diff between two trees, measured: lines per touched file, in both readings of renames.

use gix::ObjectId;
use gix::bstr::BString;

use super::read::{Blob, Reader};
use super::rename::{self, Pair};
use super::{lines, tree};

/// The version before is binary.
pub(super) const OLD_BINARY: u8 = 1;
/// The version after is binary.
pub(super) const NEW_BINARY: u8 = 2;
/// Contents are not in this clone: the counts are unknown and stand as 0.
pub(super) const UNREAD: u8 = 4;
/// Nobody has counted: the counts are unknown and stand as 0.
pub(super) const UNCOUNTED: u8 = 8;

/// Counts of one touched file.
///
/// A rename keeps the lines of both versions, so that the reading without renames (the old file
/// deleted, the new one added) needs no second look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Lines added.
    pub added: u32,
    /// Lines deleted.
    pub deleted: u32,
    /// Lines of the version before; 0 where there is none or it is binary.
    pub before: u32,
    /// Lines of the version after, kept for renames only.
    pub after: u32,
    /// [`OLD_BINARY`], [`NEW_BINARY`], [`UNREAD`].
    pub flags: u8,
}

impl Counts {
    /// Whether git shows the pair as binary.
    pub fn binary(&self) -> bool {
        self.flags & (OLD_BINARY | NEW_BINARY) != 0
    }
}

/// One touched file, measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Measured {
    /// The path (after the change, where it still exists).
    pub path: BString,
    /// The path before, where renamed.
    pub from: Option<BString>,
    /// The counts.
    pub counts: Counts,
}

/// What a diff found.
#[derive(Clone, Debug, Default)]
pub(super) struct Delta {
    /// The touched files, sorted by path.
    pub files: Vec<Measured>,
    /// Whether trees or contents were not in this clone: files or counts are missing.
    pub gap: bool,
}

/// The touched files from tree `old` to tree `new`, with renames, not measured; an absent tree is
/// empty. `false` where trees were not in this clone, or contents that decide on renames.
pub(super) fn pairs(reader: &mut Reader, old: Option<ObjectId>, new: Option<ObjectId>) -> (Vec<Pair>, bool) {
    let mut found = Vec::new();
    let whole = tree::differing(reader, old, new, &mut found).is_some();
    let (pairs, sure) = rename::detect(reader, found);
    (pairs, whole && sure)
}

/// The diff from tree `old` to tree `new`; an absent tree is empty.
pub(super) fn trees(reader: &mut Reader, old: Option<ObjectId>, new: Option<ObjectId>) -> Delta {
    let (pairs, whole) = pairs(reader, old, new);
    let mut delta = measure_pairs(reader, pairs);
    delta.gap |= !whole;
    delta
}

/// Finds renames among differing files and counts lines.
pub(super) fn measure(reader: &mut Reader, found: Vec<tree::Differing>) -> Delta {
    let (pairs, sure) = rename::detect(reader, found);
    let mut delta = measure_pairs(reader, pairs);
    delta.gap |= !sure;
    delta
}

fn measure_pairs(reader: &mut Reader, pairs: Vec<Pair>) -> Delta {
    let mut delta = Delta::default();
    for pair in pairs {
        let counts = counts(reader, &pair);
        delta.push(pair, counts);
    }
    delta
}

impl Delta {
    /// Adds a file with its counts.
    pub fn push(&mut self, pair: Pair, counts: Counts) {
        self.gap |= counts.flags & UNREAD != 0;
        self.files.push(Measured { path: pair.path, from: pair.from, counts });
    }
}

/// Counts the lines of one touched file.
pub(super) fn counts(reader: &mut Reader, pair: &Pair) -> Counts {
    let (old, new) = (pair.old.map(|side| side.1), pair.new.map(|side| side.1));
    let renamed = pair.from.is_some();
    let unread = Counts { flags: UNREAD, ..Counts::default() };
    let read = |reader: &mut Reader, id: Option<ObjectId>| match id {
        None => Some(None),
        Some(id) => reader.blob(&id).map(Some),
    };
    let Some(before) = read(reader, old) else { return unread };
    let after = if old == new { before.clone() } else { read(reader, new).unwrap_or_default() };
    if new.is_some() && after.is_none() {
        return unread;
    }
    let binary = |blob: Option<&Blob>| blob.is_some_and(|blob| blob.binary);
    let count = |blob: Option<&Blob>| blob.map_or(0, |blob| blob.lines);
    let (before, after) = (before.as_deref(), after.as_deref());
    let mut counts = Counts {
        before: count(before),
        after: if renamed { count(after) } else { 0 },
        flags: u8::from(binary(before)) * OLD_BINARY + u8::from(binary(after)) * NEW_BINARY,
        ..Counts::default()
    };
    if counts.binary() || old == new {
        return counts;
    }
    (counts.added, counts.deleted) = match (before, after) {
        (Some(before), Some(after)) => lines::changed(&before.data, &after.data),
        _ => (count(after), count(before)),
    };
    counts
}
