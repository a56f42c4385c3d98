//! Two versions of a file compared line by line, whitespace left aside.
//!
//! Equal ends are cut off as bytes first, so that a small change of a large file costs what the
//! change costs; only what lies between is split into lines and hashed.

use gix::diff::blob::{Algorithm, Diff, InternedInput, TokenSource};

/// Lines given back to the part that is compared before and after it, so that git's choice among
/// equal placements of a hunk stays open.
const CONTEXT: usize = 6;

/// Lines `old..old + removed` stand as `new..new + added` after the change; counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hunk {
    pub old: u32,
    pub removed: u32,
    pub new: u32,
    pub added: u32,
}

/// The part of one version that was compared.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// The number of its first line.
    pub first: u32,
    /// Where its lines start in the file, and where the last one ends.
    starts: Vec<u32>,
    hashes: Vec<u64>,
    weights: Vec<u8>,
}

impl Part {
    /// `data[from..to]`, whose first line is number `first`.
    pub fn new(data: &[u8], from: usize, to: usize, first: u32) -> Part {
        let mut part = Part { first, ..Part::default() };
        let mut digest = Digest::default();
        let mut at = from;
        while at < to {
            let end = find(b'\n', &data[at..to]).map_or(to, |end| at + end + 1);
            part.starts.push(small(at));
            part.hashes.push(digest.of(&data[at..end]));
            at = end;
        }
        part.weights = vec![0; part.hashes.len()];
        part.starts.push(small(to));
        part
    }

    /// Weighs these lines.
    fn weigh(&mut self, data: &[u8], from: u32, lines: u32) {
        for line in from..from + lines {
            let letters =
                self.text(data, line).iter().filter(|byte| byte.is_ascii_alphanumeric() || **byte >= 0x80);
            let weight = u8::try_from(letters.count()).unwrap_or(u8::MAX);
            if let Some(slot) = self.slot(line)
                && let Some(known) = self.weights.get_mut(slot)
            {
                *known = weight;
            }
        }
    }

    /// A whole file.
    pub fn whole(data: &[u8]) -> Part {
        Part::new(data, 0, data.len(), 0)
    }

    /// How many lines it holds.
    pub fn lines(&self) -> u32 {
        small(self.hashes.len())
    }

    fn slot(&self, line: u32) -> Option<usize> {
        line.checked_sub(self.first).map(|slot| slot as usize)
    }

    /// The hash of a line without its whitespace; `None` outside of the part.
    pub fn hash(&self, line: u32) -> Option<u64> {
        self.hashes.get(self.slot(line)?).copied()
    }

    /// Letters and digits of a line, at most 255; 0 outside of the hunks.
    pub fn weight(&self, line: u32) -> u8 {
        self.slot(line).and_then(|slot| self.weights.get(slot)).copied().unwrap_or(0)
    }

    /// The bytes of a line within its file; empty outside of the part.
    pub fn text<'a>(&self, data: &'a [u8], line: u32) -> &'a [u8] {
        self.range(line).and_then(|range| data.get(range)).unwrap_or_default()
    }

    /// Where a line stands in its file.
    pub fn range(&self, line: u32) -> Option<std::ops::Range<usize>> {
        let slot = self.slot(line)?;
        Some(*self.starts.get(slot)? as usize..*self.starts.get(slot + 1)? as usize)
    }
}

/// Two versions compared.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub old: Part,
    pub new: Part,
    /// What differs, in order.
    pub hunks: Vec<Hunk>,
}

/// Compares two texts.
pub(super) fn compare(old: &[u8], new: &[u8]) -> Compared {
    let (start, end) = equal_ends(old, new);
    let first = count(&old[..start]);
    let mut old_part = Part::new(old, start, old.len() - end, first);
    let mut new_part = Part::new(new, start, new.len() - end, first);
    let input = InternedInput::new(Hashes(&old_part.hashes), Hashes(&new_part.hashes));
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_no_heuristic(&input);
    let hunks: Vec<Hunk> = diff
        .hunks()
        .map(|hunk| Hunk {
            old: first + hunk.before.start,
            removed: hunk.before.end - hunk.before.start,
            new: first + hunk.after.start,
            added: hunk.after.end - hunk.after.start,
        })
        .collect();
    for hunk in &hunks {
        old_part.weigh(old, hunk.old, hunk.removed);
        new_part.weigh(new, hunk.new, hunk.added);
    }
    Compared { old: old_part, new: new_part, hunks }
}

/// A file that has no version before: all of it is added.
pub(super) fn added(new: &[u8]) -> Compared {
    let mut part = Part::whole(new);
    part.weigh(new, 0, part.lines());
    let hunks = vec![Hunk { old: 0, removed: 0, new: 0, added: part.lines() }];
    Compared { old: Part::default(), new: part, hunks }
}

/// A file that has no version after: all of it is removed.
pub(super) fn removed(old: &[u8]) -> Compared {
    let mut part = Part::whole(old);
    part.weigh(old, 0, part.lines());
    let hunks = vec![Hunk { old: 0, removed: part.lines(), new: 0, added: 0 }];
    Compared { old: part, new: Part::default(), hunks }
}

#[derive(Clone, Copy)]
struct Hashes<'a>(&'a [u64]);

impl<'a> TokenSource for Hashes<'a> {
    type Token = u64;
    type Tokenizer = std::iter::Copied<std::slice::Iter<'a, u64>>;

    fn tokenize(&self) -> Self::Tokenizer {
        self.0.iter().copied()
    }

