//! Which commits touched which file, with renames followed or every name for itself.

use gix::bstr::BString;

use super::super::diff::{NEW_BINARY, OLD_BINARY};
use super::super::log::{Log, NONE, Touched};
use super::tip::TipFile;

/// One commit's change of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::git) struct Touch {
    /// The commit, by place in the order.
    pub place: u32,
    pub added: u32,
    pub deleted: u32,
}

/// Lists of values by number, end to end.
#[derive(Clone, Debug, Default)]
pub(in crate::git) struct Lists<T> {
    starts: Vec<u32>,
    values: Vec<T>,
}

impl<T: Copy> Lists<T> {
    /// Sorts pairs of number and value into lists, pairs of one number in their order.
    pub fn new(count: usize, pairs: impl Iterator<Item = (u32, T)> + Clone) -> Lists<T> {
        let mut starts = vec![0u32; count + 1];
        let mut any = None;
        for (number, value) in pairs.clone() {
            starts[number as usize + 1] += 1;
            any = Some(value);
        }
        for at in 0..count {
            starts[at + 1] += starts[at];
        }
        let Some(any) = any else { return Lists { starts, values: Vec::new() } };
        let mut values = vec![any; starts[count] as usize];
        let mut ends = starts.clone();
        for (number, value) in pairs {
            let end = &mut ends[number as usize];
            values[*end as usize] = value;
            *end += 1;
        }
        Lists { starts, values }
    }

    /// The list of a number.
    pub fn of(&self, number: usize) -> &[T] {
        match (self.starts.get(number), self.starts.get(number + 1)) {
            (Some(from), Some(to)) => &self.values[*from as usize..*to as usize],
            _ => &[],
        }
    }
}

/// The touches of each file, oldest first.
///
/// A rename hands the past of the old name to the new one; a file that is made anew under the old
/// name begins there. Read from the newest commit back, that is: each path has the file whose past
/// runs through it (its heir), first itself; a rename makes the heir of the new path that of the old
/// one. Where the new path has none, as the rename did not last, everything stays as it was.
pub(in crate::git) fn followed(log: &Log, order: &[u32], files: &[TipFile]) -> Lists<Touch> {
    let mut heirs = vec![NONE; log.paths()];
    for (number, file) in files.iter().enumerate() {
        if let Some(path) = log.path_number(&file.path) {
            heirs[path as usize] = number as u32;
        }
    }
    let mut found: Vec<(u32, Touch)> = Vec::new();
    let mut last: Vec<u32> = vec![NONE; files.len()];
    let mut given: Vec<(u32, u32)> = Vec::new();
    for (place, at) in order.iter().enumerate().rev() {
        for part in log.files_of(*at) {
            let file = heirs[part.path as usize];
            if file == NONE {
                continue;
            }
            if part.from != NONE {
                given.push((part.from, file));
            }
            let touch = touch(place as u32, part);
            // Two names of one file in one commit are one touch.
            match found.get_mut(last[file as usize] as usize) {
                Some((_, known)) if known.place == touch.place => {
                    known.added = known.added.saturating_add(touch.added);
                    known.deleted = known.deleted.saturating_add(touch.deleted);
                }
                _ => {
                    last[file as usize] = found.len() as u32;
                    found.push((file, touch));
                }
            }
        }
        // Only then, so that a name that is given away and taken anew in one commit is two files.
        for (path, file) in given.drain(..) {
            heirs[path as usize] = file;
        }
    }
    Lists::new(files.len(), found.iter().rev().copied())
}

fn touch(place: u32, part: &Touched) -> Touch {
    Touch { place, added: part.counts.added, deleted: part.counts.deleted }
}

/// The touches of every name that was ever used, oldest first: a rename deletes one file and adds
/// another. Gives the names too, sorted.
pub(in crate::git) fn by_name(log: &Log, order: &[u32]) -> (Vec<BString>, Lists<Touch>) {
    let mut found: Vec<(u32, Touch)> = Vec::new();
    for (place, at) in order.iter().enumerate() {
        let place = place as u32;
        for part in log.files_of(*at) {
            let counts = &part.counts;
            if part.from == NONE {
                found.push((part.path, touch(place, part)));
                continue;
            }
            let deleted = if counts.flags & OLD_BINARY != 0 { 0 } else { counts.before };
            let added = if counts.flags & NEW_BINARY != 0 { 0 } else { counts.after };
            found.push((part.from, Touch { place, added: 0, deleted }));
            found.push((part.path, Touch { place, added, deleted: 0 }));
        }
    }
    let mut used: Vec<u32> = found.iter().map(|(path, _)| *path).collect();
    used.sort_unstable();
    used.dedup();
    used.sort_by(|a, b| log.path(*a).cmp(log.path(*b)));
    let mut number = vec![NONE; log.paths()];
    for (at, path) in used.iter().enumerate() {
        number[*path as usize] = at as u32;
    }
    let names = used.iter().map(|path| log.path(*path).clone()).collect();
    let pairs = found.iter().map(|(path, touch)| (number[*path as usize], *touch));
    (names, Lists::new(used.len(), pairs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_the_order_of_their_pairs() {
        let pairs = [(2, 'a'), (0, 'b'), (2, 'c'), (0, 'd')];
        let lists = Lists::new(4, pairs.into_iter());
        assert_eq!((lists.of(0), lists.of(2)), (&['b', 'd'][..], &['a', 'c'][..]));
        assert!(lists.of(1).is_empty() && lists.of(9).is_empty());
        let none: Lists<u8> = Lists::new(2, [].into_iter());
        assert!(none.of(1).is_empty());
    }
}
