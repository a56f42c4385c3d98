//! How the log is written: chunks that each carry a checksum.
//!
//! A chunk is `BGH2`, the payload's length (u32, little-endian), the first 16 bytes of the
//! payload's SHA-256, and the payload: numbers are LEB128, signed ones zigzag.
//!
//! ```text
//! payload     id_bytes, paths, authors, signatures, commits
//! paths       count, then per path: bytes shared with the path before it, length of the rest, the rest
//! authors     count, then 16 bytes each
//! signatures  count, then per signature: author, length of the name, the name, the same of the address
//! commits     count, then per commit: id, flags, parents, time (less the time before), who, files
//! parents     count, then per parent: 0 and the id, or how many commits back in the log it stands
//! who         signature + 1 and author time (less the committer time), or 0 and the author
//! files       count, then per file: flags, path, [path before], added, deleted, before, [after]
//! ```
//!
//! `BGH1`, which the first release wrote, has no signatures, and as who the author alone.

use gix::ObjectId;
use gix::bstr::BString;
use sha2::Digest;

use super::{Commit, Counts, Log, NONE, Signature, Touched};
use crate::error::{Error, Result};
use crate::git::read::AuthorKey;

const RENAMED: u8 = 0x80;
const MAGIC: &[u8; 4] = b"BGH2";
const MAGIC_1: &[u8; 4] = b"BGH1";
const HEAD: usize = 4 + 4 + 16;

/// How much of a log there was: what comes after is new.
pub(super) struct Mark {
    commits: usize,
    paths: usize,
    authors: usize,
    signatures: usize,
}

impl Log {
    pub(super) fn mark(&self) -> Mark {
        Mark {
            commits: self.commits.len(),
            paths: self.paths(),
            authors: self.authors.len(),
            signatures: self.signatures.len(),
        }
    }

