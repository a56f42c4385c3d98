//! Lines: how many a file has, whether it is text, and how many a change adds and deletes.
//!
//! The counts are those of git's default diff. Most changes touch a small part of a file, so equal
//! ends are cut off as bytes before any line is looked at; where that could change what git's
//! heuristics do, the whole files are compared the way git compares them.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use gix::diff::blob::{Algorithm, Diff, Token};

/// How far git looks for a NUL byte that makes a file binary.
const BINARY_WINDOW: usize = 8000;

/// With fewer unmatched lines than this on a side, git never drops a frequent line from the search.
const PRUNING_NEEDS: usize = 7;

/// Up to this many changed lines the search is below every cost limit, so it is exact.
const EXACT_COST: u32 = 500;

/// Whether git calls these bytes binary.
pub(super) fn is_binary(data: &[u8]) -> bool {
    memchr(0, &data[..data.len().min(BINARY_WINDOW)]).is_some()
}

/// Lines of a file; a last line without a newline counts.
pub(super) fn count(data: &[u8]) -> u32 {
    // Summed in small blocks of bytes so that the compiler can use vector instructions.
    let newlines: usize = data
        .chunks(255)
        .map(|block| usize::from(block.iter().fold(0u8, |sum, byte| sum + u8::from(*byte == b'\n'))))
        .sum();
    let open = usize::from(data.last().is_some_and(|last| *last != b'\n'));
    u32::try_from(newlines + open).unwrap_or(u32::MAX)
}

/// Lines added and deleted from `old` to `new`, both text.
pub(super) fn changed(old: &[u8], new: &[u8]) -> (u32, u32) {
    let (start, end) = equal_ends(old, new);
    let (old_part, new_part) = (&old[start..old.len() - end], &new[start..new.len() - end]);
    if old_part.is_empty() || new_part.is_empty() {
        return (count(new_part), count(old_part));
    }
    let mut table = Table::new(old_part.len() + new_part.len());
    let before: Vec<Token> = Lines(old_part).map(|line| table.number(line)).collect();
    let after: Vec<Token> = Lines(new_part).map(|line| table.number(line)).collect();
    let numbers = table.len();
    if unmatched(&before, &after, numbers) < PRUNING_NEEDS {
        let (added, deleted) = diff(&before, &after, numbers);
        if added + deleted <= EXACT_COST || start + end == 0 {
            return (added, deleted);
        }
    } else if start + end == 0 {
        return diff(&before, &after, numbers);
    }
    // How often a line stands in the whole files decides what git drops from the search. Lines of the
    // equal ends that stand nowhere between them count for nothing but the length: one number for all.
    let other = Token(numbers);
    let ends = |part: &[u8]| -> Vec<Token> {
        Lines(part).map(|line| table.find(line).map_or(other, Token)).collect()
    };
    let (first, last) = (ends(&old[..start]), ends(&old[old.len() - end..]));
    let whole = |middle: Vec<Token>| [first.as_slice(), &middle, &last].concat();
    diff(&whole(before), &whole(after), numbers + 1)
}

/// Lines added and deleted between two lists of numbered lines.
fn diff(before: &[Token], after: &[Token], numbers: u32) -> (u32, u32) {
    let mut diff = Diff::default();
    diff.compute_with(Algorithm::Myers, before, after, numbers);
    (diff.count_additions(), diff.count_removals())
}

/// Bytes of whole lines that are equal at the start and at the end, never overlapping.
fn equal_ends(old: &[u8], new: &[u8]) -> (usize, usize) {
    let limit = old.len().min(new.len());
    let mut start = equal_prefix(&old[..limit], &new[..limit]);
    if start == old.len() && start == new.len() {
        return (start, 0);
    }
    // Back to the start of the line that differs.
    start = memrchr(b'\n', &old[..start]).map_or(0, |at| at + 1);
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let limit = old_rest.len().min(new_rest.len());
    let mut end = equal_suffix(&old_rest[old_rest.len() - limit..], &new_rest[new_rest.len() - limit..]);
    let begins_line = |rest: &[u8]| rest.len() == end || rest[rest.len() - end - 1] == b'\n';
    if !(begins_line(old_rest) && begins_line(new_rest)) {
        // On to the start of the next line.
        let tail = &old_rest[old_rest.len() - end..];
        end -= memchr(b'\n', tail).map_or(end, |at| at + 1);
    }
    (start, end)
}

