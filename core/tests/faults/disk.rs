//! What may be on disk after the power was lost: a model of a file system that promises what POSIX
//! promises and nothing more.
//!
//! A sync of a file makes sure of everything written to it before, and of nothing else. What is not made
//! sure of may be there or not, piece by piece and in any order, and a piece may be there in part, in
//! sectors of 512 bytes. A name is made sure of by a sync of its folder, not by that of its file. Pieces
//! of which a sync has failed may be there or not for ever. Shared memory (`-shm`) is never there.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::record::Entry;

/// The unit that a disk writes whole.
pub const SECTOR: u64 = 512;

/// How much of a piece is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Whole,
    Nothing,
    /// The sectors whose bit is set, counted from the piece's first and again after 64.
    Sectors(u64),
}

/// The files of a folder by name.
pub type Image = BTreeMap<String, Vec<u8>>;

#[derive(Clone, Debug)]
enum What {
    Write { to: u64, data: Arc<[u8]> },
    Truncate { size: u64 },
}

#[derive(Clone, Debug)]
struct Piece {
    what: What,
    sure: bool,
    /// A sync of it has failed.
    doomed: bool,
}

#[derive(Clone, Debug, Default)]
struct File {
    /// What is sure to be there.
    base: Vec<u8>,
    /// What came after the first piece that is not.
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
struct Naming {
    name: String,
    /// `None` where the name goes away.
    file: Option<u32>,
}

/// Something that may be there or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loose {
    place: Place,
    /// A sync of it has failed.
    pub doomed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Naming(usize),
    Piece { file: u32, at: usize },
}

impl Loose {
    /// Whether it can be there in part.
    pub fn can_tear(&self) -> bool {
        matches!(self.place, Place::Piece { .. })
    }
}

/// The disk as far as a log goes.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    files: BTreeMap<u32, File>,
    names: BTreeMap<String, u32>,
    namings: Vec<Naming>,
}

impl Disk {
    /// Takes in what happened next.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Create { name, file } => {
                self.namings.push(Naming { name: name.clone(), file: Some(*file) });
            }
            Entry::Delete { name, folder } => {
                self.namings.push(Naming { name: name.clone(), file: None });
                if *folder {
                    self.sync_folder();
                }
            }
            Entry::Write { file, to, data } => {
                self.piece(*file, What::Write { to: *to, data: data.clone() });
            }
            Entry::Truncate { file, size } => self.piece(*file, What::Truncate { size: *size }),
            Entry::Sync { file, folder } => {
                self.files.entry(*file).or_default().sync();
                if *folder {
                    self.sync_folder();
                }
            }
            Entry::SyncFailed { file } => {
                let pieces = &mut self.files.entry(*file).or_default().pieces;
                pieces.iter_mut().filter(|piece| !piece.sure).for_each(|piece| piece.doomed = true);
            }
            Entry::Shared | Entry::Began(_) | Entry::Stood(_) => {}
        }
    }

    /// The disk after all of these.
    pub fn after(log: &[Entry]) -> Disk {
        let mut disk = Disk::default();
        log.iter().for_each(|entry| disk.apply(entry));
        disk
    }

    fn piece(&mut self, file: u32, what: What) {
        let file = self.files.entry(file).or_default();
        file.pieces.push(Piece { what, sure: false, doomed: false });
    }

    fn sync_folder(&mut self) {
        for naming in std::mem::take(&mut self.namings) {
            rename(&mut self.names, &naming);
        }
    }

    /// Everything that may be there or not.
    pub fn loose(&self) -> Vec<Loose> {
        let namings = (0..self.namings.len()).map(|at| Loose { place: Place::Naming(at), doomed: false });
        let pieces = self.files.iter().flat_map(|(&file, inside)| {
            let loose = inside.pieces.iter().enumerate().filter(|(_, piece)| !piece.sure);
            loose.map(move |(at, piece)| Loose { place: Place::Piece { file, at }, doomed: piece.doomed })
        });
        namings.chain(pieces).collect()
    }

    /// What is there where `keep` decides on everything that may be there or not.
    pub fn image(&self, mut keep: impl FnMut(Loose) -> Keep) -> Image {
        let mut names = self.names.clone();
        for (at, naming) in self.namings.iter().enumerate() {
            if keep(Loose { place: Place::Naming(at), doomed: false }) != Keep::Nothing {
                rename(&mut names, naming);
            }
        }
        let mut contents: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        for (&number, file) in &self.files {
            let mut bytes = file.base.clone();
            for (at, piece) in file.pieces.iter().enumerate() {
                let loose = Loose { place: Place::Piece { file: number, at }, doomed: piece.doomed };
                let kept = if piece.sure { Keep::Whole } else { keep(loose) };
                piece.what.apply(&mut bytes, kept);
            }
            contents.insert(number, bytes);
        }
        names
            .into_iter()
            .map(|(name, file)| (name, contents.get(&file).cloned().unwrap_or_default()))
            .collect()
    }

    /// The files by name as a program sees them before the power is lost.
    pub fn seen_names(&self) -> HashMap<String, u32> {
        let mut names = self.names.clone();
        self.namings.iter().for_each(|naming| rename(&mut names, naming));
        names.into_iter().collect()
    }

    /// A number that no file has.
    pub fn next_file(&self) -> u32 {
        let named = self.namings.iter().filter_map(|naming| naming.file);
        named
            .chain(self.names.values().copied())
            .chain(self.files.keys().copied())
            .max()
            .map_or(0, |last| last + 1)
    }
}

