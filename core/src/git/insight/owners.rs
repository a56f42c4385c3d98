//! `git.owners`: who made what, by file and folder.

use std::collections::HashSet;
use std::ops::Range;

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice};

use super::scope::{Paths, days};
use super::tally::{Part, Tally};
use super::{Commits, Insight, Scope, fewest_of_half};
use crate::base::cancel::CancelToken;
use crate::base::clock::rfc3339;
use crate::error::{Error, Result};
use crate::git::fold::Stamps;
use crate::git::record::{OwnedBy, OwnedPath, Owner, OwnersArgs, Ownership};

/// The least degree of authorship that makes an author (Avelino et al. 2016, after Fritz et al. 2014).
const AUTHOR: f64 = 3.293;
/// The least share of the greatest degree of authorship that makes an author.
const AUTHOR_SHARE: f64 = 0.75;

impl Insight {
    /// Who made the files of the selection, by folder or file. With `change` only the files that
    /// these commits touched, and their past without these commits.
    ///
    /// Errors: `args.invalid` for paths, times or a half-life that cannot be used, and where a commit
    /// of `change` is not part of this history; `call.cancelled`.
    pub fn owners(
        &self,
        commits: &Commits<'_>,
        args: &OwnersArgs,
        change: Option<&HashSet<ObjectId>>,
        cancel: &CancelToken,
    ) -> Result<Ownership> {
        let paths = Paths::new(&args.paths)?;
        let weights = self.weights(days("half_life_days", args.half_life_days)?);
        let mut scope = self.scope(commits)?;
        let touched = change.map(|change| self.take_out(change, &mut scope)).transpose()?;
        let selected: Vec<u32> = (0..self.tip.files.len() as u32)
            .filter(|file| paths.has(self.tip.files[*file as usize].path.as_ref()))
            .filter(|file| touched.as_ref().is_none_or(|touched| touched[*file as usize]))
            .collect();
        let mut count = Count {
            insight: self,
            scope: &scope,
            weights: &weights,
            authors: self.authors_of_files(&selected, &scope),
            selected: &selected,
            tally: Tally::new(self.people.len()),
            commits: Stamps::default(),
            limit: args.limit,
        };
        let mut rows = vec![count.row(String::new(), 0..selected.len())];
        let names = |file: u32| BStr::new(&self.tip.files[file as usize].path);
        match args.by {
            OwnedBy::Whole => {}
            OwnedBy::File => {
                for (at, file) in selected.iter().enumerate() {
                    cancel.check()?;
                    rows.push(count.row(names(*file).to_str_lossy().into_owned(), at..at + 1));
                }
            }
            OwnedBy::Folder => {
                for (folder, files) in folders(&selected, names, args.depth) {
                    cancel.check()?;
                    rows.push(count.row(folder.to_str_lossy().into_owned(), files));
                }
            }
        }
        Ok(Ownership { paths: rows, basis: scope.basis })
    }

    /// By file: whether one of `change` touched it. These commits count no longer.
    fn take_out(&self, change: &HashSet<ObjectId>, scope: &mut Scope) -> Result<Vec<bool>> {
        let mut place_in = vec![false; self.order.len()];
        let mut found = 0;
        for (place, at) in self.order.iter().enumerate() {
            if change.contains(&self.log.commit(*at).id) {
                place_in[place] = true;
                found += 1;
                if std::mem::take(&mut scope.counted[place]) {
                    scope.basis.counted -= 1;
                }
            }
        }
        if found < change.len() {
            return Err(Error::new(
                "args.invalid",
                "`change` has commits that do not lead up to the tip of `range`; leave `range` out"
                    .to_owned(),
            ));
        }
        let touched = |file: usize| self.touches.of(file).iter().any(|touch| place_in[touch.place as usize]);
        Ok((0..self.tip.files.len()).map(touched).collect())
    }

    /// The authors of each selected file in the sense of Avelino et al. 2016.
    fn authors_of_files(&self, selected: &[u32], scope: &Scope) -> Vec<Vec<u32>> {
        let mut tally = Tally::new(self.people.len());
        let mut authors = Vec::with_capacity(selected.len());
        for file in selected {
            tally.clear();
            let mut first = None;
            for touch in self.touches.of(*file as usize).iter().filter(|touch| scope.has(touch)) {
                let person = self.people.author_of(touch.place);
                first = first.or(Some(person));
                tally.add(person, touch, 0.0, true);
            }
            let parts = self.ranked(&tally);
            let all: u64 = parts.iter().map(|part| part.commits).sum();
            let degree = |part: &Part| {
                let others = (all - part.commits) as f64;
                let first = if first == Some(part.person) { 1.098 } else { 0.0 };
                AUTHOR + first + 0.164 * part.commits as f64 - 0.321 * libm::log1p(others)
            };
            let greatest = parts.iter().map(degree).fold(f64::MIN, f64::max);
            let is_author = |part: &&Part| degree(part) >= AUTHOR && degree(part) > AUTHOR_SHARE * greatest;
            authors.push(parts.iter().filter(is_author).map(|part| part.person).collect());
        }
        authors
    }
}

