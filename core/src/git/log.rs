//! The log of history: one record per commit, append-only, with its own dictionary of paths, authors
//! and signatures. How it is written stands in [`chunk`].

mod chunk;

pub(super) use chunk::{damaged, read_whole};

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use gix::ObjectId;
use gix::bstr::{BStr, BString};

use super::diff::{Counts, Delta};
use super::read::AuthorKey;
use super::shared::{List, Map, Slices, Span};

/// The commit has more than one parent: it takes part in the order and has no changes.
pub(super) const MERGE: u8 = 1;
/// The message says that the commit is a fix.
pub(super) const FIX: u8 = 2;
/// The first parent is not in the clone that the record was made in: the changes are unknown.
pub(super) const BOUNDARY: u8 = 4;
/// Some objects were not in the clone that the record was made in: counts or files are missing.
pub(super) const GAP: u8 = 8;
/// The record says which files were touched and by whom, and counts no lines.
pub(super) const LIGHT: u8 = 16;

/// No path: the file was not renamed. No signature: it is not known.
pub(super) const NONE: u32 = u32::MAX;

/// Who wrote a commit, as the commit says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Signature {
    /// The author's name, as written.
    pub name: BString,
    /// The author's e-mail address, as written.
    pub email: BString,
}

/// A commit's record before it is in the log.
#[derive(Clone, Debug)]
pub(super) struct NewCommit {
    pub id: ObjectId,
    pub parents: Vec<ObjectId>,
    pub time: i64,
    pub author: AuthorKey,
    /// Who and when, as the author says it; `None` where the record comes from a log without it.
    pub signature: Option<(Signature, i64)>,
    pub flags: u8,
    pub delta: Delta,
}

/// A commit's record.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub id: ObjectId,
    /// Committer time, seconds since the Unix epoch.
    pub time: i64,
    pub author: u32,
    pub flags: u8,
    /// [`NONE`] where it is not known.
    signature: u32,
    author_time: i64,
    parents: Span,
    files: Span,
}

impl Commit {
    pub fn is_merge(&self) -> bool {
        self.flags & MERGE != 0
    }

