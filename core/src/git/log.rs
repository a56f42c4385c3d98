//! The log of history: one record per commit, append-only, with its own dictionary of paths and
//! authors, in chunks that each carry a checksum.
//!
//! A chunk is `BGH1`, the payload's length (u32, little-endian), the first 16 bytes of the
//! payload's SHA-256, and the payload: numbers are LEB128, signed ones zigzag.
//!
//! ```text
//! payload  id_bytes, paths, authors, commits
//! paths    count, then per path: bytes shared with the path before it, length of the rest, the rest
//! authors  count, then 16 bytes each
//! commits  count, then per commit: id, flags, parents, time (less the time before), author, files
//! parents  count, then per parent: 0 and the id, or how many commits back in the log it stands
//! files    count, then per file: flags, path, [path before], added, deleted, before, [after]
//! ```

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use gix::ObjectId;
use gix::bstr::{BStr, BString};
use sha2::Digest;

use super::diff::{Counts, Delta};
use super::read::AuthorKey;
use crate::error::{Error, Result};

/// The commit has more than one parent: it takes part in the order and has no changes.
pub(super) const MERGE: u8 = 1;
/// The message says that the commit is a fix.
pub(super) const FIX: u8 = 2;
/// The first parent is not in the clone that the record was made in: the changes are unknown.
pub(super) const BOUNDARY: u8 = 4;
/// Some objects were not in the clone that the record was made in: counts or files are missing.
pub(super) const GAP: u8 = 8;

const RENAMED: u8 = 0x80;
const MAGIC: &[u8; 4] = b"BGH1";
const HEAD: usize = 4 + 4 + 16;

/// No path: the file was not renamed.
pub(super) const NONE: u32 = u32::MAX;

/// A commit's record before it is in the log.
#[derive(Clone, Debug)]
pub(super) struct NewCommit {
    pub id: ObjectId,
    pub parents: Vec<ObjectId>,
    pub time: i64,
    pub author: AuthorKey,
    pub flags: u8,
    pub delta: Delta,
}

/// A commit's record.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub id: ObjectId,
    pub time: i64,
    pub author: u32,
    pub flags: u8,
    parents: (u32, u32),
    files: (u32, u32),
}

impl Commit {
    pub fn is_merge(&self) -> bool {
        self.flags & MERGE != 0
    }

    /// Whether its changes are not (all) known.
    pub fn is_gap(&self) -> bool {
        self.flags & (BOUNDARY | GAP) != 0
    }
}

/// One touched file of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touched {
    pub path: u32,
    /// The path before, or [`NONE`].
    pub from: u32,
    pub counts: Counts,
}

/// A path's place: the path itself, its subsystem and its directory, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub subsystem: u32,
    pub directory: u32,
}

/// Ids are random already: their first bytes serve as the hash.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if bytes.len() >= 8 {
            let mut first = [0; 8];
            first.copy_from_slice(&bytes[..8]);
            self.0 ^= u64::from_le_bytes(first);
        }
    }

    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

pub(super) type IdMap<T> = HashMap<ObjectId, T, BuildHasherDefault<IdHasher>>;

/// Names that got numbers.
#[derive(Clone, Debug, Default)]
struct Names {
    by_name: HashMap<BString, u32>,
}

impl Names {
    fn get(&self, name: &[u8]) -> Option<u32> {
        self.by_name.get(BStr::new(name)).copied()
    }

    fn intern(&mut self, name: &[u8]) -> u32 {
        let next = self.by_name.len() as u32;
        if let Some(known) = self.get(name) {
            return known;
        }
        self.by_name.insert(BString::from(name), next);
        next
    }
}

/// The log in memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    by_id: IdMap<u32>,
    commits: Vec<Commit>,
    parents: Vec<ObjectId>,
    files: Vec<Touched>,
    paths: Names,
    /// Paths by number.
    path_list: Vec<BString>,
    places: Vec<Place>,
    subsystems: Names,
    directories: Names,
    authors: Vec<AuthorKey>,
    by_author: HashMap<AuthorKey, u32>,
    /// The checksum of the last chunk, hexadecimal; empty where there is none.
    checksum: String,
}

/// A path's first component and its folder; both empty in the root.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let slash = |at: Option<usize>| at.map_or(&[][..], |at| &path[..at]);
    (slash(path.iter().position(|byte| *byte == b'/')), slash(path.iter().rposition(|byte| *byte == b'/')))
}

impl Log {
    /// How many records there are, replaced ones included.
    pub fn len(&self) -> usize {
        self.commits.len()
    }