    fn estimate_tokens(&self) -> u32 {
        small(self.0.len())
    }
}

/// Hashes lines without their whitespace.
struct Digest {
    buffer: [u8; Digest::STEP + 8],
}

impl Default for Digest {
    fn default() -> Self {
        Digest { buffer: [0; Digest::STEP + 8] }
    }
}

impl Digest {
    const STEP: usize = 256;

    fn of(&mut self, line: &[u8]) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        let mut filled = 0;
        for part in line.chunks(Self::STEP) {
            for byte in part {
                // Whitespace is written over by what comes next: no branch to guess wrong.
                self.buffer[filled] = *byte;
                filled += usize::from(*byte > b' ');
            }
            let whole = filled / 8 * 8;
            for word in self.buffer[..whole].as_chunks::<8>().0 {
                hash = mix(hash ^ u64::from_le_bytes(*word));
            }
            self.buffer.copy_within(whole..filled, 0);
            filled -= whole;
        }
        let mut last = [0; 8];
        last[..filled].copy_from_slice(&self.buffer[..filled]);
        hash = mix(hash ^ u64::from_le_bytes(last) ^ (filled as u64) << 56);
        mix(hash)
    }
}

fn mix(value: u64) -> u64 {
    let value = value.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    value ^ value >> 32
}

/// Bytes of whole lines that are equal at the start and at the end, less [`CONTEXT`].
fn equal_ends(old: &[u8], new: &[u8]) -> (usize, usize) {
    const STEP: usize = 64;
    let limit = old.len().min(new.len());
    let blocks = old[..limit]
        .chunks_exact(STEP)
        .zip(new[..limit].chunks_exact(STEP))
        .take_while(|(a, b)| a == b)
        .count()
        * STEP;
    let start =
        blocks + old[blocks..limit].iter().zip(&new[blocks..limit]).take_while(|(a, b)| a == b).count();
    if start == old.len() && start == new.len() {
        return (start, 0);
    }
    let limit = limit - start;
    let (old_rest, new_rest) = (&old[old.len() - limit..], &new[new.len() - limit..]);
    let blocks =
        old_rest.rchunks_exact(STEP).zip(new_rest.rchunks_exact(STEP)).take_while(|(a, b)| a == b).count()
            * STEP;
    let (a, b) = (&old_rest[..limit - blocks], &new_rest[..limit - blocks]);
    let end = blocks + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    // Back to the start of a line, and some lines more.
    let mut start = start;
    for _ in 0..=CONTEXT {
        start = gix::bstr::ByteSlice::rfind_byte(&old[..start], b'\n').unwrap_or(0);
    }
    if start > 0 {
        start += 1;
    }
    let tail = &old[old.len() - end..];
    let mut skipped = 0;
    for _ in 0..=CONTEXT {
        skipped += find(b'\n', &tail[skipped..]).map_or(end - skipped, |at| at + 1);
    }
    (start, end - skipped)
}

/// Newlines in `data`.
pub(super) fn count(data: &[u8]) -> u32 {
    let lines: usize = data
        .chunks(255)
        .map(|block| usize::from(block.iter().fold(0u8, |sum, byte| sum + u8::from(*byte == b'\n'))))
        .sum();
    small(lines)
}

fn find(byte: u8, data: &[u8]) -> Option<usize> {
    gix::bstr::ByteSlice::find_byte(data, byte)
}

/// Files beyond 4 GiB count as binary, so this never cuts.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hunks(old: &str, new: &str) -> Vec<(u32, u32, u32, u32)> {
        let compared = compare(old.as_bytes(), new.as_bytes());
        compared.hunks.iter().map(|hunk| (hunk.old, hunk.removed, hunk.new, hunk.added)).collect()
    }

    #[test]
    fn whitespace_is_no_change() {
        assert_eq!(hunks("a b\n  c\nd\n", "\ta  b\nc\r\nd"), []);
        assert_eq!(hunks("ab\n", "ba\n"), [(0, 1, 0, 1)]);
    }

    #[test]
    fn lines_keep_their_numbers_in_large_files() {
        let lines: Vec<String> = (0..1000).map(|line| format!("line {line}\n")).collect();
        let old = lines.concat();
        let mut changed = lines.clone();
        changed[500] = "other\n".to_owned();
        changed.insert(700, "more\n".to_owned());
        let new = changed.concat();
        assert_eq!(hunks(&old, &new), [(500, 1, 500, 1), (700, 0, 700, 1)]);
        let compared = compare(old.as_bytes(), new.as_bytes());
        assert_eq!(compared.new.text(new.as_bytes(), 700), b"more\n");
        assert!(compared.new.hash(0).is_none());
        assert_eq!(hunks(&old, &old), []);
        assert_eq!(hunks("", "a\nb"), [(0, 0, 0, 2)]);
        assert_eq!(hunks("a\nb", ""), [(0, 2, 0, 0)]);
    }

    #[test]
    fn lengths_near_a_word_have_their_own_hashes() {
        let mut seen = std::collections::HashSet::new();
        for length in 0..40 {
            assert!(seen.insert(Digest::default().of(&vec![b'x'; length])));
        }
        let mut digest = Digest::default();
        let long = [b"ab ".repeat(400), b"c".to_vec()].concat();
        let bare = [b"ab".repeat(400), b"c\n".to_vec()].concat();
        assert_eq!(digest.of(&long), digest.of(&bare));
        assert_eq!(compare(b"", b"a1 _ b\n").new.weight(0), 3);
    }
}