    /// Whether its lines were counted, as far as they could be.
    pub fn is_counted(&self) -> bool {
        self.flags & LIGHT == 0
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

/// A map of this time only.
pub(super) type IdTable<T> = HashMap<ObjectId, T, BuildHasherDefault<IdHasher>>;

/// A map whose clones share what they have in common.
type IdMap<T> = Map<ObjectId, T, BuildHasherDefault<IdHasher>>;

/// Names that got numbers, in the order in which they came.
#[derive(Clone, Debug, Default)]
struct Names {
    list: List<BString>,
    /// By hash; where two names have the same, the later one stands at the next free number.
    by_hash: Map<u64, u32, BuildHasherDefault<NumberHasher>>,
}

/// What serves as a hash already.
#[derive(Clone, Copy, Debug, Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Names {
    /// The number of a name, or the hash under which it can be put in.
    fn look_up(&self, name: &[u8]) -> std::result::Result<u32, u64> {
        static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let mut hash = KEYS.hash_one(name);
        while let Some(number) = self.by_hash.get(&hash) {
            if self.list[*number as usize] == name {
                return Ok(*number);
            }
            hash = hash.wrapping_add(1);
        }
        Err(hash)
    }

    fn get(&self, name: &[u8]) -> Option<u32> {
        self.look_up(name).ok()
    }

    fn intern(&mut self, name: &[u8]) -> u32 {
        self.look_up(name).unwrap_or_else(|hash| {
            let next = self.list.len() as u32;
            self.by_hash.insert(hash, next);
            self.list.push(BString::from(name));
            next
        })
    }
}

/// The log in memory. It only grows, and a clone costs next to nothing: numbers mean the same in
/// every clone that has them.
#[derive(Clone, Debug)]
pub(super) struct Log {
    /// The same for logs of which one was cloned from the other.
    lineage: u64,
    by_id: IdMap<u32>,
    commits: List<Commit>,
    parents: Slices<ObjectId>,
    files: Slices<Touched>,
    paths: Names,
    places: List<Place>,
    subsystems: Names,
    directories: Names,
    authors: List<AuthorKey>,
    by_author: Map<AuthorKey, u32>,
    /// By number: whose it is, and the signature.
    signatures: List<(u32, Signature)>,
    by_signature: Map<Signature, u32>,
    /// Records whose signature is not known.
    unsigned: usize,
    /// Records that took the place of another.
    replaced: usize,
    /// The checksum of the last chunk, hexadecimal; empty where there is none.
    checksum: String,
}

impl Default for Log {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Log {
            lineage: NEXT.fetch_add(1, Ordering::Relaxed),
            by_id: IdMap::default(),
            commits: List::default(),
            parents: Slices::default(),
            files: Slices::default(),
            paths: Names::default(),
            places: List::default(),
            subsystems: Names::default(),
            directories: Names::default(),
            authors: List::default(),
            by_author: Map::default(),
            signatures: List::default(),
            by_signature: Map::default(),
            unsigned: 0,
            replaced: 0,
            checksum: String::new(),
        }
    }
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
        self.paths.list.len()
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
        self.parents.get(self.commits[at as usize].parents)
    }

    pub fn files_of(&self, at: u32) -> &[Touched] {
        self.files.get(self.commits[at as usize].files)
    }

    pub fn path(&self, number: u32) -> &BString {
        &self.paths.list[number as usize]
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

    /// The author's name and e-mail address as the commit has them; `None` where they are not known,
    /// as the record comes from a log or pack of the first version.
    pub fn signature(&self, at: u32) -> Option<(&BStr, &BStr)> {
        let (_, signature) = self.signatures.get(self.commit(at).signature as usize)?;
        Some((BStr::new(&signature.name), BStr::new(&signature.email)))
    }

    /// A number for each signature as written, for tables by person; `None` where it is not known.
    pub fn signature_number(&self, at: u32) -> Option<u32> {
        Some(self.commit(at).signature).filter(|number| *number != NONE)
    }

    /// Whether any record's signature is not known.
    pub fn is_unsigned(&self) -> bool {
        self.unsigned > 0
    }

    /// Whether every number of `earlier` means the same here, and its records still stand.
    pub fn continues(&self, earlier: &Log) -> bool {
        self.lineage == earlier.lineage
            && self.commits.len() >= earlier.commits.len()
            && self.replaced == earlier.replaced
    }

    /// A name for this state of the log, as a segment's tip.
    pub fn tip(&self) -> String {
        format!("{}:{}", self.commits.len(), self.checksum)
    }

    fn add_path(&mut self, path: &[u8]) -> u32 {
        let number = self.paths.intern(path);
        if number as usize == self.places.len() {
            let (subsystem, directory) = split(path);
            let place = Place {
                subsystem: self.subsystems.intern(subsystem),
                directory: self.directories.intern(directory),
            };
            self.places.push(place);
        }
        number
    }

    fn add_author(&mut self, key: AuthorKey) -> u32 {
        if let Some(known) = self.author_number(&key) {
            return known;
        }
        let next = self.authors.len() as u32;
        self.authors.push(key);
        self.by_author.insert(key, next);
        next
    }

    fn add_signature(&mut self, author: u32, signature: &Signature) -> u32 {
        if let Some(known) = self.by_signature.get(signature) {
            return *known;
        }
        let next = self.signatures.len() as u32;
        self.signatures.push((author, signature.clone()));
        self.by_signature.insert(signature.clone(), next);
        next
    }

    /// Adds the records and gives back the chunk that says so.
    ///
    /// Records whose parents come before them take the least room.
    pub fn extend(&mut self, commits: &[NewCommit]) -> Vec<u8> {
        let known = self.mark();
        self.by_id.expect(commits.len());
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
        let mut touched = Vec::new();
        for commit in commits {
            let author = self.add_author(commit.author);
            let number = |path: &BString| self.path_number(path).unwrap_or(NONE);
            touched.clear();
            touched.extend(commit.delta.files.iter().map(|file| Touched {
                path: number(&file.path),
                from: file.from.as_ref().map_or(NONE, number),
                counts: file.counts,
            }));
            let files = self.files.push(&touched);
            let (signature, author_time) = match &commit.signature {
                Some((signature, time)) => (self.add_signature(author, signature), *time),
                None => (NONE, 0),
            };
            let record = Commit {
                id: commit.id,
                time: commit.time,
                author,
                flags: commit.flags,
                signature,
                author_time,
                parents: (0, 0),
                files,
            };
            self.push(record, &commit.parents);
        }
        let payload = self.encode(&known);
        self.seal(&payload)
    }

    fn push(&mut self, mut commit: Commit, parents: &[ObjectId]) {
        commit.parents = self.parents.push(parents);
        self.replaced += usize::from(self.find(&commit.id).is_some());
        self.by_id.insert(commit.id, self.commits.len() as u32);
        self.unsigned += usize::from(commit.signature == NONE);
        self.commits.push(commit);
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
            signature: self
                .signatures
                .get(commit.signature as usize)
                .map(|(_, signature)| (signature.clone(), commit.author_time)),
            flags: commit.flags,
            delta: Delta {
                files: self.files_of(at).iter().map(file).collect(),
                gap: commit.flags & GAP != 0,
            },
        }
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
            signature: (byte != 3).then(|| {
                let name = BString::from("A \u{e4}");
                (Signature { name, email: vec![b'A', byte, 0xff].into() }, -7)
            }),
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
            assert_eq!((&old.signature, old.signature.is_some()), (&new.signature, at < 2));
        }
        assert_eq!(again.path_number(b"d"), log.path_number(b"d"));
        assert_eq!(again.signature(1), Some((BStr::new("A \u{e4}"), BStr::new(b"A\x02\xff"))));
        assert_eq!((again.restore(1).signature.map(|(_, time)| time), again.signature(2)), (Some(-7), None));
        assert!(again.is_unsigned());
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