/// Bytes that are compared at once.
const STEP: usize = 64;

/// Whether two blocks of [`STEP`] bytes are equal, without a call for so few of them.
fn equal_blocks(a: &[u8], b: &[u8]) -> bool {
    let differing = a.chunks_exact(8).zip(b.chunks_exact(8)).fold(0, |sum, (a, b)| {
        let word = |bytes: &[u8]| bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        sum | (word(a) ^ word(b))
    });
    differing == 0
}

fn equal_prefix(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(STEP).zip(b.chunks_exact(STEP));
    let blocks = blocks.take_while(|(a, b)| equal_blocks(a, b)).count() * STEP;
    blocks + a[blocks..].iter().zip(&b[blocks..]).take_while(|(a, b)| a == b).count()
}

fn equal_suffix(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.rchunks_exact(STEP).zip(b.rchunks_exact(STEP));
    let blocks = blocks.take_while(|(a, b)| equal_blocks(a, b)).count() * STEP;
    let (a, b) = (&a[..a.len() - blocks], &b[..b.len() - blocks]);
    blocks + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

fn memchr(byte: u8, data: &[u8]) -> Option<usize> {
    gix::bstr::ByteSlice::find_byte(data, byte)
}

fn memrchr(byte: u8, data: &[u8]) -> Option<usize> {
    gix::bstr::ByteSlice::rfind_byte(data, byte)
}

/// The larger number of lines on one side that the other side does not have.
fn unmatched(before: &[Token], after: &[Token], numbers: u32) -> usize {
    let mut seen = vec![0u8; numbers as usize];
    before.iter().for_each(|token| seen[token.0 as usize] |= 1);
    after.iter().for_each(|token| seen[token.0 as usize] |= 2);
    let alone = |side: &[Token], bit: u8| side.iter().filter(|token| seen[token.0 as usize] == bit).count();
    alone(before, 1).max(alone(after, 2))
}

/// A file as its lines, newlines included: `a` and `a\n` are different lines to git.
#[derive(Clone, Copy)]
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr(b'\n', self.0).map_or(self.0.len(), |at| at + 1);
        let (line, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(line)
    }
}

/// No line.
const EMPTY: u32 = u32::MAX;

/// Lines that got numbers, by open addressing.
struct Table<'a> {
    /// Numbers of lines; the length is a power of two.
    slots: Vec<u32>,
    /// By number: hash and line.
    lines: Vec<(u64, &'a [u8])>,
}

impl<'a> Table<'a> {
    /// A table that expects the lines of so many bytes.
    fn new(bytes: usize) -> Self {
        let lines = bytes / 40 + 8;
        Table { slots: vec![EMPTY; (2 * lines).next_power_of_two()], lines: Vec::with_capacity(lines) }
    }

    fn len(&self) -> u32 {
        self.lines.len() as u32
    }

    /// The slot of a line: its own, or the empty one where it would stand.
    fn slot(&self, hash: u64, line: &[u8]) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            match self.lines.get(self.slots[at] as usize) {
                Some((known, text)) if *known != hash || *text != line => at = (at + 1) & mask,
                _ => return at,
            }
        }
    }

    fn find(&self, line: &[u8]) -> Option<u32> {
        let number = self.slots[self.slot(hash(line), line)];
        (number != EMPTY).then_some(number)
    }

    fn number(&mut self, line: &'a [u8]) -> Token {
        let hash = hash(line);
        let at = self.slot(hash, line);
        if self.slots[at] != EMPTY {
            return Token(self.slots[at]);
        }
        let number = self.len();
        self.slots[at] = number;
        self.lines.push((hash, line));
        if self.lines.len() * 4 > self.slots.len() * 3 {
            self.slots = vec![EMPTY; self.slots.len() * 2];
            let mask = self.slots.len() - 1;
            for (number, (hash, _)) in self.lines.iter().enumerate() {
                let mut at = *hash as usize & mask;
                while self.slots[at] != EMPTY {
                    at = (at + 1) & mask;
                }
                self.slots[at] = number as u32;
            }
        }
        Token(number)
    }
}

