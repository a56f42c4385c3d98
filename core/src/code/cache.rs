//! What was read before: unchanged files cost a stat, known texts no parse.
//!
//! A catalogue says of each path what the system said of the file when it was last read, what kind
//! of file it is, and the hash of its content. Results are kept by content hash, so a moved file
//! keeps its own. Both rest in segments of the store; what is damaged there, or was written by
//! another version, is read anew. Nothing that is answered depends on it.

mod segment;

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::base::port::Segments;
use crate::base::shared::Shared;
use crate::code::scan::{Content, SourceFile, Stamp};
use segment::Segment;

/// Text whose results are kept in memory, in bytes: results take about as much as their text.
const KEPT_TEXT: u64 = 256 << 20;

/// Analyses whose results are kept in memory: rules of a user make a new one each time they change.
const KEPT_KINDS: usize = 12;

/// Results are written to the store in pieces of this many bytes, so that work that is cut short is
/// not lost and memory stays bounded.
const PIECE: usize = 2 << 20;

/// The first half of the SHA-256 of a text.
pub(super) type Hash = [u8; 16];

/// The hash of `text`.
pub(super) fn hash(text: &[u8]) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(&Sha256::digest(text)[..16]);
    hash
}

/// What is known of the file at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    /// What the system said of it.
    pub stamp: Stamp,
    /// Whether it was older than its reading by so much that another change would show in the stamp.
    pub settled: bool,
    /// Everything but its text that decides what it is.
    pub around: u64,
    /// What it is.
    pub content: Content,
    /// Its text; zeros where it has no language.
    pub hash: Hash,
}

/// What belongs to one text and one analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    kind: u64,
    hash: Hash,
    /// The same text is another in another language.
    form: u8,
}

impl Key {
    /// The bytes of a key in a segment.
    pub const SIZE: usize = 25;

    pub fn new(kind: u64, row: &Row) -> Key {
        Key { kind, hash: row.hash, form: row.content.form() }
    }

    pub fn bytes(&self) -> [u8; Key::SIZE] {
        let mut bytes = [0; Key::SIZE];
        bytes[..8].copy_from_slice(&self.kind.to_le_bytes());
        bytes[8..24].copy_from_slice(&self.hash);
        bytes[24] = self.form;
        bytes
    }

    pub fn read(bytes: &[u8; Key::SIZE]) -> Key {
        let mut kind = [0; 8];
        let mut hash = Hash::default();
        kind.copy_from_slice(&bytes[..8]);
        hash.copy_from_slice(&bytes[8..24]);
        Key { kind: u64::from_le_bytes(kind), hash, form: bytes[24] }
    }
}

/// The number of an analysis: its name, its settings, and this version of the library.
pub(super) fn kind_number(kind: &str) -> u64 {
    let digest = Sha256::digest(format!("{kind}\0{}", env!("CARGO_PKG_VERSION")));
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Results of analyses, in memory and in the store.
#[derive(Debug, Default)]
pub struct Cache(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether the catalogue in the store was read.
    is_read: bool,
    catalogue: Segment,
    files: HashMap<Box<str>, Known>,
    /// Paths whose rows are not in the store.
    changed: HashSet<Box<str>>,
    /// Segments of results by the analysis' name.
    results: HashMap<String, Results>,
    /// Analyses with results in memory, the one used last at the end.
    kinds: Vec<u64>,
}

#[derive(Debug)]
struct Known {
    row: Row,
    file: Option<Shared<SourceFile>>,
    done: Vec<(u64, Arc<dyn Any + Send + Sync>)>,
}

/// One segment of results.
#[derive(Debug, Default)]
struct Results {
    is_read: bool,
    segment: Segment,
    /// What it holds.
    keys: HashSet<Key>,
}

/// What is known of one file before it is looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered {
    /// Its row, where the stamp is the same and can be trusted.
    pub row: Option<Row>,
    /// The file as answers have it.
    pub file: Option<Shared<SourceFile>>,
    /// Its result.
    pub done: Option<Arc<dyn Any + Send + Sync>>,
    /// Its row even where it must be read again, for the result beside it.
    pub before: Option<(Row, Option<Arc<dyn Any + Send + Sync>>)>,
}

