//! How the cache rests in segments: records with a checksum each, of which the sound ones are used.

use std::collections::HashMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Key, Row, kind_number};
use crate::base::id;
use crate::base::port::Segments;

/// Begins every record of results.
const RECORD: u8 = 0xb7;

/// Begins every batch of the catalogue's rows.
const BATCH: u8 = 0xb8;

/// Mark, key, length, checksum.
const HEAD: usize = 1 + Key::SIZE + 4 + 8;

/// Mark, version, length, checksum.
const BATCH_HEAD: usize = 1 + 8 + 4 + 8;

/// A segment of fewer bytes is not worth tidying up.
const SMALL: usize = 4 << 20;

/// The most that a segment of results keeps when it is tidied up, in bytes.
const LARGEST: usize = 128 << 20;

/// How often an append is tried again after another process was first.
const ATTEMPTS: usize = 3;

/// One segment as this process knows it.
#[derive(Debug, Default)]
pub(super) struct Segment {
    tip: Option<String>,
    /// Rows of the catalogue in it, those that were overwritten included.
    rows: usize,
    /// Whether it holds what is of no use and should be written anew.
    stale: bool,
}

impl Segment {
    /// Adds `bytes` at the end; a store that cannot be written costs time later and nothing now.
    pub fn append(&mut self, segments: &dyn Segments, name: &str, bytes: &[u8]) {
        for _ in 0..ATTEMPTS {
            let tip = id::random();
            match segments.append(name, self.tip.as_deref(), &tip, bytes) {
                Ok(true) => {
                    self.tip = Some(tip);
                    return;
                }
                // Another process was first: what it wrote stays.
                Ok(false) => self.tip = segments.read(name).ok().flatten().map(|(tip, _)| tip),
                Err(_) => return,
            }
        }
    }

    fn replace(&mut self, segments: &dyn Segments, name: &str, bytes: &[u8]) {
        let tip = id::random();
        if segments.replace(name, &tip, bytes).is_ok() {
            self.tip = Some(tip);
            self.stale = false;
        }
    }

    /// Adds rows to the catalogue; written anew, with `all` rows, where most of it is of no use.
    pub fn add_rows<'a>(
        &mut self,
        segments: &dyn Segments,
        name: &str,
        rows: &[(&'a str, &'a Row)],
        all: impl FnOnce() -> Vec<(&'a str, &'a Row)>,
    ) {
        self.rows += rows.len();
        if !self.stale {
            if let Some(bytes) = batch(rows) {
                self.append(segments, name, &bytes);
            }
            return;
        }
        let mut all = all();
        all.sort_unstable_by_key(|(path, _)| *path);
        if let Some(bytes) = batch(&all) {
            self.rows = all.len();
            self.replace(segments, name, &bytes);
        }
    }

    /// Whether most rows of the catalogue were overwritten since.
    pub fn note_rows(&mut self, live: usize) {
        self.stale |= self.rows > 2 * live + 1000;
    }
}

/// Results as they rest in a segment.
#[derive(Debug, Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
    places: HashMap<Key, (usize, usize)>,
    /// Bytes that could be read.
    sound: usize,
}

impl Records {
    /// The keys of all records.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.places.keys()
    }

    /// The result for `key`; `None` where there is none, or a damaged one.
    pub fn get<T: DeserializeOwned>(&self, key: &Key) -> Option<T> {
        let (start, end) = *self.places.get(key)?;
        let payload = self.bytes.get(start..end)?;
        let sum = self.bytes.get(start - 8..start)?;
        if check(payload).to_le_bytes() != sum {
            return None;
        }
        postcard::from_bytes(payload).ok()
    }
}

/// Adds a record to `bytes`; `false` where the result cannot be encoded.
pub(super) fn add_record<T: Serialize>(bytes: &mut Vec<u8>, key: &Key, result: &T) -> bool {
    let Ok(payload) = postcard::to_stdvec(result) else { return false };
    let Ok(length) = u32::try_from(payload.len()) else { return false };
    bytes.push(RECORD);
    bytes.extend_from_slice(&key.bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&check(&payload).to_le_bytes());
    bytes.extend_from_slice(&payload);
    true
}

/// Reads a segment of results up to the first place that is no record.
pub(super) fn read_records(segments: &dyn Segments, name: &str) -> (Segment, Records) {
    let Ok(Some((tip, bytes))) = segments.read(name) else { return Default::default() };
    let mut records = Records { bytes, ..Records::default() };
    while let Some((key, start, end)) = record_at(&records.bytes, records.sound) {
        records.places.insert(key, (start, end));
        records.sound = end;
    }
    let stale = records.sound != records.bytes.len();
    (Segment { tip: Some(tip), rows: 0, stale }, records)
}

