//! Complexities in the store: pieces that each carry a checksum.
//!
//! A piece is `BGX1`, the payload's length (u32, little-endian), the first 16 bytes of its SHA-256,
//! and the payload: the library's version (a length and the text), then a row for each content: the
//! length of its id, the id, the length of the ending, the ending, a byte for what it is, the value
//! (f64) and the lines (u32). Pieces of another version are passed over. What is damaged, lost or
//! cannot be written costs time and nothing else.

use std::collections::HashMap;

use gix::ObjectId;
use sha2::Digest;

use super::complexity::{Complexity, Key, Measured};
use crate::base::port::Segments;
use crate::git::record::ComplexityBasis;

const SEGMENT: &str = "git/complexity/v1";
const MAGIC: &[u8; 4] = b"BGX1";
const HEAD: usize = 4 + 4 + 16;
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A segment larger than this is written anew with what the tip needs.
const LARGE: usize = 32 << 20;

const FAILED: u8 = 0;
const OTHER: u8 = 1;
const COGNITIVE: u8 = 2;
const INDENTATION: u8 = 3;
const GENERATED: u8 = 0x80;

/// The segment as it was last seen.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Its tip; `None` where there is none.
    tip: Option<String>,
    bytes: usize,
    damaged: bool,
}

impl Kept {
    /// Reads the segment into `known`.
    pub fn read(segments: &dyn Segments, known: &mut HashMap<Key, Measured>) -> Kept {
        let Ok(Some((tip, bytes))) = segments.read(SEGMENT) else { return Kept::default() };
        let mut rest = bytes.as_slice();
        while let Some((payload, after)) = piece(rest) {
            rows(payload, known);
            rest = after;
        }
        Kept { tip: Some(tip), bytes: bytes.len(), damaged: !rest.is_empty() }
    }

    /// Adds what was found; a segment that is damaged or large is written anew with what is known of
    /// `live`. Another process that wrote in between keeps what it wrote.
    pub fn add(
        &mut self,
        segments: &dyn Segments,
        found: &[(Key, Measured)],
        live: &[Key],
        known: &HashMap<Key, Measured>,
    ) {
        let anew = self.damaged || self.bytes > LARGE;
        let bytes = match anew {
            true => sealed(live.iter().filter_map(|key| known.get(key).map(|measured| (key, measured)))),
            false => sealed(found.iter().map(|(key, measured)| (key, measured))),
        };
        let tip = crate::base::id::hex(&bytes[8..HEAD]);
        let done = match anew {
            true => segments.replace(SEGMENT, &tip, &bytes).is_ok(),
            false => segments.append(SEGMENT, self.tip.as_deref(), &tip, &bytes).unwrap_or(false),
        };
        if done {
            let bytes = if anew { bytes.len() } else { self.bytes + bytes.len() };
            *self = Kept { tip: Some(tip), bytes, damaged: false };
        } else if let Ok(Some((tip, bytes))) = segments.read(SEGMENT) {
            *self = Kept { tip: Some(tip), bytes: bytes.len(), damaged: false };
        }
    }
}

fn sealed<'a>(found: impl Iterator<Item = (&'a Key, &'a Measured)>) -> Vec<u8> {
    let mut payload = vec![VERSION.len() as u8];
    payload.extend_from_slice(VERSION.as_bytes());
    for ((id, ending), measured) in found {
        let Ok(length) = u8::try_from(ending.len()) else { continue };
        payload.push(id.as_bytes().len() as u8);
        payload.extend_from_slice(id.as_bytes());
        payload.push(length);
        payload.extend_from_slice(ending);
        let (kind, value, lines) = match measured {
            Measured::Failed => (FAILED, 0.0, 0),
            Measured::Other => (OTHER, 0.0, 0),
            Measured::Is(is) => {
                let basis = match is.basis {
                    ComplexityBasis::Cognitive => COGNITIVE,
                    ComplexityBasis::Indentation => INDENTATION,
                };
                (basis | if is.generated { GENERATED } else { 0 }, is.value, is.lines)
            }
        };
        payload.push(kind);
        payload.extend_from_slice(&value.to_le_bytes());
        // A content has at most 4 MiB, and so have its lines.
        payload.extend_from_slice(&(lines as u32).to_le_bytes());
    }
    let mut bytes = Vec::with_capacity(HEAD + payload.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&sha2::Sha256::digest(&payload)[..16]);
    bytes.extend_from_slice(&payload);
    bytes
}

