//! Lines: how many a file has, whether it is text, and how many a change adds and deletes.
//!
//! The counts are those of git's default diff. Most changes touch a small part of a file, so equal
//! ends are cut off as bytes before any line is looked at; where that could change what git's
//! heuristics do, the whole files are compared the way git compares them.

use gix::diff::blob::{Algorithm, Diff, InternedInput, TokenSource};

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
    let input = InternedInput::new(Lines(old_part), Lines(new_part));
    if unmatched(&input) < PRUNING_NEEDS {
        let diff = Diff::compute(Algorithm::Myers, &input);
        let (added, deleted) = (diff.count_additions(), diff.count_removals());
        if added + deleted <= EXACT_COST {
            return (added, deleted);
        }
    }
    let input = if start + end == 0 { input } else { InternedInput::new(Lines(old), Lines(new)) };
    let diff = Diff::compute(Algorithm::Myers, &input);
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

fn equal_prefix(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 64;
    let blocks = a.chunks_exact(STEP).zip(b.chunks_exact(STEP)).take_while(|(a, b)| a == b).count() * STEP;
    blocks + a[blocks..].iter().zip(&b[blocks..]).take_while(|(a, b)| a == b).count()
}

fn equal_suffix(a: &[u8], b: &[u8]) -> usize {
    const STEP: usize = 64;
    let blocks = a.rchunks_exact(STEP).zip(b.rchunks_exact(STEP)).take_while(|(a, b)| a == b).count() * STEP;
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
fn unmatched(input: &InternedInput<&[u8]>) -> usize {
    let tokens = input.interner.num_tokens() as usize;
    let mut seen = vec![0u8; tokens];
    for token in &input.before {
        seen[token.0 as usize] |= 1;
    }
    for token in &input.after {
        seen[token.0 as usize] |= 2;
    }
    let alone = |side: &[gix::diff::blob::Token], bit: u8| {
        side.iter().filter(|token| seen[token.0 as usize] == bit).count()
    };
    alone(&input.before, 1).max(alone(&input.after, 2))
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

impl<'a> TokenSource for Lines<'a> {
    type Token = &'a [u8];
    type Tokenizer = Self;

    fn tokenize(&self) -> Self {
        *self
    }

    fn estimate_tokens(&self) -> u32 {
        u32::try_from(self.0.len() / 30 + 4).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for round in 0..400 {
            let alphabet = 2 + round % 40;
            let old: Vec<u64> = (0..next(120)).map(|_| next(alphabet)).collect();
            let mut new = old.clone();
            for _ in 0..next(12) {
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
