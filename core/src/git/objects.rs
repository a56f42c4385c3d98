//! Objects straight from the packs, for reading a whole history: each is inflated once.
//!
//! One cache serves as what stored differences build upon and as what is compared, so nothing is
//! copied between the two. Mapped pages of a pack count as memory of the process; the packs are
//! opened anew now and then, which gives them back.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gix::ObjectId;
use gix::objs::Kind;
use gix::odb::pack;

use super::read::BIG_FILE;
use crate::base::memory;

/// Bytes of mapped packs in memory, beyond what was mapped at the start, before they are given back.
const MAPPED: u64 = 32 << 20;
/// After how many objects a worker looks how much is mapped.
const LOOK_EVERY: u32 = 64;
/// Objects of one worker after which packs are opened anew where the system does not say what is mapped.
const BLIND: u32 = 8192;
/// With more packs than this, looking through each of them is no gain.
const MOST_PACKS: usize = 32;
/// Longer chains of stored differences than any git writes.
const LONGEST_CHAIN: usize = 4096;

/// The packs of a repository, open.
struct Packs(Vec<(pack::index::File, pack::data::File)>);

/// The packs of a repository, shared by all who read them, and opened anew for all at once.
pub(super) struct Shelf {
    folders: Vec<PathBuf>,
    kind: gix::hash::Kind,
    limit: u64,
    generation: AtomicU64,
    packs: Mutex<Arc<Packs>>,
}

impl Shelf {
    /// The packs that `repo` reads; `None` where reading them here is no gain, or would give other
    /// objects: with replaced objects, or many packs.
    pub fn open(repo: &gix::Repository) -> Option<Arc<Shelf>> {
        let store = repo.objects.store_ref();
        if store.replacements().next().is_some() {
            return None;
        }
        let mut folders = vec![store.path().join("pack")];
        folders.extend(store.alternate_db_paths().ok()?.into_iter().map(|path| path.join("pack")));
        let kind = repo.object_hash();
        let packs = Packs::open(&folders, kind)?;
        Some(Arc::new(Shelf {
            folders,
            kind,
            limit: memory::mapped().unwrap_or(0) + MAPPED,
            generation: AtomicU64::new(0),
            packs: Mutex::new(Arc::new(packs)),
        }))
    }

    fn current(&self) -> (u64, Arc<Packs>) {
        let packs = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
        (self.generation.load(Ordering::Relaxed), Arc::clone(&packs))
    }

    /// Opens the packs anew unless somebody has done so since generation `seen`.
    fn renew(&self, seen: u64) {
        let mut packs = self.packs.lock().unwrap_or_else(PoisonError::into_inner);
        if self.generation.load(Ordering::Relaxed) == seen
            && let Some(fresh) = Packs::open(&self.folders, self.kind)
        {
            *packs = Arc::new(fresh);
            self.generation.store(seen + 1, Ordering::Relaxed);
        }
    }
}

impl Packs {
    fn open(folders: &[PathBuf], kind: gix::hash::Kind) -> Option<Packs> {
        let mut paths = Vec::new();
        for folder in folders {
            let Ok(entries) = std::fs::read_dir(folder) else { continue };
            let path = |entry: std::io::Result<std::fs::DirEntry>| entry.ok().map(|entry| entry.path());
            paths.extend(
                entries.filter_map(path).filter(|path| path.extension().is_some_and(|end| end == "idx")),
            );
        }
        if paths.is_empty() || paths.len() > MOST_PACKS {
            return None;
        }
        paths.sort();
        let mut packs = Vec::with_capacity(paths.len());
        for path in paths {
            // A pack that cannot be opened is as if it were not there: what it holds is looked up otherwise.
            let index = pack::index::File::at(&path, kind);
            let data = pack::data::File::at(path.with_extension("pack"), kind);
            if let (Ok(index), Ok(data)) = (index, data) {
                packs.push((index, data));
            }
        }
        Some(Packs(packs))
    }

    fn find(&self, id: &ObjectId) -> Option<(u32, u64)> {
        self.0.iter().enumerate().find_map(|(number, (index, _))| {
            let at = index.lookup(id)?;
            Some((number as u32, index.pack_offset_at_index(at)))
        })
    }
}

/// Places in packs: the offset spreads well enough.
#[derive(Default)]
struct PlaceHasher(u64);

impl Hasher for PlaceHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

type Place = (u32, u64);