/// The payload of the first piece and what comes behind it; `None` where it is damaged or absent.
fn piece(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = bytes.get(..HEAD)?;
    let length = u32::from_le_bytes(head.get(4..8)?.try_into().ok()?) as usize;
    let (payload, rest) = bytes[HEAD..].split_at_checked(length)?;
    (head.starts_with(MAGIC) && sha2::Sha256::digest(payload)[..16] == head[8..]).then_some((payload, rest))
}

/// Reads a payload of this version; other versions measure otherwise.
fn rows(payload: &[u8], known: &mut HashMap<Key, Measured>) {
    let Some((length, rest)) = payload.split_first() else { return };
    let Some((version, mut rest)) = rest.split_at_checked(usize::from(*length)) else { return };
    while version == VERSION.as_bytes()
        && let Some((key, measured, after)) = row(rest)
    {
        known.insert(key, measured);
        rest = after;
    }
}

/// The first row and what comes behind it.
fn row(bytes: &[u8]) -> Option<(Key, Measured, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    let (length, rest) = rest.split_first()?;
    let (ending, rest) = rest.split_at_checked(usize::from(*length))?;
    let (kind, rest) = rest.split_first()?;
    let (value, rest) = rest.split_first_chunk::<8>()?;
    let (lines, rest) = rest.split_first_chunk::<4>()?;
    let (value, lines) = (f64::from_le_bytes(*value), u64::from(u32::from_le_bytes(*lines)));
    let is = |basis| Measured::Is(Complexity { value, basis, lines, generated: kind & GENERATED != 0 });
    let measured = match kind & !GENERATED {
        FAILED => Measured::Failed,
        OTHER => Measured::Other,
        COGNITIVE => is(ComplexityBasis::Cognitive),
        INDENTATION => is(ComplexityBasis::Indentation),
        _ => return None,
    };
    Some(((ObjectId::try_from(id).ok()?, ending.into()), measured, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::port::Memory;

    fn key(byte: u8) -> Key {
        (ObjectId::from_bytes_or_panic(&[byte; 20]), ".c".into())
    }

    fn is(value: f64, basis: ComplexityBasis) -> Measured {
        Measured::Is(Complexity { value, basis, lines: 7, generated: value > 5.0 })
    }

    #[test]
    fn what_was_kept_is_read_back() {
        let memory = Memory::default();
        let mut known = HashMap::new();
        let mut kept = Kept::read(&memory, &mut known);
        let first = [(key(1), is(3.5, ComplexityBasis::Cognitive)), (key(2), Measured::Other)];
        let second = [(key(3), is(9.0, ComplexityBasis::Indentation)), (key(4), Measured::Failed)];
        kept.add(&memory, &first, &[], &known);
        kept.add(&memory, &second, &[], &known);
        let read = Kept::read(&memory, &mut known);
        assert_eq!(known, first.into_iter().chain(second).collect());
        assert_eq!((read.tip, read.bytes, read.damaged), (kept.tip, kept.bytes, false));
    }

    #[test]
    fn damage_is_passed_over_and_mended() {
        let memory = Memory::default();
        let found = [(key(1), Measured::Other)];
        Kept::default().add(&memory, &found, &[], &HashMap::new());
        let (tip, mut bytes) = memory.read(SEGMENT).unwrap().unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 0x10;
            memory.replace(SEGMENT, &tip, &bytes).unwrap();
            let mut known = HashMap::new();
            let mut kept = Kept::read(&memory, &mut known);
            assert!(known.is_empty() && kept.damaged, "{at}");
            known.insert(key(1), Measured::Other);
            kept.add(&memory, &found, &[key(1)], &known);
            known.clear();
            assert!(!Kept::read(&memory, &mut known).damaged);
            assert_eq!(known.len(), 1);
            bytes[at] ^= 0x10;
        }
    }
}