/// The key, and first and last place of the payload, of the record that begins at `at`.
fn record_at(bytes: &[u8], at: usize) -> Option<(Key, usize, usize)> {
    let head: &[u8; HEAD] = bytes.get(at..)?.first_chunk()?;
    if head[0] != RECORD {
        return None;
    }
    let key = Key::read(head[1..].first_chunk()?);
    let length = u32::from_le_bytes(*head[1 + Key::SIZE..].first_chunk()?);
    let start = at + HEAD;
    let end = start.checked_add(length as usize).filter(|end| *end <= bytes.len())?;
    Some((key, start, end))
}

/// Writes a segment of results anew where it is damaged, or large and mostly of no use.
pub(super) fn prune(
    segments: &dyn Segments,
    name: &str,
    segment: &mut Segment,
    records: &Records,
    is_live: impl Fn(&Key) -> bool,
) {
    let mut live: Vec<(usize, usize)> = records
        .places
        .iter()
        .filter(|(key, _)| is_live(key))
        .map(|(_, (start, end))| (start - HEAD, *end))
        .collect();
    let size: usize = live.iter().map(|(start, end)| end - start).sum();
    let large = records.bytes.len() > SMALL && size < records.bytes.len() / 2;
    if !segment.stale && !large && records.bytes.len() <= 2 * LARGEST {
        return;
    }
    // The newest first, as far as there is room.
    live.sort_unstable_by(|a, b| b.cmp(a));
    let mut bytes = Vec::with_capacity(size.min(LARGEST));
    for (start, end) in live {
        if bytes.len() + (end - start) > LARGEST {
            break;
        }
        bytes.extend_from_slice(&records.bytes[start..end]);
    }
    segment.replace(segments, name, &bytes);
}

/// Reads the catalogue; later rows of a path are the ones that count.
pub(super) fn read_rows(segments: &dyn Segments, name: &str) -> (Segment, HashMap<String, Row>) {
    let Ok(Some((tip, bytes))) = segments.read(name) else { return Default::default() };
    let mut segment = Segment { tip: Some(tip), rows: 0, stale: false };
    let mut rows = HashMap::new();
    let mut at = 0;
    while at < bytes.len() {
        let Some((batch, end)) = batch_at(&bytes, at) else {
            segment.stale = true;
            break;
        };
        at = end;
        match batch {
            Some(batch) => {
                segment.rows += batch.len();
                rows.extend(batch);
            }
            None => segment.stale = true,
        }
    }
    segment.note_rows(rows.len());
    (segment, rows)
}

fn version() -> u64 {
    kind_number("files")
}

fn batch(rows: &[(&str, &Row)]) -> Option<Vec<u8>> {
    let body = postcard::to_stdvec(rows).ok()?;
    let mut bytes = Vec::with_capacity(body.len() + BATCH_HEAD);
    bytes.push(BATCH);
    bytes.extend_from_slice(&version().to_le_bytes());
    bytes.extend_from_slice(&u32::try_from(body.len()).ok()?.to_le_bytes());
    bytes.extend_from_slice(&check(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    Some(bytes)
}

/// The rows of the batch at `at` (`None`: another version's) and where it ends.
#[allow(clippy::type_complexity, reason = "two things that are found together")]
fn batch_at(bytes: &[u8], at: usize) -> Option<(Option<Vec<(String, Row)>>, usize)> {
    let head: &[u8; BATCH_HEAD] = bytes.get(at..)?.first_chunk()?;
    if head[0] != BATCH {
        return None;
    }
    let written = u64::from_le_bytes(*head[1..].first_chunk()?);
    let length = u32::from_le_bytes(*head[9..].first_chunk()?);
    let sum = u64::from_le_bytes(*head[13..].first_chunk()?);
    let start = at + BATCH_HEAD;
    let body = bytes.get(start..start.checked_add(length as usize)?)?;
    if check(body) != sum {
        return None;
    }
    let end = start + body.len();
    if written != version() {
        return Some((None, end));
    }
    Some((Some(postcard::from_bytes(body).ok()?), end))
}

/// A checksum against damage: every step can be undone, so no single change goes unseen.
fn check(bytes: &[u8]) -> u64 {
    const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut sum = bytes.len() as u64;
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        if let Some(word) = word.first_chunk() {
            sum = (sum.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(PRIME);
        }
    }
    for byte in words.remainder() {
        sum = (sum.rotate_left(23) ^ u64::from(*byte)).wrapping_mul(PRIME);
    }
    sum
}
