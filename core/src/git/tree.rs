//! Which files differ between two trees.

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

/// Appends the files that differ from tree `old` to tree `new`, sorted by path; an absent tree is
/// empty. `None` where a tree is not in this clone: what was found by then is kept.
pub(super) fn differing(
    reader: &mut Reader,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    found: &mut Vec<Differing>,
) -> Option<()> {
    walk(reader, old, new, &mut BString::default(), found)
}

fn walk(
    reader: &mut Reader,
    old: Option<ObjectId>,
    new: Option<ObjectId>,
    prefix: &mut BString,
    found: &mut Vec<Differing>,
) -> Option<()> {
    if old == new {
        return Some(());
    }
    let hash_len = old.or(new).map_or(20, |id| id.as_bytes().len());
    let old = old.map(|id| reader.tree(&id).ok_or(())).transpose().ok()?;
    let new = new.map(|id| reader.tree(&id).ok_or(())).transpose().ok()?;
    let (mut old, mut new) = (old.as_deref().unwrap_or_default(), new.as_deref().unwrap_or_default());
    loop {
        let (a, b) = (Entry::first(old, hash_len), Entry::first(new, hash_len));
        let order = match (&a, &b) {
            (None, None) => return (old.is_empty() && new.is_empty()).then_some(()),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => {
                if a.len == b.len && old[..a.len] == new[..b.len] {
                    (old, new) = (&old[a.len..], &new[b.len..]);
                    continue;
                }
                a.cmp(b)
            }
        };
        let a = a.filter(|_| order.is_le());
        let b = b.filter(|_| order.is_ge());
        old = &old[a.map_or(0, |entry| entry.len)..];
        new = &new[b.map_or(0, |entry| entry.len)..];
        let Some(name) = a.or(b).map(|entry| entry.name) else { continue };
        let length = prefix.len();
        prefix.extend_from_slice(name);
        let id = |entry: &Entry<'_>| ObjectId::from_bytes_or_panic(entry.id);
        let folder =
            |entry: Option<Entry<'_>>| entry.filter(|entry| entry.mode == FOLDER).map(|entry| id(&entry));
        let file = |entry: Option<Entry<'_>>| {
            entry
                .filter(|entry| entry.mode != FOLDER && entry.mode != GITLINK)
                .map(|entry| (entry.mode, id(&entry)))
        };
        let (old_file, new_file) = (file(a), file(b));
        if old_file != new_file {
            found.push(Differing { path: prefix.clone(), old: old_file, new: new_file });
        }
        let (old_folder, new_folder) = (folder(a), folder(b));
        if old_folder.is_some() || new_folder.is_some() {
            prefix.push(b'/');
            walk(reader, old_folder, new_folder, prefix, found)?;
        }
        prefix.truncate(length);
    }
}
