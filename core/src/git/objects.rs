//! Objects straight from the packs, for reading a whole history: each is inflated once.
//!
//! One cache serves as what stored differences build upon and as what is compared, so nothing is
//! copied between the two. Packs are read and not mapped: mapped pages would count as memory of the
//! process, until the whole pack is in it.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::hash::{BuildHasherDefault, Hasher};
use std::path::Path;
use std::sync::Arc;

use gix::ObjectId;
use gix::objs::Kind;
use gix::odb::pack;
use gix::odb::pack::data::entry::Header;

use super::read::BIG_FILE;

/// Bytes of a pack that are read at once; most objects take less.
const WINDOW: usize = 16 << 10;
/// More bytes than the head of an entry can have: a size, and an offset or an id.
const ENTRY_HEAD: u64 = 64;
/// With more packs than this, looking through each of them is no gain.
const MOST_PACKS: usize = 32;
/// Longer chains of stored differences than any git writes.
const LONGEST_CHAIN: usize = 4096;
/// Beyond this size the room for a stored difference is given back.
const KEEP_DELTA: usize = 1 << 20;

struct Pack {
    index: pack::index::File,
    file: File,
    /// Where the entries end, in bytes.
    end: u64,
}

/// The packs of a repository, shared by all who read them.
pub(super) struct Packs {
    packs: Vec<Pack>,
    kind: gix::hash::Kind,
}

impl Packs {
    /// The packs that `repo` reads; `None` where reading them here is no gain, or would give other
    /// objects: with replaced objects, or many packs.
    pub fn open(repo: &gix::Repository) -> Option<Arc<Packs>> {
        let store = repo.objects.store_ref();
        if store.replacements().next().is_some() {
            return None;
        }
        let kind = repo.object_hash();
        let mut folders = vec![store.path().to_owned()];
        folders.extend(store.alternate_db_paths().ok()?);
        let mut paths = Vec::new();
        for folder in folders {
            let Ok(entries) = std::fs::read_dir(folder.join("pack")) else { continue };
            paths.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        }
        paths.retain(|path| path.extension().is_some_and(|end| end == "idx"));
        if paths.is_empty() || paths.len() > MOST_PACKS {
            return None;
        }
        paths.sort();
        // A pack that cannot be opened is as if it were not there: what it holds is looked up otherwise.
        let packs = paths.iter().filter_map(|path| Pack::open(path, kind)).collect();
        Some(Arc::new(Packs { packs, kind }))
    }

    fn find(&self, id: &ObjectId) -> Option<Place> {
        self.packs.iter().enumerate().find_map(|(number, pack)| {
            let at = pack.index.lookup(id)?;
            Some((number as u32, pack.index.pack_offset_at_index(at)))
        })
    }
}

impl Pack {
    fn open(path: &Path, kind: gix::hash::Kind) -> Option<Pack> {
        let index = pack::index::File::at(path, kind).ok()?;
        let file = File::open(path.with_extension("pack")).ok()?;
        let end = file.metadata().ok()?.len().checked_sub(kind.len_in_bytes() as u64)?;
        let mut head = [0; 8];
        read_at(&file, &mut head, 0).ok()?;
        // Version 2 is what every git writes; 3 is the same to a reader.
        matches!(head, [b'P', b'A', b'C', b'K', 0, 0, 0, 2 | 3]).then_some(Pack { index, file, end })
    }
}

