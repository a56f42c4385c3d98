//! Which files differ between two trees.

use std::sync::Arc;

use gix::ObjectId;
use gix::bstr::BString;

use super::read::Reader;

/// Kind and permissions of a file as git keeps them.
pub(super) type Mode = u32;

/// A submodule: never a file to this library.
const GITLINK: Mode = 0o160_000;
const FOLDER: Mode = 0o040_000;

/// Whether a mode is that of a plain file (and not a symbolic link).
pub(super) fn is_regular(mode: Mode) -> bool {
    mode & 0o170_000 == 0o100_000
}

/// One version of a file: its mode and content.
pub(super) type Side = (Mode, ObjectId);

/// A file that differs: added where `old` is absent, deleted where `new` is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Differing {
    /// The path from the top.
    pub path: BString,
    /// The version before.
    pub old: Option<Side>,
    /// The version after.
    pub new: Option<Side>,
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    mode: Mode,
    name: &'a [u8],
    id: &'a [u8],
    /// Bytes of the whole entry.
    len: usize,
}

impl<'a> Entry<'a> {
    /// The first entry; `None` at the end, and where the rest is no tree.
    fn first(data: &'a [u8], hash_len: usize) -> Option<Entry<'a>> {
        let space = data.iter().take(8).position(|byte| *byte == b' ')?;
        let raw = data[..space].iter().try_fold(0u32, |mode, digit| match digit {
            b'0'..=b'7' => Some(mode << 3 | u32::from(digit - b'0')),
            _ => None,
        })?;
        let name_end = space + 1 + gix::bstr::ByteSlice::find_byte(&data[space + 1..], 0)?;
        let len = name_end + 1 + hash_len;
        let id = data.get(name_end + 1..len)?;
        // Old tools wrote other permissions; git reads them as one of two.
        let mode = match raw & 0o170_000 {
            0o100_000 if raw & 0o100 != 0 => 0o100_755,
            0o100_000 => 0o100_644,
            kind @ (0o120_000 | FOLDER) => kind,
            _ => GITLINK,
        };
        Some(Entry { mode, name: &data[space + 1..name_end], id, len })
    }

    /// The order of entries in a tree: as if a folder's name ended in `/`.
    fn cmp(&self, other: &Entry<'_>) -> std::cmp::Ordering {
        let common = self.name.len().min(other.name.len());
        let next = |entry: &Entry<'_>| match entry.name.get(common) {
            Some(byte) => *byte,
            None if entry.mode == FOLDER => b'/',
            None => 0,
        };
        self.name[..common].cmp(&other.name[..common]).then_with(|| next(self).cmp(&next(other)))
    }
}

/// Folders within folders that git reads, at most.
const DEEPEST: usize = 2048;

/// Files of one difference; more come from a tree that names the same folder over and over.
const MOST_FILES: usize = 1 << 19;

/// The two versions of one folder, as far as they are compared.
struct Level {
    old: Arc<Vec<u8>>,
    new: Arc<Vec<u8>>,
    old_at: usize,
    new_at: usize,
    /// Length of the folder's path.
    prefix: usize,
}

impl Level {
    /// Reads both versions; `None` where one is not in this clone.
    fn read(
        reader: &mut Reader,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
        prefix: usize,
    ) -> Option<Level> {
        let mut tree = |id: Option<ObjectId>| match id {
            Some(id) => reader.tree(&id),
            None => Some(Arc::default()),
        };
        Some(Level { old: tree(old)?, new: tree(new)?, old_at: 0, new_at: 0, prefix })
    }
}

/// Appends the files that differ from tree `old` to tree `new`, sorted by path; an absent tree is
/// empty. `None` where a tree is not in this clone or is none, or where the trees are beyond what
/// git itself would read: what was found by then is kept, unless it is too much.
pub(super) fn differing(
    reader: &mut Reader,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    found: &mut Vec<Differing>,
) -> Option<()> {
    if old == new {
        return Some(());
    }
    let hash_len = old.or(new).map_or(20, |id| id.as_bytes().len());
    let mut path = BString::default();
    let mut levels = vec![Level::read(reader, old, new, 0)?];
    while let Some(level) = levels.last_mut() {
        path.truncate(level.prefix);
        let (old, new) = (&level.old[level.old_at..], &level.new[level.new_at..]);
        let (a, b) = (Entry::first(old, hash_len), Entry::first(new, hash_len));
        let order = match (&a, &b) {
            (None, None) if old.is_empty() && new.is_empty() => {
                levels.pop();
                continue;
            }
            (None, None) => return None,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => {
                if a.len == b.len && old[..a.len] == new[..b.len] {
                    (level.old_at, level.new_at) = (level.old_at + a.len, level.new_at + b.len);
                    continue;
                }
                a.cmp(b)
            }
        };
        let a = a.filter(|_| order.is_le());
        let b = b.filter(|_| order.is_ge());
        let Some(name) = a.or(b).map(|entry| entry.name) else { continue };
        path.extend_from_slice(name);
        let id = |entry: &Entry<'_>| ObjectId::from_bytes_or_panic(entry.id);
        let folder =
            |entry: Option<Entry<'_>>| entry.filter(|entry| entry.mode == FOLDER).map(|entry| id(&entry));
        let file = |entry: Option<Entry<'_>>| {
            entry
                .filter(|entry| entry.mode != FOLDER && entry.mode != GITLINK)
                .map(|entry| (entry.mode, id(&entry)))
        };
        let (old_file, new_file) = (file(a), file(b));
        let (old_folder, new_folder) = (folder(a), folder(b));
        let lengths = (a.map_or(0, |entry| entry.len), b.map_or(0, |entry| entry.len));
        (level.old_at, level.new_at) = (level.old_at + lengths.0, level.new_at + lengths.1);
        if old_file != new_file {
            if found.len() == MOST_FILES {
                found.clear();
                return None;
            }
            found.push(Differing { path: path.clone(), old: old_file, new: new_file });
        }
        if old_folder != new_folder {
            if levels.len() == DEEPEST {
                return None;
            }
            path.push(b'/');
            levels.push(Level::read(reader, old_folder, new_folder, path.len())?);
        }
    }
    Some(())
}