    /// How many paths have a number.
    pub fn paths(&self) -> usize {
        self.path_list.len()
    }

    /// How many authors have a number.
    pub fn authors(&self) -> usize {
        self.authors.len()
    }

    /// The newest record of a commit.
    pub fn find(&self, id: &ObjectId) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    pub fn commit(&self, at: u32) -> &Commit {
        &self.commits[at as usize]
    }

    pub fn parents_of(&self, at: u32) -> &[ObjectId] {
        let (from, count) = self.commits[at as usize].parents;
        &self.parents[from as usize..(from + count) as usize]
    }

    pub fn files_of(&self, at: u32) -> &[Touched] {
        let (from, count) = self.commits[at as usize].files;
        &self.files[from as usize..(from + count) as usize]
    }

    pub fn path(&self, number: u32) -> &BString {
        &self.path_list[number as usize]
    }

    pub fn place(&self, path: u32) -> Place {
        self.places[path as usize]
    }

    pub fn path_number(&self, path: &[u8]) -> Option<u32> {
        self.paths.get(path)
    }

    pub fn subsystem_number(&self, name: &[u8]) -> Option<u32> {
        self.subsystems.get(name)
    }

    pub fn author_key(&self, number: u32) -> AuthorKey {
        self.authors[number as usize]
    }

    pub fn author_number(&self, key: &AuthorKey) -> Option<u32> {
        self.by_author.get(key).copied()
    }

    /// A name for this state of the log, as a segment's tip.
    pub fn tip(&self) -> String {
        format!("{}:{}", self.commits.len(), self.checksum)
    }

    fn add_path(&mut self, path: &[u8]) -> u32 {
        let number = self.paths.intern(path);
        if number as usize == self.path_list.len() {
            let (subsystem, directory) = split(path);
            let place = Place {
                subsystem: self.subsystems.intern(subsystem),
                directory: self.directories.intern(directory),
            };
            self.path_list.push(BString::from(path));
            self.places.push(place);
        }
        number
    }

    fn add_author(&mut self, key: AuthorKey) -> u32 {
        let next = self.authors.len() as u32;
        *self.by_author.entry(key).or_insert_with(|| {
            self.authors.push(key);
            next
        })
    }

    /// Adds the records and gives back the chunk that says so.
    ///
    /// Records whose parents come before them take the least room.
    pub fn extend(&mut self, commits: &[NewCommit]) -> Vec<u8> {
        let (known_paths, known_authors, first) =
            (self.path_list.len(), self.authors.len(), self.commits.len());
        let mut paths: Vec<&BString> = commits
            .iter()
            .flat_map(|commit| &commit.delta.files)
            .flat_map(|file| [Some(&file.path), file.from.as_ref()])
            .flatten()
            .collect();
        paths.sort_unstable();
        paths.dedup();
        for path in paths {
            self.add_path(path);
        }
        for commit in commits {
            let author = self.add_author(commit.author);
            let files_from = self.files.len() as u32;
            for file in &commit.delta.files {
                let number = |log: &Log, path: &BString| log.path_number(path).unwrap_or(NONE);
                let (path, from) =
                    (number(self, &file.path), file.from.as_ref().map_or(NONE, |from| number(self, from)));
                self.files.push(Touched { path, from, counts: file.counts });
            }
            let files = (files_from, self.files.len() as u32 - files_from);
            self.push(commit.id, &commit.parents, commit.time, author, commit.flags, files);
        }
        let payload = self.encode(first, known_paths, known_authors);
        self.seal(&payload)
    }

    fn push(
        &mut self,
        id: ObjectId,
        parents: &[ObjectId],
        time: i64,
        author: u32,
        flags: u8,
        files: (u32, u32),
    ) {
        let parents_from = self.parents.len() as u32;
        self.parents.extend_from_slice(parents);
        self.by_id.insert(id, self.commits.len() as u32);
        self.commits.push(Commit {
            id,
            time,
            author,
            flags,
            parents: (parents_from, parents.len() as u32),
            files,
        });
    }