fn rename(names: &mut BTreeMap<String, u32>, naming: &Naming) {
    match naming.file {
        Some(file) => drop(names.insert(naming.name.clone(), file)),
        None => drop(names.remove(&naming.name)),
    }
}

impl File {
    fn sync(&mut self) {
        for piece in &mut self.pieces {
            piece.sure |= !piece.doomed;
        }
        let sure = self.pieces.iter().take_while(|piece| piece.sure).count();
        for piece in self.pieces.drain(..sure) {
            piece.what.apply(&mut self.base, Keep::Whole);
        }
    }
}

impl What {
    fn apply(&self, bytes: &mut Vec<u8>, keep: Keep) {
        match (self, keep) {
            (_, Keep::Nothing) => {}
            (What::Truncate { size }, _) => bytes.resize(*size as usize, 0),
            (What::Write { to, data }, Keep::Whole) => put(bytes, *to, data),
            (What::Write { to, data }, Keep::Sectors(set)) => {
                let (first, end) = (to / SECTOR, to + data.len() as u64);
                for sector in first..end.div_ceil(SECTOR) {
                    if set >> ((sector - first) % 64) & 1 == 1 {
                        let from = (sector * SECTOR).max(*to);
                        let until = ((sector + 1) * SECTOR).min(end);
                        put(bytes, from, &data[(from - to) as usize..(until - to) as usize]);
                    }
                }
            }
        }
    }
}

fn put(bytes: &mut Vec<u8>, to: u64, data: &[u8]) {
    let (to, end) = (to as usize, to as usize + data.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[to..end].copy_from_slice(data);
}

#[test]
fn only_what_was_synced_is_sure() {
    let write = |to: u64, text: &str| Entry::Write { file: 0, to, data: text.as_bytes().into() };
    let mut log = vec![Entry::Create { name: "a".into(), file: 0 }, write(0, "one")];
    let sure = |log: &[Entry]| Disk::after(log).image(|_| Keep::Nothing);
    let all = |log: &[Entry]| Disk::after(log).image(|_| Keep::Whole);
    assert_eq!((sure(&log).get("a"), all(&log)["a"].as_slice()), (None, &b"one"[..]));
    log.push(Entry::Sync { file: 0, folder: false });
    assert_eq!(sure(&log).get("a"), None, "its name is not sure");
    log.extend([Entry::Sync { file: 0, folder: true }, write(3, "two"), Entry::SyncFailed { file: 0 }]);
    log.extend([write(6, "three"), Entry::Sync { file: 0, folder: false }]);
    assert_eq!(sure(&log)["a"], b"one\0\0\0three", "no later sync makes up for the failed one");
    assert_eq!(all(&log)["a"], b"onetwothree");
    log.extend([write(0, "ONETWO"), Entry::Sync { file: 0, folder: false }]);
    assert_eq!(sure(&log)["a"], b"ONETWOthree", "what was written again is sure");
    log.extend([Entry::Truncate { file: 0, size: 2 }, Entry::Delete { name: "a".into(), folder: false }]);
    assert_eq!((sure(&log)["a"].as_slice(), all(&log).len()), (&b"ONETWOthree"[..], 0));
}

#[test]
fn a_torn_piece_is_there_sector_by_sector() {
    let data: Vec<u8> = vec![7; 1500];
    let mut log = vec![Entry::Create { name: "a".into(), file: 0 }, Entry::Sync { file: 0, folder: true }];
    log.push(Entry::Write { file: 0, to: 100, data: data.into() });
    let image = Disk::after(&log).image(|_| Keep::Sectors(0b101));
    let there: Vec<usize> = (0..4)
        .map(|at| image["a"].iter().skip(at * 512).take(512).filter(|byte| **byte == 7).count())
        .collect();
    assert_eq!(there, [412, 0, 512, 0]);
}