struct Slot {
    kind: Kind,
    data: Arc<Vec<u8>>,
    /// Whether it was asked for since it was last spared.
    used: bool,
}

/// Objects by place, bounded in bytes: who was not asked for since its last turn goes first.
struct Cache {
    slots: HashMap<Place, Slot, BuildHasherDefault<PlaceHasher>>,
    queue: VecDeque<Place>,
    bytes: usize,
    limit: usize,
}

/// What an entry of the cache costs beside its bytes.
const SLOT: usize = 120;

impl Cache {
    fn get(&mut self, place: Place) -> Option<(Kind, Arc<Vec<u8>>)> {
        let slot = self.slots.get_mut(&place)?;
        slot.used = true;
        Some((slot.kind, Arc::clone(&slot.data)))
    }

    fn put(&mut self, place: Place, kind: Kind, data: &Arc<Vec<u8>>) {
        let bytes = data.len() + SLOT;
        if bytes > self.limit / 2 {
            return;
        }
        let slot = Slot { kind, data: Arc::clone(data), used: false };
        if self.slots.insert(place, slot).is_none() {
            self.queue.push_back(place);
            self.bytes += bytes;
        }
        while self.bytes > self.limit
            && let Some(oldest) = self.queue.pop_front()
        {
            match self.slots.get_mut(&oldest) {
                Some(slot) if slot.used => {
                    slot.used = false;
                    self.queue.push_back(oldest);
                }
                Some(slot) => {
                    self.bytes -= slot.data.len() + SLOT;
                    self.slots.remove(&oldest);
                }
                None => {}
            }
        }
    }
}

/// One thread's reader of packed objects.
pub(super) struct Objects {
    shelf: Arc<Shelf>,
    generation: u64,
    packs: Arc<Packs>,
    cache: Cache,
    inflate: gix::zlib::Inflate,
    delta: Vec<u8>,
    read: u32,
}

impl Objects {
    /// A reader that keeps at most `limit` bytes of objects.
    pub fn new(shelf: Arc<Shelf>, limit: usize) -> Objects {
        let (generation, packs) = shelf.current();
        let cache = Cache { slots: HashMap::default(), queue: VecDeque::new(), bytes: 0, limit };
        Objects {
            shelf,
            generation,
            packs,
            cache,
            inflate: gix::zlib::Inflate::default(),
            delta: Vec::new(),
            read: 0,
        }
    }

    /// The object where it is in a pack and can be read.
    pub fn get(&mut self, id: &ObjectId) -> Option<(Kind, Arc<Vec<u8>>)> {
        let place = self.packs.find(id)?;
        if let Some(known) = self.cache.get(place) {
            return Some(known);
        }
        self.read += 1;
        if self.read.is_multiple_of(LOOK_EVERY) {
            self.give_back();
        }
        let packs = Arc::clone(&self.packs);
        self.decode(&packs, place)
    }

    /// Lets go of mapped pages where they have become many.
    fn give_back(&mut self) {
        let due = match memory::mapped() {
            Some(mapped) => mapped > self.shelf.limit,
            None => self.read.is_multiple_of(BLIND),
        };
        if due {
            self.shelf.renew(self.generation);
        }
        if self.shelf.generation.load(Ordering::Relaxed) != self.generation {
            // The same folder can have other packs now, under other numbers.
            let (generation, packs) = self.shelf.current();
            let same = packs.0.len() == self.packs.0.len()
                && packs.0.iter().zip(&self.packs.0).all(|(new, old)| new.1.path() == old.1.path());
            if !same {
                self.cache.slots.clear();
                self.cache.queue.clear();
                self.cache.bytes = 0;
            }
            (self.generation, self.packs) = (generation, packs);
        }
    }