    fn encode(&self, first: usize, known_paths: usize, known_authors: usize) -> Vec<u8> {
        let mut out = Writer(Vec::new());
        out.number(self.commits.get(first).map_or(20, |commit| commit.id.as_bytes().len() as u64));
        out.number((self.path_list.len() - known_paths) as u64);
        let mut before: &[u8] = &[];
        for path in &self.path_list[known_paths..] {
            let shared = before.iter().zip(path.iter()).take_while(|(a, b)| a == b).count();
            out.number(shared as u64);
            out.number((path.len() - shared) as u64);
            out.0.extend_from_slice(&path[shared..]);
            before = path;
        }
        out.number((self.authors.len() - known_authors) as u64);
        self.authors[known_authors..].iter().for_each(|author| out.0.extend_from_slice(author));
        out.number((self.commits.len() - first) as u64);
        let mut time = 0;
        for (at, commit) in self.commits.iter().enumerate().skip(first) {
            out.0.extend_from_slice(commit.id.as_bytes());
            out.0.push(commit.flags);
            let parents = self.parents_of(at as u32);
            out.number(parents.len() as u64);
            for parent in parents {
                match self.find(parent).filter(|known| (*known as usize) < at) {
                    Some(known) => out.number((at - known as usize) as u64),
                    None => {
                        out.number(0);
                        out.0.extend_from_slice(parent.as_bytes());
                    }
                }
            }
            out.signed(commit.time.wrapping_sub(time));
            time = commit.time;
            out.number(u64::from(commit.author));
            let files = self.files_of(at as u32);
            out.number(files.len() as u64);
            for file in files {
                let renamed = file.from != NONE;
                out.0.push(file.counts.flags | if renamed { RENAMED } else { 0 });
                out.number(u64::from(file.path));
                if renamed {
                    out.number(u64::from(file.from));
                }
                out.number(u64::from(file.counts.added));
                out.number(u64::from(file.counts.deleted));
                out.number(u64::from(file.counts.before));
                if renamed {
                    out.number(u64::from(file.counts.after));
                }
            }
        }
        out.0
    }

    fn seal(&mut self, payload: &[u8]) -> Vec<u8> {
        let digest = &sha2::Sha256::digest(payload)[..16];
        self.checksum = crate::base::id::hex(digest);
        let mut chunk = Vec::with_capacity(HEAD + payload.len());
        chunk.extend_from_slice(MAGIC);
        // A chunk of 4 GiB would be some hundred million file changes in one append.
        chunk.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
        chunk.extend_from_slice(digest);
        chunk.extend_from_slice(payload);
        chunk
    }

    /// Reads chunks until the end or the first damage; gives back how many bytes were sound.
    pub fn read(bytes: &[u8]) -> (Log, usize) {
        let mut log = Log::default();
        let mut sound = 0;
        while let Some((payload, digest)) = chunk(&bytes[sound..]) {
            // Decoded into a copy only where it could fail: a sound checksum means that we wrote it.
            if log.decode(payload).is_none() {
                // Not ours after all: what was read of it is dropped with the rest.
                let (log, _) = Log::read(&bytes[..sound]);
                return (log, sound);
            }
            log.checksum = crate::base::id::hex(digest);
            sound += HEAD + payload.len();
        }
        (log, sound)
    }

    fn decode(&mut self, payload: &[u8]) -> Option<()> {
        let mut input = Input(payload);
        let id_bytes = usize::try_from(input.number()?).ok().filter(|bytes| matches!(bytes, 20 | 32))?;
        let mut path = Vec::new();
        for _ in 0..input.number()? {
            path.truncate(usize::try_from(input.number()?).ok().filter(|shared| *shared <= path.len())?);
            let rest = usize::try_from(input.number()?).ok()?;
            path.extend_from_slice(input.take(rest)?);
            let number = self.path_list.len();
            (self.add_path(&path) as usize == number).then_some(())?;
        }
        for _ in 0..input.number()? {
            let key: AuthorKey = input.take(16)?.try_into().ok()?;
            self.add_author(key);
        }
        let mut time = 0i64;
        let mut parents = Vec::new();
        for _ in 0..input.number()? {
            let id = ObjectId::try_from(input.take(id_bytes)?).ok()?;
            let flags = input.take(1)?[0];
            parents.clear();
            for _ in 0..input.number()? {
                parents.push(match usize::try_from(input.number()?).ok()? {
                    0 => ObjectId::try_from(input.take(id_bytes)?).ok()?,
                    back => self.commits.get(self.commits.len().checked_sub(back)?)?.id,
                });
            }
            time = time.wrapping_add(input.signed()?);
            let author = u32::try_from(input.number()?)
                .ok()
                .filter(|author| (*author as usize) < self.authors.len())?;
            let files_from = self.files.len() as u32;
            for _ in 0..input.number()? {
                let flags = input.take(1)?[0];
                let renamed = flags & RENAMED != 0;
                let known = |number: u32| ((number as usize) < self.path_list.len()).then_some(number);
                let path = input.small().and_then(known)?;
                let from = if renamed { input.small().and_then(known)? } else { NONE };
                let counts = Counts {
                    added: input.small()?,
                    deleted: input.small()?,
                    before: input.small()?,
                    after: if renamed { input.small()? } else { 0 },
                    flags: flags & !RENAMED,
                };
                self.files.push(Touched { path, from, counts });
            }
            let files = (files_from, self.files.len() as u32 - files_from);
            self.push(id, &parents, time, author, flags, files);
        }
        input.0.is_empty().then_some(())
    }

