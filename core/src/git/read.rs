//! Objects: one thread's reader with its caches, and commits as far as history needs them.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

use gix::ObjectId;
use gix::bstr::BString;
use gix::objs::{Find, Kind};
use sha2::Digest;

use super::lines;
use super::log::Signature;
use super::objects::{Objects, Packs};

/// Beyond this size git calls every file binary without looking.
pub(super) const BIG_FILE: u64 = 512 << 20;

/// Bytes of a name or an address that are kept; no person has a longer one.
const LONGEST: usize = 1024;

/// A buffer that one large object has grown beyond this is given back.
const KEEP_BUFFER: usize = 16 << 20;

/// One version of a file.
#[derive(Debug)]
pub(super) struct Blob {
    /// The bytes; empty where the file is beyond the limit of size.
    pub data: Arc<Vec<u8>>,
    /// Whether git calls it binary.
    pub binary: bool,
    /// Lines; 0 where binary.
    pub lines: u32,
}

/// Reads objects of one repository on one thread.
pub(super) struct Reader {
    repo: gix::Repository,
    /// Straight from the packs, where a whole history is read.
    packed: Option<Objects>,
    buffer: Vec<u8>,
    /// The last versions of files that were asked for: one change's new version is the next one's old.
    recent: VecDeque<(ObjectId, Arc<Blob>)>,
}

/// Versions of files at hand.
const RECENT: usize = 4;

impl Reader {
    /// A reader of its own thread.
    pub fn new(repo: gix::Repository) -> Self {
        Reader { repo, packed: None, buffer: Vec::new(), recent: VecDeque::with_capacity(RECENT) }
    }

    /// A reader for a whole history, which keeps about `bytes` of what it has read.
    pub fn of_history(repo: gix::Repository, packs: Option<&Arc<Packs>>, bytes: usize) -> Self {
        let packed = packs.map(|packs| Objects::new(Arc::clone(packs), bytes));
        Reader { packed, ..Reader::new(repo) }
    }

    /// The same reader, which does not look for new packs each time that an object is not there.
    pub fn without_refresh(mut self) -> Self {
        self.repo.objects.refresh_never();
        self
    }

    /// The object's bytes where it is in this clone, readable and of this kind.
    fn load(&mut self, id: &ObjectId, kind: Kind) -> Option<Arc<Vec<u8>>> {
        if let Some((found, data)) = self.packed.as_mut().and_then(|packed| packed.get(id)) {
            return (found == kind).then_some(data);
        }
        if self.buffer.capacity() > KEEP_BUFFER {
            self.buffer = Vec::new();
        }
        // What is too large to be read must not fill the memory.
        if self.size(id)? > BIG_FILE {
            return None;
        }
        match self.repo.objects.try_find(id, &mut self.buffer) {
            Ok(Some(found)) if found.kind == kind => Some(Arc::new(found.data.to_vec())),
            _ => None,
        }
    }

    /// A file's version; `None` where it is not in this clone or cannot be read.
    pub fn blob(&mut self, id: &ObjectId) -> Option<Arc<Blob>> {
        if let Some((_, blob)) = self.recent.iter().find(|(known, _)| known == id) {
            return Some(Arc::clone(blob));
        }
        let blob = match self.load(id, Kind::Blob) {
            Some(data) => {
                let binary = data.len() as u64 > BIG_FILE || lines::is_binary(&data);
                let lines = if binary { 0 } else { lines::count(&data) };
                Blob { data, binary, lines }
            }
            // Too large to be read is not the same as absent.
            None => match self.size(id) {
                Some(size) if size > BIG_FILE => Blob { data: Arc::default(), binary: true, lines: 0 },
                _ => return None,
            },
        };
        let blob = Arc::new(blob);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((*id, Arc::clone(&blob)));
        Some(blob)
    }

    /// A file's size in bytes, without its content where that can be had.
    pub fn size(&mut self, id: &ObjectId) -> Option<u64> {
        use gix::odb::HeaderExt as _;
        if let Some(size) = self.packed.as_mut().and_then(|packed| packed.size(id)) {
            return Some(size);
        }
        self.repo.objects.header(id).ok().map(|header| header.size())
    }

    /// A tree's bytes; `None` where it is not in this clone or cannot be read.
    pub fn tree(&mut self, id: &ObjectId) -> Option<Arc<Vec<u8>>> {
        if id.is_empty_tree() {
            return Some(Arc::default());
        }
        self.load(id, Kind::Tree)
    }

    /// A commit; `None` where it is not in this clone or cannot be read.
    pub fn commit(&mut self, id: &ObjectId) -> Option<CommitHead> {
        CommitHead::parse(&self.load(id, Kind::Commit)?)
    }
}

