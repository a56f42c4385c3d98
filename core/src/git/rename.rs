//! Renames as git finds them at 50 %: which of two similar files is the source decides whose
//! history a file continues, so every preference of git is kept, ties included.

use std::collections::HashMap;

use gix::bstr::{BString, ByteSlice};

use super::lines;
use super::read::{Blob, Reader};
use super::tree::{Differing, Side, is_regular};

/// A similarity of 100 %.
const MAX_SCORE: u64 = 60_000;
/// 50 %: what makes a rename.
const MIN_SCORE: u64 = 30_000;
/// 75 %: what makes a rename of two files that alone have the same base name.
const MIN_BASENAME_SCORE: u64 = 45_000;
/// Beyond the square of this many pairs git does not look at contents at all.
const RENAME_LIMIT: u64 = 1000;
/// Sources remembered for each destination.
const CANDIDATES: usize = 4;
/// Unused sources of the same content that are looked at for one destination.
const IDENTICAL: usize = 100;

/// One touched file: renamed where `from` is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The path (after the change, where it still exists).
    pub path: BString,
    /// The path before, where renamed.
    pub from: Option<BString>,
    /// The version before.
    pub old: Option<Side>,
    /// The version after.
    pub new: Option<Side>,
}

/// Joins deleted and added files to renames; the rest stays. Sorted by path. `false` where contents that
/// decide are not in this clone, so that renames may be missing.
pub(super) fn detect(reader: &mut Reader, files: Vec<Differing>) -> (Vec<Pair>, bool) {
    let mut search = Search::new(&files);
    if !search.sources.is_empty() && !search.targets.is_empty() {
        search.exact();
        search.by_basename(reader);
        search.by_content(reader);
    }
    let mut from: HashMap<usize, usize> = HashMap::new();
    let mut gone = vec![false; files.len()];
    for target in &search.targets {
        if let Some(source) = target.source {
            from.insert(target.file, source);
            gone[source] = true;
        }
    }
    let mut pairs = Vec::with_capacity(files.len());
    for (at, file) in files.iter().enumerate() {
        if gone[at] {
            continue;
        }
        let source = from.get(&at).map(|source| &files[*source]);
        pairs.push(Pair {
            path: file.path.clone(),
            from: source.map(|source| source.path.clone()),
            old: source.map_or(file.old, |source| source.old),
            new: file.new,
        });
    }
    let sure = !search.unread;
    (pairs, sure)
}

struct Target {
    file: usize,
    source: Option<usize>,
}

struct Search<'a> {
    files: &'a [Differing],
    /// Deleted files that no rename has used, in order.
    sources: Vec<usize>,
    targets: Vec<Target>,
    prints: HashMap<gix::ObjectId, Option<std::sync::Arc<Print>>>,
    sizes: HashMap<gix::ObjectId, Option<u64>>,
    /// Whether a content that was asked for could not be read.
    unread: bool,
}

/// What a file consists of, by pieces.
struct Print {
    /// Sorted (hash of a piece, bytes in such pieces).
    pieces: Vec<(u32, u32)>,
}

#[derive(Clone, Copy)]
struct Candidate {
    target: usize,
    source: usize,
    score: u64,
    same_name: bool,
}

impl Candidate {
    fn rank(&self) -> (u64, bool) {
        (self.score, self.same_name)
    }
}

impl<'a> Search<'a> {
    fn new(files: &'a [Differing]) -> Self {
        let sources = (0..files.len()).filter(|at| files[*at].new.is_none()).collect();
        let targets = (0..files.len())
            .filter(|at| files[*at].old.is_none())
            .map(|file| Target { file, source: None })
            .collect();
        Search { files, sources, targets, prints: HashMap::new(), sizes: HashMap::new(), unread: false }
    }

    fn drop_used(&mut self) {
        let used: std::collections::HashSet<usize> =
            self.targets.iter().filter_map(|target| target.source).collect();
        self.sources.retain(|source| !used.contains(source));
    }