    /// The record as it was before it came into the log.
    pub fn restore(&self, at: u32) -> NewCommit {
        let commit = self.commit(at);
        let file = |file: &Touched| super::diff::Measured {
            path: self.path(file.path).clone(),
            from: (file.from != NONE).then(|| self.path(file.from).clone()),
            counts: file.counts,
        };
        NewCommit {
            id: commit.id,
            parents: self.parents_of(at).to_vec(),
            time: commit.time,
            author: self.author_key(commit.author),
            flags: commit.flags,
            delta: Delta {
                files: self.files_of(at).iter().map(file).collect(),
                gap: commit.flags & GAP != 0,
            },
        }
    }
}

/// The payload and checksum of the chunk at the start; `None` where it is damaged or absent.
fn chunk(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = bytes.get(..HEAD)?;
    let length = u32::from_le_bytes(head.get(4..8)?.try_into().ok()?) as usize;
    let payload = bytes.get(HEAD..HEAD.checked_add(length)?)?;
    let digest = &head[8..HEAD];
    (head.starts_with(MAGIC) && sha2::Sha256::digest(payload)[..16] == *digest).then_some((payload, digest))
}

/// The error for records that are not what they claim to be.
pub(super) fn damaged(what: &str) -> Error {
    Error::new(
        "git.pack_format",
        format!("{what} is damaged or is no history pack; write it again with git.history_export"),
    )
}

/// Checks that `bytes` are sound chunks to the last byte.
pub(super) fn read_whole(bytes: &[u8], what: &str) -> Result<Log> {
    let (log, sound) = Log::read(bytes);
    if sound == bytes.len() { Ok(log) } else { Err(damaged(what)) }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn signed(&mut self, value: i64) {
        self.number((value.wrapping_shl(1) ^ (value >> 63)) as u64);
    }
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn signed(&mut self) -> Option<i64> {
        let value = self.number()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::diff::Measured;

    fn id(byte: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[byte; 20])
    }

    fn commit(byte: u8, parents: &[u8], files: &[(&str, Option<&str>)]) -> NewCommit {
        let file = |(path, from): &(&str, Option<&str>)| Measured {
            path: (*path).into(),
            from: from.map(BString::from),
            counts: Counts {
                added: 300,
                deleted: 2,
                before: 70_000,
                after: if from.is_some() { 9 } else { 0 },
                flags: 1,
            },
        };
        NewCommit {
            id: id(byte),
            parents: parents.iter().map(|byte| id(*byte)).collect(),
            time: 1_500_000_000 - i64::from(byte) * 1000,
            author: [byte; 16],
            flags: FIX,
            delta: Delta { files: files.iter().map(file).collect(), gap: false },
        }
    }

    #[test]
    fn chunks_read_back_as_written() {
        let mut log = Log::default();
        let mut bytes =
            log.extend(&[commit(1, &[], &[("a/b", None)]), commit(2, &[1, 9], &[("a/c", Some("a/b"))])]);
        bytes.extend(log.extend(&[commit(3, &[2], &[("a/c", None), ("d", None)])]));
        let (again, sound) = Log::read(&bytes);
        assert_eq!(sound, bytes.len());
        assert_eq!(again.tip(), log.tip());
        for at in 0..3 {
            let (old, new) = (log.restore(at), again.restore(at));
            assert_eq!(
                (old.id, old.parents, old.time, old.author, old.flags),
                (new.id, new.parents, new.time, new.author, new.flags)
            );
            assert_eq!(old.delta.files, new.delta.files);
        }
        assert_eq!(again.path_number(b"d"), log.path_number(b"d"));
    }

    #[test]
    fn damage_anywhere_is_seen() {
        let mut log = Log::default();
        let first = log.extend(&[commit(1, &[], &[("a", None)])]);
        let mut bytes = first.clone();
        bytes.extend(log.extend(&[commit(2, &[1], &[("b", None)])]));
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x40;
            let (read, sound) = Log::read(&bad);
            assert!(sound < bad.len(), "{at}");
            assert_eq!(read.len(), usize::from(at >= first.len()), "{at}");
        }
        assert_eq!(Log::read(&bytes[..bytes.len() - 1]).0.len(), 1);
    }
}