/// Fills `buffer` from `offset` as far as the file goes; how far.
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        let (rest, at) = (&mut buffer[filled..], offset + filled as u64);
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(file, rest, at);
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(file, rest, at);
        match read {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The part of a pack that was read last.
#[derive(Default)]
struct Window {
    pack: u32,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// What stands at a place: at least `least` bytes, fewer only at the pack's end.
    fn at(&mut self, packs: &Packs, (number, offset): Place, least: u64) -> Option<&[u8]> {
        let pack = packs.packs.get(number as usize)?;
        let least = least.min(pack.end.checked_sub(offset)?);
        let inside = self.pack == number
            && offset >= self.start
            && offset + least <= self.start + self.bytes.len() as u64;
        if !inside {
            let wanted = usize::try_from(least).ok()?.max(WINDOW);
            if self.bytes.capacity() > KEEP_DELTA.max(2 * wanted) {
                self.bytes = Vec::new();
            }
            self.bytes.resize(wanted, 0);
            (self.pack, self.start) = (number, offset);
            let read = read_at(&pack.file, &mut self.bytes, offset).unwrap_or(0);
            self.bytes.truncate(read);
        }
        self.bytes.get(usize::try_from(offset - self.start).ok()?..)
    }
}

/// The most that deflated bytes can take, with the head before them.
fn deflated(size: u64) -> u64 {
    ENTRY_HEAD + size + size / 1000 + 64
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
    packs: Arc<Packs>,
    cache: Cache,
    window: Window,
    inflate: gix::zlib::Inflate,
    delta: Vec<u8>,
}

impl Objects {
    /// A reader that keeps at most `limit` bytes of objects.
    pub fn new(packs: Arc<Packs>, limit: usize) -> Objects {
        let cache = Cache { slots: HashMap::default(), queue: VecDeque::new(), bytes: 0, limit };
        let inflate = gix::zlib::Inflate::default();
        Objects { packs, cache, window: Window::default(), inflate, delta: Vec::new() }
    }

    /// The object where it is in a pack and can be read.
    pub fn get(&mut self, id: &ObjectId) -> Option<(Kind, Arc<Vec<u8>>)> {
        let place = self.packs.find(id)?;
        self.cache.get(place).or_else(|| self.decode(place))
    }

    /// The object's size in bytes, by reading no more than where it begins.
    pub fn size(&mut self, id: &ObjectId) -> Option<u64> {
        let place = self.packs.find(id)?;
        if let Some((_, data)) = self.cache.get(place) {
            return Some(data.len() as u64);
        }
        let entry = self.entry(place)?;
        if entry.header.is_base() {
            return Some(entry.decompressed_size);
        }
        // A stored difference begins with the size of its base and that of its result.
        let mut sizes = [0; 20];
        let head = usize::try_from(entry.data_offset - place.1).ok()?;
        let bytes = self.window.at(&self.packs, place, ENTRY_HEAD + 64)?;
        self.inflate.reset();
        let (_, _, read) = self.inflate.prefix(bytes.get(head..)?, &mut sizes).ok()?;
        let mut sizes = sizes.get(..read)?.iter();
        size(&mut sizes)?;
        size(&mut sizes)
    }

    fn entry(&mut self, place: Place) -> Option<pack::data::Entry> {
        let bytes = self.window.at(&self.packs, place, ENTRY_HEAD)?;
        let entry = pack::data::Entry::from_bytes(bytes, place.1, self.packs.kind).ok()?;
        (entry.decompressed_size <= BIG_FILE).then_some(entry)
    }

    /// Inflates what an entry holds into `out`, all of it or nothing.
    fn inflate(&mut self, place: Place, entry: &pack::data::Entry, out: &mut [u8]) -> Option<()> {
        let head = usize::try_from(entry.data_offset - place.1).ok()?;
        let bytes = self.window.at(&self.packs, place, deflated(entry.decompressed_size))?;
        self.inflate.reset();
        let (status, _, written) = self.inflate.once(bytes.get(head..)?, out).ok()?;
        (status == gix::zlib::Status::StreamEnd && written == out.len()).then_some(())
    }

    fn decode(&mut self, place: Place) -> Option<(Kind, Arc<Vec<u8>>)> {
        let (number, mut offset) = place;
        let mut chain: Vec<(u64, pack::data::Entry)> = Vec::new();
        let (kind, mut data) = loop {
            let place = (number, offset);
            if let Some(known) = self.cache.get(place) {
                break known;
            }
            let entry = self.entry(place)?;
            if chain.len() > LONGEST_CHAIN {
                return None;
            }
            let base = match entry.header {
                Header::OfsDelta { base_distance } => entry.checked_base_pack_offset(base_distance)?,
                Header::RefDelta { base_id } => {
                    let index = &self.packs.packs.get(number as usize)?.index;
                    index.pack_offset_at_index(index.lookup(base_id)?)
                }
                full => {
                    let mut data = vec![0; usize::try_from(entry.decompressed_size).ok()?];
                    self.inflate(place, &entry, &mut data)?;
                    let (kind, data) = (full.as_kind()?, Arc::new(data));
                    self.cache.put(place, kind, &data);
                    break (kind, data);
                }
            };
            chain.push((offset, entry));
            offset = base;
        };
        for (offset, entry) in chain.into_iter().rev() {
            let mut delta = std::mem::take(&mut self.delta);
            delta.clear();
            delta.resize(usize::try_from(entry.decompressed_size).ok()?, 0);
            self.inflate((number, offset), &entry, &mut delta)?;
            data = Arc::new(apply(&data, &delta)?);
            self.cache.put((number, offset), kind, &data);
            if delta.capacity() <= KEEP_DELTA {
                self.delta = delta;
            }
        }
        Some((kind, data))
    }
}

/// A size as stored differences begin with.
fn size(delta: &mut std::slice::Iter<'_, u8>) -> Option<u64> {
    let (mut size, mut shift) = (0u64, 0);
    loop {
        let byte = *delta.next()?;
        size |= u64::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(size);
        }
    }
}

/// What a stored difference makes of its base; `None` where it is damaged or the result too large.
fn apply(base: &[u8], delta: &[u8]) -> Option<Vec<u8>> {
    let mut delta = delta.iter();
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