    fn decode(&mut self, packs: &Packs, place: Place) -> Option<(Kind, Arc<Vec<u8>>)> {
        let (number, mut offset) = place;
        let (index, file) = packs.0.get(number as usize)?;
        let mut chain: Vec<pack::data::Entry> = Vec::new();
        let (kind, mut data) = loop {
            if let Some(known) = self.cache.get((number, offset)) {
                break known;
            }
            // Beyond the pack's end the library would panic.
            let entry = (offset < file.data_len() as u64).then(|| file.entry(offset).ok()).flatten()?;
            if entry.decompressed_size > BIG_FILE || chain.len() > LONGEST_CHAIN {
                return None;
            }
            use pack::data::entry::Header;
            offset = match entry.header {
                Header::OfsDelta { base_distance } => entry.checked_base_pack_offset(base_distance)?,
                Header::RefDelta { base_id } => index.pack_offset_at_index(index.lookup(base_id)?),
                full => {
                    let mut data = vec![0; usize::try_from(entry.decompressed_size).ok()?];
                    file.decompress_entry(&entry, &mut self.inflate, &mut data).ok()?;
                    let data = Arc::new(data);
                    let kind = full.as_kind()?;
                    self.cache.put((number, offset), kind, &data);
                    break (kind, data);
                }
            };
            chain.push(entry);
        };
        for entry in chain.into_iter().rev() {
            self.delta.clear();
            self.delta.resize(usize::try_from(entry.decompressed_size).ok()?, 0);
            file.decompress_entry(&entry, &mut self.inflate, &mut self.delta).ok()?;
            data = Arc::new(apply(&data, &self.delta)?);
            self.cache.put((number, entry.pack_offset()), kind, &data);
        }
        if self.delta.capacity() > 1 << 20 {
            self.delta = Vec::new();
        }
        Some((kind, data))
    }
}

/// What a stored difference makes of its base; `None` where it is damaged or the result too large.
fn apply(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut delta = delta.iter();
    let size = |delta: &mut std::slice::Iter<'_, u8>| {
        let (mut size, mut shift) = (0u64, 0);
        loop {
            let byte = *delta.next()?;
            size |= u64::from(byte & 0x7f).checked_shl(shift)?;
            shift += 7;
            if byte & 0x80 == 0 {
                return Some(size);
            }
        }
    };
    if size(&mut delta)? != base.len() as u64 {
        return None;
    }
    let length = usize::try_from(size(&mut delta)?.min(BIG_FILE + 1)).ok()?;
    if length as u64 > BIG_FILE {
        return None;
    }
    let mut out = Vec::with_capacity(length);
    while let Some(&op) = delta.next() {
        let piece = if op & 0x80 != 0 {
            let mut bits = |first: u8, count: u32| {
                (0..count).try_fold(0usize, |sum, at| {
                    let byte = if op & (first << at) != 0 { *delta.next()? } else { 0 };
                    Some(sum | usize::from(byte) << (8 * at))
                })
            };
            let (from, length) = (bits(1, 4)?, bits(0x10, 3)?);
            let length = if length == 0 { 0x10000 } else { length };
            base.get(from..from.checked_add(length)?)?
        } else {
            let rest = delta.as_slice();
            let piece = rest.get(..usize::from(op)).filter(|piece| !piece.is_empty())?;
            delta = rest[piece.len()..].iter();
            piece
        };
        if piece.len() > length - out.len() {
            return None;
        }
        out.extend_from_slice(piece);
    }
    (out.len() == length).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_applied_or_refused() {
        let base = b"hello world";
        // 11 -> 8: copy 5 from 0, insert "!!", copy 1 from 6.
        let good = [11, 8, 0x90, 5, 2, b'!', b'!', 0x91, 6, 1];
        assert_eq!(apply(base, &good).unwrap(), b"hello!!w");
        for end in 0..good.len() {
            assert_eq!(apply(base, &good[..end]), None, "{end}");
        }
        assert_eq!(apply(b"hello", &good), None, "another base");
        assert_eq!(apply(base, &[11, 5, 0x91, 7, 5]), None, "beyond the base");
        assert_eq!(apply(base, &[11, 1, 2, b'a', b'b']), None, "beyond the result");
        assert_eq!(apply(base, &[11, 1, 0]), None, "a reserved instruction");
        let huge = [11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(apply(base, &huge), None, "a bomb");
        assert_eq!(apply(base, &[0xff; 40]), None, "a size without end");
    }

    #[test]
    fn the_cache_spares_what_is_asked_for() {
        let mut cache =
            Cache { slots: HashMap::default(), queue: VecDeque::new(), bytes: 0, limit: 10 * (SLOT + 100) };
        let data = Arc::new(vec![0u8; 100]);
        for offset in 0..100 {
            cache.put((0, offset), Kind::Blob, &data);
            assert!(cache.get((0, 0)).is_some(), "{offset}");
            assert!(cache.bytes <= cache.limit);
        }
        assert!(cache.get((0, 1)).is_none() && cache.get((0, 99)).is_some());
        cache.put((1, 0), Kind::Blob, &Arc::new(vec![0; 5 * (SLOT + 100)]));
        assert!(cache.get((1, 0)).is_none(), "too large to keep");
    }
}