/// What history needs of a commit object.
#[derive(Clone, Debug)]
pub(super) struct CommitHead {
    /// The tree.
    pub tree: ObjectId,
    /// The parents, first one first.
    pub parents: Vec<ObjectId>,
    /// Committer time, seconds since the Unix epoch.
    pub time: i64,
    /// The author's e-mail address, lower-cased.
    pub author: String,
    /// The author as written.
    pub signature: Signature,
    /// When the author says that the change was made, seconds since the Unix epoch.
    pub author_time: i64,
    /// The whole message.
    pub message: Vec<u8>,
}

impl CommitHead {
    /// Reads what git can read; names and dates that are not well-formed are no reason to stop.
    pub fn parse(data: &[u8]) -> Option<CommitHead> {
        let mut tree = None;
        let mut parents = Vec::new();
        let (mut author, mut time): (Option<&[u8]>, Option<i64>) = (None, None);
        let mut rest = data;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = &rest[..end];
            rest = &rest[end + 1..];
            if line.is_empty() {
                break;
            }
            if let Some(hex) = line.strip_prefix(b"tree ") {
                tree = tree.or(ObjectId::from_hex(hex).ok());
            } else if let Some(hex) = line.strip_prefix(b"parent ") {
                parents.push(ObjectId::from_hex(hex).ok()?);
            } else if let Some(person) = line.strip_prefix(b"author ") {
                author = author.or(Some(person));
            } else if let Some(person) = line.strip_prefix(b"committer ") {
                time = time.or_else(|| Some(seconds(person)));
            }
        }
        let author = author.unwrap_or_default();
        Some(CommitHead {
            tree: tree?,
            parents,
            time: time.unwrap_or(0),
            author: email(author),
            signature: signature(author),
            author_time: seconds(author),
            message: rest.to_vec(),
        })
    }

    /// The first line of the message.
    pub fn title(&self) -> String {
        let text = String::from_utf8_lossy(&self.message);
        text.trim_start().lines().next().unwrap_or_default().trim_end().to_owned()
    }
}

/// What stands before the first `<`, and between it and the `>` after it.
fn name_and_email(person: &[u8]) -> (&[u8], &[u8]) {
    let open = person.iter().position(|byte| *byte == b'<');
    let mail = &person[open.map_or(person.len(), |at| at + 1)..];
    let close = mail.iter().position(|byte| *byte == b'>').unwrap_or(0);
    (person[..open.unwrap_or(0)].trim_ascii(), &mail[..close])
}

/// The address, lower-cased.
fn email(person: &[u8]) -> String {
    String::from_utf8_lossy(name_and_email(person).1).to_lowercase()
}

/// Name and address as written, each cut at [`LONGEST`].
fn signature(person: &[u8]) -> Signature {
    let (name, email) = name_and_email(person);
    let cut = |text: &[u8]| BString::from(&text[..text.len().min(LONGEST)]);
    Signature { name: cut(name), email: cut(email.trim_ascii()) }
}

/// The number after the last `>`.
fn seconds(person: &[u8]) -> i64 {
    let from = person.iter().rposition(|byte| *byte == b'>').map_or(0, |at| at + 1);
    let text = String::from_utf8_lossy(&person[from..]);
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// Sixteen bytes of the SHA-256 of a lower-cased e-mail address: the author, without the address.
pub(super) type AuthorKey = [u8; 16];

/// The key of an e-mail address.
pub(super) fn author_key(email: &str) -> AuthorKey {
    let digest = sha2::Sha256::digest(email.to_lowercase().as_bytes());
    let mut key = AuthorKey::default();
    key.copy_from_slice(&digest[..16]);
    key
}

/// Whether a message says that the commit is a fix.
pub(super) fn is_fix(message: &[u8]) -> bool {
    static FIX: LazyLock<regex::bytes::Regex> = LazyLock::new(|| {
        regex::bytes::Regex::new(
            r"(?i)\b(bug|bugs|bugfix|bugfixes|defect|defects|fix|fixes|fixed|fixing|patch|patches|patched)\b",
        )
        .unwrap_or_else(|error| panic!("the pattern of fixes does not compile: {error}"))
    });
    FIX.is_match(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_commits_are_read_as_git_reads_them() {
        let data = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor A <B@X.org>> 1 +0000\n\
            committer <> 12345 -0700\ngpgsig x\n author y\n\nFixes it\n\nbody\n";
        let commit = CommitHead::parse(data).unwrap();
        assert_eq!((commit.author.as_str(), commit.time), ("b@x.org", 12345));
        assert_eq!(commit.title(), "Fixes it");
        let written = Signature { name: "A".into(), email: "B@X.org".into() };
        assert_eq!((commit.signature, commit.author_time), (written, 1));
        assert!(commit.parents.is_empty());
        assert!(CommitHead::parse(b"garbage").is_none());
        assert_eq!(email(b"nobody"), "");
        assert_eq!(seconds(b"A <b> later"), 0);
    }

    #[test]
    fn fixes_are_whole_words() {
        assert!(is_fix(b"a Bug-fix") && is_fix(b"PATCHED\xff"));
        assert!(!is_fix(b"prefix suffixes debug") && !is_fix(b""));
    }
}