/// Eight bytes at a time; the start differs from process to process, so that no file can be written
/// whose lines all fall together.
fn hash(line: &[u8]) -> u64 {
    static START: LazyLock<(u64, u64)> = LazyLock::new(|| {
        let state = RandomState::new();
        (state.hash_one(0), state.hash_one(1) | 1)
    });
    let (start, factor) = *START;
    let mix = |sum: u64, word: u64| {
        let wide = u128::from(sum ^ word) * u128::from(factor);
        wide as u64 ^ (wide >> 64) as u64
    };
    let (words, rest) = line.as_chunks::<8>();
    let sum = words.iter().fold(start ^ line.len() as u64, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(mix(sum, u64::from_le_bytes(last)), start)
}

#[cfg(test)]
mod tests {
    use super::*;

    use gix::diff::blob::{InternedInput, TokenSource};

    impl<'a> TokenSource for Lines<'a> {
        type Token = &'a [u8];
        type Tokenizer = Self;

        fn tokenize(&self) -> Self {
            *self
        }

        fn estimate_tokens(&self) -> u32 {
            4
        }
    }

    fn whole(old: &[u8], new: &[u8]) -> (u32, u32) {
        let diff = Diff::compute(Algorithm::Myers, &InternedInput::new(Lines(old), Lines(new)));
        (diff.count_additions(), diff.count_removals())
    }

    #[test]
    fn a_last_line_without_newline_counts() {
        assert_eq!(count(b""), 0);
        assert_eq!(count(b"a"), 1);
        assert_eq!(count(b"a\n"), 1);
        assert_eq!(count(b"a\nb"), 2);
        assert_eq!(count(&b"\n".repeat(1000)), 1000);
    }

    #[test]
    fn a_newline_added_at_the_end_changes_the_line() {
        assert_eq!(changed(b"a\nb", b"a\nb\n"), (1, 1));
        assert_eq!(changed(b"a\nb", b"a\nb\nc"), (2, 1));
        assert_eq!(changed(b"", b"a\nb"), (2, 0));
        assert_eq!(changed(b"a\nb\n", b""), (0, 2));
        assert_eq!(changed(b"same\n", b"same\n"), (0, 0));
        assert_eq!(changed(b"xend\n", b"yend\n"), (1, 1));
        assert_eq!(changed(b"end\n", b"y\nend\n"), (1, 0));
    }

    #[test]
    fn cutting_equal_ends_changes_no_count() {
        let mut random = 7u64;
        let mut next = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        for round in 0..3000 {
            let alphabet = 2 + round % 40;
            let old: Vec<u64> =
                (0..next(if round % 10 == 0 { 900 } else { 120 })).map(|_| next(alphabet)).collect();
            let mut new = old.clone();
            for _ in 0..next(if round % 3 == 0 { 60 } else { 12 }) {
                let at = next(new.len() as u64 + 1) as usize;
                if next(2) == 0 || at >= new.len() {
                    new.insert(at.min(new.len()), next(alphabet));
                } else {
                    new.remove(at);
                }
            }
            let text = |lines: &[u64], open: bool| {
                let mut text: Vec<u8> =
                    lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
                if open {
                    text.pop();
                }
                text
            };
            let (old, new) = (text(&old, next(4) == 0), text(&new, next(4) == 0));
            assert_eq!(changed(&old, &new), whole(&old, &new), "{round}");
        }
    }
}
