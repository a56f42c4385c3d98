//! Moved lines: blocks that a commit takes away in one place and adds in another.

use std::collections::HashMap;
use std::sync::Arc;

use super::compare::{Compared, Hunk, Part};

/// Letters and digits that a block moved within its file has at least, as `git blame -M` counts.
const WITHIN: u32 = 20;
/// The same for a block that comes from another file, as `git blame -C` counts.
const ACROSS: u32 = 40;
/// Lines with letters or digits that a block from another file has at least.
const ACROSS_LINES: u32 = 3;
/// A line that stands in more places than this is no sign of a move.
const PLACES: usize = 24;

/// Which side of a comparison a block is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Removed,
    Added,
}

impl Side {
    fn part(self, compared: &Compared) -> &Part {
        match self {
            Side::Removed => &compared.old,
            Side::Added => &compared.new,
        }
    }

    /// First line and one past the last line of a hunk on this side.
    pub fn lines(self, hunk: &Hunk) -> (u32, u32) {
        match self {
            Side::Removed => (hunk.old, hunk.old + hunk.removed),
            Side::Added => (hunk.new, hunk.new + hunk.added),
        }
    }
}

/// Where the lines of one side of some comparisons stand, by hash.
#[derive(Debug)]
pub(super) struct Blocks {
    side: Side,
    files: Vec<(u32, Arc<Compared>)>,
    by_hash: HashMap<u64, Vec<(u32, u32, u32)>>,
}

/// A block found elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The path's number.
    pub path: u32,
    /// The line that the line asked for stands at.
    pub line: u32,
    /// How many lines from there on go along.
    pub lines: u32,
}

impl Blocks {
    pub fn new(side: Side) -> Blocks {
        Blocks { side, files: Vec::new(), by_hash: HashMap::new() }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// Puts in this side of a comparison.
    pub fn add(&mut self, path: u32, compared: &Arc<Compared>) {
        let file = self.files.len() as u32;
        let part = self.side.part(compared);
        for (at, hunk) in compared.hunks.iter().enumerate() {
            let (from, to) = self.side.lines(hunk);
            for line in from..to {
                if part.weight(line) == 0 {
                    continue;
                }
                if let Some(hash) = part.hash(line) {
                    let places = self.by_hash.entry(hash).or_default();
                    if places.len() <= PLACES {
                        places.push((file, at as u32, line));
                    }
                }
            }
        }
        self.files.push((path, Arc::clone(compared)));
    }

    /// The block here that a line of the other side, in `hunk` of the file `path`, belongs to.
    pub fn find(&self, path: u32, part: &Part, bounds: (u32, u32), line: u32) -> Option<Found> {
        let places = self.by_hash.get(&part.hash(line)?)?;
        if places.len() > PLACES {
            return None;
        }
        let mut best: Option<(u32, bool, std::cmp::Reverse<u32>, Found)> = None;
        for (file, hunk, place) in places {
            let (other_path, other) = &self.files[*file as usize];
            let source = self.side.part(other);
            let (from, to) = self.side.lines(&other.hunks[*hunk as usize]);
            let (mut weight, mut lines) = (0, 0);
            let mut take = |line: u32| {
                let one = u32::from(part.weight(line));
                weight += one;
                lines += u32::from(one > 0);
            };
            take(line);
            let (mut a, mut b) = (line, *place);
            while a > bounds.0 && b > from && part.hash(a - 1) == source.hash(b - 1) {
                (a, b) = (a - 1, b - 1);
                take(a);
            }
            let mut along = 1;
            while line + along < bounds.1
                && place + along < to
                && part.hash(line + along) == source.hash(place + along)
            {
                take(line + along);
                along += 1;
            }
            let within = *other_path == path;
            let enough = if within { weight >= WITHIN } else { weight >= ACROSS && lines >= ACROSS_LINES };
            if !enough {
                continue;
            }
            let found = Found { path: *other_path, line: *place, lines: along };
            let rank = (weight, within, std::cmp::Reverse(place.abs_diff(line)), found);
            if best.is_none_or(|best| (rank.0, rank.1, rank.2) > (best.0, best.1, best.2)) {
                best = Some(rank);
            }
        }
        best.map(|best| best.3)
    }
}

/// Maps the lines of a hunk that says the same with its line breaks elsewhere: for each added line
/// the removed line that its first character comes from. `None` where the hunk says something else.
pub(super) fn reflowed(old: &[u8], new: &[u8], compared: &Compared, hunk: &Hunk) -> Option<Vec<u32>> {
    if hunk.removed == 0 || hunk.added == 0 {
        return None;
    }
    fn letters<'a>(
        data: &'a [u8],
        part: &'a Part,
        from: u32,
        lines: u32,
    ) -> impl Iterator<Item = (u32, u8)> + 'a {
        (from..from + lines).flat_map(move |line| {
            part.text(data, line).iter().copied().filter(|byte| *byte > b' ').map(move |byte| (line, byte))
        })
    }
    let mut before = letters(old, &compared.old, hunk.old, hunk.removed);
    let mut map: Vec<u32> = Vec::with_capacity(hunk.added as usize);
    for (line, byte) in letters(new, &compared.new, hunk.new, hunk.added) {
        let (from, same) = before.next()?;
        if same != byte {
            return None;
        }
        while map.len() <= (line - hunk.new) as usize {
            map.push(from);
        }
    }
    if before.next().is_some() || map.is_empty() {
        return None;
    }
    let last = hunk.old + hunk.removed - 1;
    map.resize(hunk.added as usize, last);
    Some(map)
}

#[cfg(test)]
mod tests {
    use super::super::compare;
    use super::*;

    #[test]
    fn a_moved_function_is_found_and_a_brace_is_not() {
        let body = "fn carry(state: &State) {\n    state.forward(12);\n    state.close();\n}\n";
        let taken = Arc::new(compare::compare(format!("a\nb\n{body}c\n").as_bytes(), b"a\nb\nc\n"));
        let indented: String = body.lines().map(|line| format!("  {line}\n")).collect();
        let put = compare::compare(b"x\n", format!("x\n{indented}}}\n").as_bytes());
        let mut blocks = Blocks::new(Side::Removed);
        blocks.add(7, &taken);
        let bounds = Side::Added.lines(&put.hunks[0]);
        assert_eq!(blocks.find(8, &put.new, bounds, 2), Some(Found { path: 7, line: 3, lines: 3 }));
        assert_eq!(blocks.find(8, &put.new, bounds, 5), None);
    }

    #[test]
    fn a_call_broken_over_lines_says_the_same() {
        let (old, new) =
            (b"go();\ncall(alpha, beta, gamma);\n", b"go();\ncall(alpha,\n    beta,\n    gamma);\n");
        let compared = compare::compare(old, new);
        assert_eq!(reflowed(old, new, &compared, &compared.hunks[0]), Some(vec![1, 1, 1]));
        let other = b"go();\ncall(alpha,\n    beta,\n    delta);\n";
        let compared = compare::compare(old, other);
        assert_eq!(reflowed(old, other, &compared, &compared.hunks[0]), None);
    }
}
