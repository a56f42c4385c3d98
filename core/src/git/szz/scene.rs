//! What a question about a commit sees: the files that it touches, compared when they are first needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use gix::ObjectId;
use gix::bstr::BString;

use super::blocks::{self, Blocks};
use super::compare::{self, Compared, Hunk};
use super::graph::Graph;
use super::trace::Run;
use crate::git::read::{Blob, Reader};
use crate::git::rename;
use crate::git::tree::{Differing, Side as Version, is_regular};

/// In a commit of more files than this nobody looks for lines moved between them.
pub(super) const MOVE_FILES: usize = 120;
/// A file larger than this (bytes) neither gives nor takes lines moved between files.
const MOVE_BYTES: usize = 2 << 20;
/// A hunk of fewer lines than this is not looked for in other files.
const MOVE_LINES: u32 = 3;

/// Paths by number.
#[derive(Debug, Default)]
pub(super) struct Paths {
    list: Vec<BString>,
    numbers: HashMap<BString, u32>,
}

impl Paths {
    pub fn number(&mut self, path: &BString) -> u32 {
        if let Some(number) = self.numbers.get(path) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.list.push(path.clone());
        self.numbers.insert(path.clone(), number);
        number
    }

    pub fn path(&self, number: u32) -> BString {
        self.list.get(number as usize).cloned().unwrap_or_default()
    }
}

/// One file that a commit touches, against its first parent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    pub path: u32,
    pub old: Option<Version>,
    pub new: Option<Version>,
}

/// What a commit touches.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub changes: Vec<Change>,
    /// Whether every tree was in this clone.
    pub whole: bool,
    pub renames: OnceLock<HashMap<u32, (u32, Version)>>,
}

/// Says which lines to trace, once for each commit that was marked.
pub(super) trait Ask: Send {
    /// The lines that the commit makes a question of, by number of the path in its first parent.
    /// `first` is the number of the next answer. Only changes whose path `mine` accepts count.
    fn ask(
        &mut self,
        scene: &mut Scene<'_, '_>,
        at: u32,
        touched: &Touched,
        mine: &dyn Fn(u32) -> bool,
        first: u32,
    ) -> Vec<(u32, Run)>;
}

/// What every thread sees.
pub(super) struct Shared<'a> {
    pub graph: &'a Graph,
    pub paths: Mutex<Paths>,
    /// Commits whose changes are looked through, by number.
    pub ignored: std::collections::HashSet<u32>,
    /// Commits that are asked about, by number.
    pub marked: Vec<bool>,
}

impl Shared<'_> {
    pub fn paths(&self) -> MutexGuard<'_, Paths> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two versions of a file, compared, with their bytes.
#[derive(Clone)]
pub(super) struct Pair {
    pub compared: Arc<Compared>,
    pub old: Option<Arc<Blob>>,
    pub new: Option<Arc<Blob>>,
}

impl Pair {
    pub fn old_bytes(&self) -> &[u8] {
        self.old.as_ref().map_or(&[], |blob| &blob.data)
    }

    pub fn new_bytes(&self) -> &[u8] {
        self.new.as_ref().map_or(&[], |blob| &blob.data)
    }
}

/// One commit as one thread looks at it: comparisons are made when they are first needed.
pub(super) struct Scene<'s, 'g> {
    pub shared: &'s Shared<'g>,
    pub reader: &'s mut Reader,
    pub pairs: HashMap<(Option<ObjectId>, Option<ObjectId>), Option<Pair>>,
    pub moved: [Option<Blocks>; 2],
    /// Whether comparisons are kept for the next question about the commit.
    pub keep: bool,
}

impl Scene<'_, '_> {
    /// The versions compared; `None` where one cannot be read or the new one is no text.
    pub fn pair(&mut self, old: Option<Version>, new: Option<Version>) -> Option<Pair> {
        let regular = |version: Option<Version>| {
            version.filter(|version| is_regular(version.0)).map(|version| version.1)
        };
        let key = (regular(old), regular(new));
        if let Some(pair) = self.pairs.get(&key) {
            return pair.clone();
        }
        let mut read = |id: Option<ObjectId>| match id {
            None => Some(None),
            Some(id) => self.reader.blob(&id).map(Some),
        };
        let pair = match (read(key.0), read(key.1)) {
            (Some(old), Some(new)) => {
                let old = old.filter(|blob| !blob.binary);
                let new = new.filter(|blob| !blob.binary);
                let compared = match (&old, &new) {
                    (Some(old), Some(new)) => compare::compare(&old.data, &new.data),
                    (None, Some(new)) => compare::added(&new.data),
                    (Some(old), None) => compare::removed(&old.data),
                    (None, None) => Compared::default(),
                };
                Some(Pair { compared: Arc::new(compared), old, new })
            }
            _ => None,
        };
        // Of a commit of very many files nothing is asked twice, and all of it would be much to hold.
        if self.keep {
            self.pairs.insert(key, pair.clone());
        }
        pair
    }