impl Cache {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of the files of these paths, stamps and surroundings.
    pub(super) fn look_up<'a>(
        &self,
        segments: Option<&dyn Segments>,
        kind: u64,
        files: impl Iterator<Item = (&'a str, &'a Stamp, u64)>,
    ) -> Vec<Remembered> {
        let mut state = self.state();
        state.read(segments);
        state.use_kind(kind);
        files
            .map(|(path, stamp, around)| {
                let Some(known) = state.files.get(path) else { return Remembered::default() };
                let done = || {
                    known.done.iter().find(|(number, _)| *number == kind).map(|(_, done)| Arc::clone(done))
                };
                let is_same = known.row.stamp == *stamp && known.row.around == around;
                if is_same && known.row.settled {
                    Remembered {
                        row: Some(known.row.clone()),
                        file: known.file.clone(),
                        done: done(),
                        before: None,
                    }
                } else {
                    Remembered { before: Some((known.row.clone(), done())), ..Remembered::default() }
                }
            })
            .collect()
    }

    /// The results that the store has for these keys, as bytes to be taken apart.
    pub(super) fn stored(
        &self,
        segments: Option<&dyn Segments>,
        name: &str,
        kind: u64,
        wanted: &[Key],
    ) -> Stored {
        let Some(segments) = segments else { return Stored::default() };
        let mut state = self.state();
        let State { files, results, .. } = &mut *state;
        let results = results.entry(name.to_owned()).or_default();
        // Nothing but the names of what it holds stays in memory.
        if results.is_read && !wanted.iter().any(|key| results.keys.contains(key)) {
            return Stored::default();
        }
        let (segment, records) = segment::read_records(segments, &segment_name(name));
        results.segment = segment;
        if !std::mem::replace(&mut results.is_read, true) {
            let live: HashSet<&Hash> = files.values().map(|known| &known.row.hash).collect();
            let is_live = |key: &Key| key.kind == kind && live.contains(&key.hash);
            segment::prune(segments, &segment_name(name), &mut results.segment, &records, is_live);
        }
        results.keys = records.keys().copied().collect();
        Stored(records)
    }

    /// Keeps what was found out about files.
    pub(super) fn remember(&self, kind: u64, found: Vec<Found>) {
        let mut state = self.state();
        let State { files, changed, .. } = &mut *state;
        let text = |known: &Known| if known.done.is_empty() { 0 } else { known.row.stamp.size };
        let mut kept: u64 = files.values().map(text).sum();
        for Found { path, row, file, done } in found {
            let known = files.entry(path.as_str().into()).or_insert_with(|| {
                changed.insert(path.as_str().into());
                Known { row: row.clone(), file: None, done: Vec::new() }
            });
            kept -= text(known);
            if known.row.hash != row.hash || known.row.content != row.content {
                known.done.clear();
            }
            if known.row != row {
                changed.insert(path.into());
                known.row = row;
            }
            known.file = file;
            if let Some(done) = done
                && kept + known.row.stamp.size <= KEPT_TEXT
            {
                known.done.retain(|(number, _)| *number != kind);
                known.done.push((kind, done));
            }
            kept += text(known);
        }
    }

    /// Forgets paths below the top that are not among those that a walk of everything has met.
    pub(super) fn retain(&self, met: &HashSet<&str>) {
        let mut state = self.state();
        state.files.retain(|path, _| met.contains(&**path) || path.starts_with('/'));
        let State { files, changed, .. } = &mut *state;
        changed.retain(|path| files.contains_key(path));
    }

    /// Appends encoded results to the store.
    pub(super) fn keep(&self, segments: &dyn Segments, name: &str, piece: &mut Piece) {
        if piece.keys.is_empty() {
            return;
        }
        let mut state = self.state();
        let results = state.results.entry(name.to_owned()).or_default();
        results.segment.append(segments, &segment_name(name), &piece.bytes);
        results.keys.extend(piece.keys.drain(..));
        piece.bytes.clear();
    }

    /// Writes the rows of the catalogue that the store lacks.
    pub(super) fn save(&self, segments: &dyn Segments) {
        let mut state = self.state();
        if state.changed.is_empty() {
            return;
        }
        let State { files, changed, catalogue, .. } = &mut *state;
        catalogue.note_rows(files.len());
        let rows: Vec<(&str, &Row)> = changed
            .iter()
            .filter_map(|path| files.get_key_value(path))
            .map(|(path, known)| (&**path, &known.row))
            .collect();
        catalogue.add_rows(segments, CATALOGUE, &rows, || {
            files.iter().map(|(path, known)| (&**path, &known.row)).collect()
        });
        changed.clear();
    }
}

/// Where the catalogue is kept.
const CATALOGUE: &str = "code/files/v1";

fn segment_name(name: &str) -> String {
    format!("code/{name}/v1")
}

impl State {
    fn read(&mut self, segments: Option<&dyn Segments>) {
        let Some(segments) = segments else { return };
        if std::mem::replace(&mut self.is_read, true) {
            return;
        }
        let (segment, rows) = segment::read_rows(segments, CATALOGUE);
        self.catalogue = segment;
        self.files = rows
            .into_iter()
            .map(|(path, row)| {
                let file = source_file(&path, &row);
                (path.into(), Known { row, file, done: Vec::new() })
            })
            .collect();
    }

    /// Makes `kind` the one used last, and forgets the results of the one not used for longest.
    fn use_kind(&mut self, kind: u64) {
        self.kinds.retain(|known| *known != kind);
        self.kinds.push(kind);
        if self.kinds.len() > KEPT_KINDS {
            let oldest = self.kinds.remove(0);
            for known in self.files.values_mut() {
                known.done.retain(|(number, _)| *number != oldest);
            }
        }
    }
}

/// The file as answers have it; `None` where it has no language.
pub(super) fn source_file(path: &str, row: &Row) -> Option<Shared<SourceFile>> {
    row.content.language.map(|language| {
        Shared::new(SourceFile {
            path: path.to_owned(),
            language,
            bytes: row.stamp.size,
            generated: row.content.generated,
        })
    })
}

/// What was found out about one file.
pub(super) struct Found {
    pub path: String,
    pub row: Row,
    pub file: Option<Shared<SourceFile>>,
    pub done: Option<Arc<dyn Any + Send + Sync>>,
}

/// Results on their way to the store.
#[derive(Debug, Default)]
pub(super) struct Piece {
    bytes: Vec<u8>,
    keys: Vec<Key>,
}

impl Piece {
    /// Adds a result.
    pub fn add<T: Serialize>(&mut self, key: Key, result: &T) {
        if segment::add_record(&mut self.bytes, &key, result) {
            self.keys.push(key);
        }
    }

    /// Whether it is time to write it.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= PIECE
    }
}

/// Results as the store has them.
#[derive(Debug, Default)]
pub(super) struct Stored(segment::Records);

impl Stored {
    /// The result for `key`; `None` where there is none that is sound.
    pub fn get<T: serde::de::DeserializeOwned>(&self, key: &Key) -> Option<T> {
        self.0.get(key)
    }
}