    /// Files of the same content: the first unused one, but rather one of the same base name.
    fn exact(&mut self) {
        let mut by_id: HashMap<gix::ObjectId, Vec<usize>> = HashMap::new();
        for source in &self.sources {
            if let Some((_, id)) = self.files[*source].old {
                by_id.entry(id).or_default().push(*source);
            }
        }
        for target in &mut self.targets {
            let Some((mode, id)) = self.files[target.file].new else { continue };
            let Some(sources) = by_id.get_mut(&id) else { continue };
            let fits = |source: usize| {
                self.files[source]
                    .old
                    .is_some_and(|(other, _)| (is_regular(mode) && is_regular(other)) || mode == other)
            };
            let path = &self.files[target.file].path;
            let mut best = None;
            for (at, source) in
                sources.iter().enumerate().filter(|(_, source)| fits(**source)).take(IDENTICAL)
            {
                if same_basename(&self.files[*source].path, path) {
                    best = Some(at);
                    break;
                }
                best = best.or(Some(at));
            }
            if let Some(at) = best {
                target.source = Some(sources.remove(at));
            }
        }
        self.drop_used();
    }

    /// Files whose base name is the only one of its kind on both sides.
    fn by_basename(&mut self, reader: &mut Reader) {
        fn unique<'b>(names: impl Iterator<Item = (usize, &'b [u8])>) -> HashMap<&'b [u8], Option<usize>> {
            let mut map = HashMap::new();
            for (at, name) in names {
                map.entry(name).and_modify(|known| *known = None).or_insert(Some(at));
            }
            map
        }
        let files = self.files;
        let sources = unique(self.sources.iter().map(|source| (*source, basename(&files[*source].path))));
        let targets = unique(
            self.targets
                .iter()
                .enumerate()
                .filter(|(_, target)| target.source.is_none())
                .map(|(at, target)| (at, basename(&files[target.file].path))),
        );
        for source in self.sources.clone() {
            let name = basename(&files[source].path);
            let (Some(Some(_)), Some(Some(target))) = (sources.get(name), targets.get(name)) else {
                continue;
            };
            let score = self.score(reader, source, self.targets[*target].file, MIN_BASENAME_SCORE);
            if score >= MIN_BASENAME_SCORE {
                self.targets[*target].source = Some(source);
            }
        }
        self.drop_used();
    }

    /// All that is left, each with each, most similar first.
    fn by_content(&mut self, reader: &mut Reader) {
        let open: Vec<usize> =
            (0..self.targets.len()).filter(|at| self.targets[*at].source.is_none()).collect();
        let pairs = open.len() as u64 * self.sources.len() as u64;
        if pairs == 0 || pairs > RENAME_LIMIT * RENAME_LIMIT {
            return;
        }
        let mut all: Vec<Candidate> = Vec::with_capacity(open.len() * CANDIDATES);
        for target in open {
            let file = self.targets[target].file;
            let mut best: [Option<Candidate>; CANDIDATES] = [None; CANDIDATES];
            for source in self.sources.clone() {
                let candidate = Candidate {
                    target,
                    source,
                    score: self.score(reader, source, file, MIN_SCORE),
                    same_name: same_basename(&self.files[source].path, &self.files[file].path),
                };
                // The first of the worst gives way, and only to a better one: as git does.
                let rank = |slot: &Option<Candidate>| slot.as_ref().map(Candidate::rank);
                let mut worst = 0;
                for at in 1..CANDIDATES {
                    if rank(&best[at]) < rank(&best[worst]) {
                        worst = at;
                    }
                }
                if rank(&best[worst]) < Some(candidate.rank()) {
                    best[worst] = Some(candidate);
                }
            }
            all.extend(best.into_iter().flatten());
        }
        all.sort_by_key(|candidate| std::cmp::Reverse(candidate.rank()));
        let mut used = std::collections::HashSet::new();
        for candidate in all {
            if candidate.score < MIN_SCORE {
                break;
            }
            let target = &mut self.targets[candidate.target];
            if target.source.is_none() && used.insert(candidate.source) {
                target.source = Some(candidate.source);
            }
        }
    }

    /// How much of the target stands in the source, of [`MAX_SCORE`]; 0 where it cannot reach `least`.
    fn score(&mut self, reader: &mut Reader, source: usize, target: usize, least: u64) -> u64 {
        let (Some((old_mode, old)), Some((new_mode, new))) = (self.files[source].old, self.files[target].new)
        else {
            return 0;
        };
        if !is_regular(old_mode) || !is_regular(new_mode) {
            return 0;
        }
        let mut size = |id| *self.sizes.entry(id).or_insert_with(|| reader.size(&id));
        let (Some(old_size), Some(new_size)) = (size(old), size(new)) else {
            self.unread = true;
            return 0;
        };
        let (most, fewest) = (old_size.max(new_size), old_size.min(new_size));
        if most * (MAX_SCORE - least) < (most - fewest) * MAX_SCORE || new_size == 0 {
            return 0;
        }
        let (Some(old), Some(new)) = (self.print(reader, old), self.print(reader, new)) else {
            self.unread = true;
            return 0;
        };
        copied(&old.pieces, &new.pieces) * MAX_SCORE / most
    }

    fn print(&mut self, reader: &mut Reader, id: gix::ObjectId) -> Option<std::sync::Arc<Print>> {
        if let Some(print) = self.prints.get(&id) {
            return print.clone();
        }
        let print = reader.blob(&id).map(|blob| std::sync::Arc::new(Print { pieces: pieces(&blob) }));
        self.prints.insert(id, print.clone());
        print
    }
}

