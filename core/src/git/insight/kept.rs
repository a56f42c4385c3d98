//! What was read of contents, in the store: pieces that each carry a checksum.
//!
//! A piece is `BGX1`, the payload's length (u32, little-endian), the first 16 bytes of its SHA-256,
//! and the payload: the library's version (a length and the text), then rows. Pieces of another
//! version are passed over. What is damaged, lost or cannot be written costs time and nothing else.

use sha2::Digest;

use crate::base::port::Segments;

const MAGIC: &[u8; 4] = b"BGX1";
const HEAD: usize = 4 + 4 + 16;
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A segment larger than this is written anew with what the tip needs.
const LARGE: usize = 32 << 20;

/// A segment as it was last seen.
#[derive(Debug)]
pub(super) struct Kept {
    name: &'static str,
    /// Its tip; `None` where there is none.
    tip: Option<String>,
    bytes: usize,
    damaged: bool,
}

impl Kept {
    /// Reads the segment `name` and hands out the rows of each piece.
    pub fn read(segments: &dyn Segments, name: &'static str, mut rows: impl FnMut(&[u8])) -> Kept {
        let Ok(Some((tip, bytes))) = segments.read(name) else {
            return Kept { name, tip: None, bytes: 0, damaged: false };
        };
        let mut rest = bytes.as_slice();
        while let Some((payload, after)) = piece(rest) {
            // Other versions measure otherwise.
            if let Some(own) = of_this_version(payload) {
                rows(own);
            }
            rest = after;
        }
        Kept { name, tip: Some(tip), bytes: bytes.len(), damaged: !rest.is_empty() }
    }

    /// Adds rows; a segment that is damaged or large is written anew with the rows of `live`. Another
    /// process that wrote in between keeps what it wrote.
    pub fn add(&mut self, segments: &dyn Segments, rows: &[u8], live: impl FnOnce() -> Vec<u8>) {
        let anew = self.damaged || self.bytes > LARGE;
        let bytes = if anew { sealed(&live()) } else { sealed(rows) };
        let tip = crate::base::id::hex(&bytes[8..HEAD]);
        let done = match anew {
            true => segments.replace(self.name, &tip, &bytes).is_ok(),
            false => segments.append(self.name, self.tip.as_deref(), &tip, &bytes).unwrap_or(false),
        };
        if done {
            self.bytes = bytes.len() + if anew { 0 } else { self.bytes };
            (self.tip, self.damaged) = (Some(tip), false);
        } else if let Ok(Some((tip, bytes))) = segments.read(self.name) {
            (self.tip, self.bytes) = (Some(tip), bytes.len());
        }
    }
}

fn sealed(rows: &[u8]) -> Vec<u8> {
    let payload = [&[VERSION.len() as u8], VERSION.as_bytes(), rows].concat();
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

fn of_this_version(payload: &[u8]) -> Option<&[u8]> {
    let (length, rest) = payload.split_first()?;
    let (version, rows) = rest.split_at_checked(usize::from(*length))?;
    (version == VERSION.as_bytes()).then_some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::port::Memory;

    fn read(memory: &Memory) -> (Vec<Vec<u8>>, Kept) {
        let mut rows = Vec::new();
        let kept = Kept::read(memory, "x", |piece| rows.push(piece.to_vec()));
        (rows, kept)
    }

    #[test]
    fn pieces_are_read_back_and_another_writer_is_not_lost() {
        let memory = Memory::default();
        let (_, mut first) = read(&memory);
        let (_, mut second) = read(&memory);
        first.add(&memory, b"one", Vec::new);
        second.add(&memory, b"lost", Vec::new);
        second.add(&memory, b"two", Vec::new);
        let (rows, kept) = read(&memory);
        assert_eq!(rows, [b"one", b"two"]);
        assert_eq!((kept.tip, kept.bytes, kept.damaged), (second.tip, second.bytes, false));
    }

    #[test]
    fn damage_is_passed_over_and_mended() {
        let memory = Memory::default();
        read(&memory).1.add(&memory, b"one", Vec::new);
        let (tip, mut bytes) = memory.read("x").unwrap().unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 0x10;
            memory.replace("x", &tip, &bytes).unwrap();
            let (rows, mut kept) = read(&memory);
            assert!(rows.is_empty() && kept.damaged, "{at}");
            kept.add(&memory, b"new", || b"all".to_vec());
            let (rows, kept) = read(&memory);
            assert_eq!((rows, kept.damaged), (vec![b"all".to_vec()], false));
            bytes[at] ^= 0x10;
        }
    }
}