    /// What a file of the commit was before: its path and version, over renames.
    pub fn before(&mut self, touched: &Touched, change: &Change) -> Option<(u32, Version)> {
        if let Some(old) = change.old {
            return Some((change.path, old));
        }
        let renames = touched.renames.get_or_init(|| {
            let gone = touched.changes.iter().any(|change| change.new.is_none());
            if gone { renames(self.shared, self.reader, &touched.changes) } else { HashMap::new() }
        });
        renames.get(&change.path).copied()
    }

    /// The lines that the commit removes or adds in any file, for finding lines that only moved.
    fn blocks(&mut self, touched: &Touched, side: blocks::Side) -> &Blocks {
        let slot = side as usize;
        if self.moved[slot].is_none() {
            let mut found = Blocks::new(side);
            if touched.changes.len() <= MOVE_FILES {
                for change in &touched.changes {
                    let before = self.before(touched, change);
                    let wanted = match side {
                        blocks::Side::Removed => before.is_some(),
                        blocks::Side::Added => change.new.is_some(),
                    };
                    if !wanted {
                        continue;
                    }
                    let Some(pair) = self.pair(before.map(|before| before.1), change.new) else { continue };
                    if pair.old_bytes().len().max(pair.new_bytes().len()) > MOVE_BYTES {
                        continue;
                    }
                    let path = match side {
                        blocks::Side::Removed => before.map_or(change.path, |before| before.0),
                        blocks::Side::Added => change.path,
                    };
                    found.add(path, &pair.compared);
                }
            }
            self.moved[slot] = Some(found);
        }
        self.moved[slot].get_or_insert_with(|| Blocks::new(side))
    }

    /// The block elsewhere in the commit that a line of one side of a comparison comes from or goes
    /// to: within the file, then in others.
    pub fn moved(
        &mut self,
        touched: &Touched,
        own: &OwnBlocks,
        compared: &Compared,
        hunk: &Hunk,
        line: u32,
    ) -> Option<blocks::Found> {
        let (part, bounds) = match own.side {
            blocks::Side::Removed => (&compared.new, blocks::Side::Added.lines(hunk)),
            blocks::Side::Added => (&compared.old, blocks::Side::Removed.lines(hunk)),
        };
        if part.weight(line) == 0 {
            return None;
        }
        if let Some(found) = own.get(compared).find(own.path, part, bounds, line) {
            return Some(found);
        }
        if touched.changes.len() < 2 || bounds.1 - bounds.0 < MOVE_LINES {
            return None;
        }
        let others = self.blocks(touched, own.side);
        if others.is_empty() { None } else { others.find(u32::MAX, part, bounds, line) }
    }
}

/// The lines of one side of one file's comparison, indexed when first needed.
pub(super) struct OwnBlocks {
    path: u32,
    side: blocks::Side,
    compared: Arc<Compared>,
    blocks: OnceLock<Blocks>,
}

impl OwnBlocks {
    pub fn new(path: u32, side: blocks::Side, compared: &Arc<Compared>) -> OwnBlocks {
        OwnBlocks { path, side, compared: Arc::clone(compared), blocks: OnceLock::new() }
    }

    fn get(&self, _: &Compared) -> &Blocks {
        self.blocks.get_or_init(|| {
            let mut blocks = Blocks::new(self.side);
            blocks.add(self.path, &self.compared);
            blocks
        })
    }
}

pub(super) fn renames(
    shared: &Shared<'_>,
    reader: &mut Reader,
    changes: &[Change],
) -> HashMap<u32, (u32, Version)> {
    let files: Vec<Differing> = {
        let paths = shared.paths();
        let file =
            |change: &Change| Differing { path: paths.path(change.path), old: change.old, new: change.new };
        changes.iter().map(file).collect()
    };
    let (pairs, _) = rename::detect(reader, files);
    let mut paths = shared.paths();
    pairs
        .into_iter()
        .filter_map(|pair| {
            let from = paths.number(&pair.from?);
            Some((paths.number(&pair.path), (from, pair.old?)))
        })
        .collect()
}