fn basename(path: &BString) -> &[u8] {
    path.rfind_byte(b'/').map_or(path.as_slice(), |slash| &path[slash + 1..])
}

fn same_basename(a: &BString, b: &BString) -> bool {
    basename(a) == basename(b)
}

/// Splits a file into lines (or 64 bytes, where a line is longer) and hashes each, as git does.
fn pieces(blob: &Blob) -> Vec<(u32, u32)> {
    const BUCKETS: u32 = 107_927;
    let text = !lines::is_binary(&blob.data);
    let data = &blob.data;
    let mut hashes: Vec<(u32, u32)> = Vec::with_capacity(data.len() / 24);
    let (mut first, mut second, mut length) = (0u32, 0u32, 0u32);
    for (at, byte) in data.iter().enumerate() {
        if text && *byte == b'\r' && data.get(at + 1) == Some(&b'\n') {
            continue;
        }
        let before = first;
        first = (first << 7) ^ (second >> 25);
        second = (second << 7) ^ (before >> 25);
        first = first.wrapping_add(u32::from(*byte));
        length += 1;
        if length < 64 && *byte != b'\n' {
            continue;
        }
        hashes.push((first.wrapping_add(second.wrapping_mul(0x61)) % BUCKETS, length));
        (first, second, length) = (0, 0, 0);
    }
    hashes.sort_unstable();
    hashes.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.saturating_add(next.1);
        }
        same
    });
    hashes
}

/// Bytes of `old` that stand in `new` too.
fn copied(old: &[(u32, u32)], new: &[(u32, u32)]) -> u64 {
    let (mut sum, mut at) = (0, 0);
    for (hash, bytes) in old {
        while at < new.len() && new[at].0 < *hash {
            at += 1;
        }
        if at < new.len() && new[at].0 == *hash {
            sum += u64::from((*bytes).min(new[at].1));
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_ignore_the_order_of_lines() {
        let blob = |text: &str| Blob { data: std::sync::Arc::new(text.into()), binary: false, lines: 0 };
        let (a, b) = (pieces(&blob("one\ntwo\n")), pieces(&blob("two\r\none\n")));
        assert_eq!(copied(&a, &b), 8);
        assert_eq!(copied(&a, &pieces(&blob("two\nthree\n"))), 4);
    }

    #[test]
    fn base_names_are_compared_whole() {
        let path = |text: &str| BString::from(text);
        assert!(same_basename(&path("a/x.c"), &path("x.c")));
        assert!(!same_basename(&path("a/xx.c"), &path("x.c")));
    }
}