struct Count<'a> {
    insight: &'a Insight,
    scope: &'a Scope,
    weights: &'a [f64],
    /// By place in `selected`.
    authors: Vec<Vec<u32>>,
    selected: &'a [u32],
    tally: Tally,
    commits: Stamps,
    limit: u64,
}

impl Count<'_> {
    /// The owners of `files`, places in the selection.
    fn row(&mut self, path: String, files: Range<usize>) -> OwnedPath {
        let insight = self.insight;
        self.tally.clear();
        self.commits.clear(insight.order.len());
        let mut row = OwnedPath { path, files: files.len() as u64, ..OwnedPath::default() };
        for file in &self.selected[files.clone()] {
            let touches = insight.touches.of(*file as usize).iter().filter(|touch| self.scope.has(touch));
            for touch in touches {
                let new = self.commits.insert(touch.place);
                row.commits += u64::from(new);
                let weight = self.weights[touch.place as usize];
                self.tally.add(insight.people.author_of(touch.place), touch, weight, new);
            }
        }
        let parts = insight.ranked(&self.tally);
        row.authors = parts.len() as u64;
        let mut weights: Vec<f64> = parts.iter().map(|part| part.weighted).collect();
        row.bus_factor = fewest_of_half(&mut weights);
        row.truck_factor = truck_factor(&self.authors[files]);
        let limit = if self.limit == 0 { parts.len() } else { self.limit as usize };
        row.owners = parts
            .iter()
            .take(limit)
            .map(|part| {
                let person = insight.people.person(part.person);
                Owner {
                    name: person.name.clone(),
                    email: person.email.clone(),
                    commits: part.commits,
                    share: part.commits as f64 / row.commits as f64,
                    weighted_commits: part.weighted,
                    added: part.added,
                    deleted: part.deleted,
                    last_active: rfc3339(insight.time_of(part.last).saturating_mul(1000)),
                }
            })
            .collect();
        row
    }
}

/// Every folder with its files (places in the list), sorted by path; names end in `/`.
fn folders<'a>(
    selected: &[u32],
    name: impl Fn(u32) -> &'a BStr,
    depth: u64,
) -> Vec<(&'a BStr, Range<usize>)> {
    let mut found: Vec<(&BStr, Range<usize>)> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (at, file) in selected.iter().enumerate() {
        let path = name(*file);
        while open.last().is_some_and(|folder| !path.starts_with(found[*folder].0)) {
            open.pop();
        }
        let known = open.last().map_or(0, |folder| found[*folder].0.len());
        for slash in path[known..].find_iter(b"/") {
            if depth > 0 && open.len() as u64 == depth {
                break;
            }
            open.push(found.len());
            found.push((&path[..known + slash + 1], at..at));
        }
        for folder in &open {
            found[*folder].1.end = at + 1;
        }
    }
    found
}

/// How many authors must leave, those of most files first, until more than half of the files have
/// none; files that never had one do not count.
fn truck_factor(authors: &[Vec<u32>]) -> u64 {
    let mut left: Vec<&Vec<u32>> = authors.iter().filter(|authors| !authors.is_empty()).collect();
    let all = left.len();
    let mut gone: HashSet<u32> = HashSet::new();
    while !left.is_empty() && (all - left.len()) * 2 <= all {
        let mut files: std::collections::BTreeMap<u32, usize> = std::collections::BTreeMap::new();
        for author in left.iter().flat_map(|authors| authors.iter()).filter(|author| !gone.contains(author)) {
            *files.entry(*author).or_default() += 1;
        }
        // Of equals the one who was active last: a rule is needed, so that answers are equal.
        let Some((author, _)) =
            files.iter().max_by_key(|(author, files)| (**files, std::cmp::Reverse(**author)))
        else {
            break;
        };
        gone.insert(*author);
        left.retain(|authors| authors.iter().any(|author| !gone.contains(author)));
    }
    gone.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_leave_until_half_of_the_files_are_orphans() {
        assert_eq!(truck_factor(&[]), 0);
        assert_eq!(truck_factor(&[vec![]]), 0);
        assert_eq!(truck_factor(&[vec![1], vec![1], vec![2]]), 1);
        // Half is not more than half.
        assert_eq!(truck_factor(&[vec![1], vec![2]]), 2);
        assert_eq!(truck_factor(&[vec![1, 2], vec![1, 2], vec![1, 3], vec![3]]), 3);
        assert_eq!(truck_factor(&[vec![1], vec![1], vec![1], vec![2], vec![3], vec![]]), 1);
    }

    #[test]
    fn folders_hold_what_is_below_them() {
        let paths = ["a", "b/c/d", "b/c/e", "b/f", "bb/g", "h/i/j"];
        let found = |depth| {
            let all: Vec<u32> = (0..paths.len() as u32).collect();
            folders(&all, |file| paths[file as usize].into(), depth)
                .into_iter()
                .map(|(folder, files)| format!("{folder} {}..{}", files.start, files.end))
                .collect::<Vec<_>>()
        };
        assert_eq!(found(0), ["b/ 1..4", "b/c/ 1..3", "bb/ 4..5", "h/ 5..6", "h/i/ 5..6"]);
        assert_eq!(found(1), ["b/ 1..4", "bb/ 4..5", "h/ 5..6"]);
    }
}