    /// The payload of what came after the mark.
    pub(super) fn encode(&self, known: &Mark) -> Vec<u8> {
        let first = known.commits;
        let mut out = Writer(Vec::new());
        out.number(self.commits.get(first).map_or(20, |commit| commit.id.as_bytes().len() as u64));
        out.number((self.paths() - known.paths) as u64);
        let mut before: &[u8] = &[];
        for path in self.paths.list.iter_from(known.paths) {
            let shared = before.iter().zip(path.iter()).take_while(|(a, b)| a == b).count();
            out.number(shared as u64);
            out.number((path.len() - shared) as u64);
            out.0.extend_from_slice(&path[shared..]);
            before = path;
        }
        out.number((self.authors.len() - known.authors) as u64);
        self.authors.iter_from(known.authors).for_each(|author| out.0.extend_from_slice(author));
        out.number((self.signatures.len() - known.signatures) as u64);
        for (author, signature) in self.signatures.iter_from(known.signatures) {
            out.number(u64::from(*author));
            for text in [&signature.name, &signature.email] {
                out.number(text.len() as u64);
                out.0.extend_from_slice(text);
            }
        }
        out.number((self.commits.len() - first) as u64);
        let mut time = 0;
        for (at, commit) in (first..).zip(self.commits.iter_from(first)) {
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
            if commit.signature == NONE {
                out.number(0);
                out.number(u64::from(commit.author));
            } else {
                out.number(u64::from(commit.signature) + 1);
                out.signed(commit.author_time.wrapping_sub(commit.time));
            }
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

    /// The payload as a chunk, which becomes the log's last one.
    pub(super) fn seal(&mut self, payload: &[u8]) -> Vec<u8> {
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
        while let Some((version, payload, digest)) = chunk(&bytes[sound..]) {
            // Decoded into a copy only where it could fail: a sound checksum means that we wrote it.
            if log.decode(version, payload).is_none() {
                // Not ours after all: what was read of it is dropped with the rest.
                let (log, _) = Log::read(&bytes[..sound]);
                return (log, sound);
            }
            log.checksum = crate::base::id::hex(digest);
            sound += HEAD + payload.len();
        }
        (log, sound)
    }

    fn decode(&mut self, version: u8, payload: &[u8]) -> Option<()> {
        let mut input = Input(payload);
        let id_bytes = usize::try_from(input.number()?).ok().filter(|bytes| matches!(bytes, 20 | 32))?;
        let mut path = Vec::new();
        for _ in 0..input.number()? {
            path.truncate(usize::try_from(input.number()?).ok().filter(|shared| *shared <= path.len())?);
            let rest = usize::try_from(input.number()?).ok()?;
            path.extend_from_slice(input.take(rest)?);
            let number = self.paths();
            (self.add_path(&path) as usize == number).then_some(())?;
        }
        for _ in 0..input.number()? {
            let key: AuthorKey = input.take(16)?.try_into().ok()?;
            self.add_author(key);
        }
        if version > 1 {
            for _ in 0..input.number()? {
                let author = input.small().filter(|author| (*author as usize) < self.authors.len())?;
                let mut text = || {
                    Some(BString::from(
                        usize::try_from(input.number()?).ok().and_then(|length| input.take(length))?,
                    ))
                };
                let signature = Signature { name: text()?, email: text()? };
                let number = self.signatures.len();
                (self.add_signature(author, &signature) as usize == number).then_some(())?;
            }
        }
        let mut time = 0i64;
        let (mut parents, mut touched) = (Vec::new(), Vec::new());
        let commits = input.number()?;
        self.by_id.expect(usize::try_from(commits).ok()?.min(payload.len()));
        for _ in 0..commits {
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
            let who = if version > 1 { input.number()? } else { 0 };
            let (author, signature, author_time) = match usize::try_from(who).ok()?.checked_sub(1) {
                None => (input.small().filter(|author| (*author as usize) < self.authors.len())?, NONE, 0),
                Some(signature) => {
                    let author = self.signatures.get(signature)?.0;
                    (author, signature as u32, time.wrapping_add(input.signed()?))
                }
            };
            touched.clear();
            for _ in 0..input.number()? {
                let flags = input.take(1)?[0];
                let renamed = flags & RENAMED != 0;
                let known = |number: u32| ((number as usize) < self.paths()).then_some(number);
                let path = input.small().and_then(known)?;
                let from = if renamed { input.small().and_then(known)? } else { NONE };
                let counts = Counts {
                    added: input.small()?,
                    deleted: input.small()?,
                    before: input.small()?,
                    after: if renamed { input.small()? } else { 0 },
                    flags: flags & !RENAMED,
                };
                touched.push(Touched { path, from, counts });
            }
            let files = self.files.push(&touched);
            let record = Commit { id, time, author, flags, signature, author_time, parents: (0, 0), files };
            self.push(record, &parents);
        }
        input.0.is_empty().then_some(())
    }
}

/// Version, payload and checksum of the chunk at the start; `None` where it is damaged or absent.
fn chunk(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let head = bytes.get(..HEAD)?;
    let length = u32::from_le_bytes(head.get(4..8)?.try_into().ok()?) as usize;
    let payload = bytes.get(HEAD..HEAD.checked_add(length)?)?;
    let digest = &head[8..HEAD];
    let version = match head.first_chunk::<4>()? {
        MAGIC => 2,
        MAGIC_1 => 1,
        _ => return None,
    };
    (sha2::Sha256::digest(payload)[..16] == *digest).then_some((version, payload, digest))
}

/// The error for records that are not what they claim to be.
pub(in crate::git) fn damaged(what: &str) -> Error {
    Error::new(
        "git.pack_format",
        format!("{what} is damaged or is no history pack; write it again with git.history_export"),
    )
}

/// Checks that `bytes` are sound chunks to the last byte.
pub(in crate::git) fn read_whole(bytes: &[u8], what: &str) -> Result<Log> {
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
