//! `git.coupling`: files that change together, as code-maat counts them.
//!
//! Revisions of a file are the commits that touched it and at most `max_changes` files in all. Of two
//! files the degree is the shared revisions by the mean of both files' revisions. (code-maat 1.0,
//! `logical-coupling` and `coupling-algos`; it cuts the degree to whole percent, here it is exact.)

use gix::bstr::{BStr, BString, ByteSlice};

use super::scope::Paths;
use super::touches::{Lists, Touch};
use super::{Commits, Insight, Scope};
use crate::base::cancel::CancelToken;
use crate::error::{Error, Result};
use crate::git::record::{CoupledFiles, CouplingArgs, FileCoupling};

/// What is counted: files by number, with their names and touches.
struct Universe<'a> {
    names: Vec<&'a BString>,
    touches: &'a Lists<Touch>,
    takes_part: Vec<bool>,
}

impl Insight {
    /// The pairs of files that change together within the limits of `args`.
    ///
    /// Errors: `args.invalid` for paths, times or limits that cannot be used, `call.cancelled`.
    pub fn coupling(
        &self,
        commits: &Commits<'_>,
        args: &CouplingArgs,
        cancel: &CancelToken,
    ) -> Result<FileCoupling> {
        let paths = Paths::new(&args.paths)?;
        for (name, value) in [("min_coupling", args.min_coupling), ("max_coupling", args.max_coupling)] {
            if !(0.0..=100.0).contains(&value) {
                return Err(Error::new(
                    "args.invalid",
                    format!("`{name}` is {value}; pass a percentage from 0 to 100"),
                ));
            }
        }
        let scope = self.scope(commits)?;
        let universe = self.universe(args);
        let (eligible, too_large) = self.eligible(&scope, args);
        let revisions: Vec<u64> = (0..universe.names.len())
            .map(|file| {
                let counts = |touch: &&Touch| eligible[touch.place as usize];
                universe.touches.of(file).iter().filter(counts).count() as u64
            })
            .collect();
        let mut pairs = Vec::new();
        let by_commit = universe.by_commit(self.order.len(), &eligible, &revisions, args.min_shared);
        let mut shared = vec![(0u64, 0u32); universe.names.len()];
        let mut met: Vec<u32> = Vec::new();
        for first in 0..universe.names.len() {
            if first % 256 == 0 {
                cancel.check()?;
            }
            if !universe.takes_part[first] || revisions[first] < args.min_shared.max(1) {
                continue;
            }
            for touch in universe.touches.of(first).iter().filter(|touch| eligible[touch.place as usize]) {
                let files = by_commit.of(touch.place as usize);
                // Each pair once: with those that come later by path.
                let later = files.partition_point(|file| *file as usize <= first);
                for file in &files[later..] {
                    let (count, last) = &mut shared[*file as usize];
                    if *count == 0 {
                        met.push(*file);
                    }
                    *count += 1;
                    *last = touch.place;
                }
            }
            for second in met.drain(..) {
                let (count, last) = std::mem::take(&mut shared[second as usize]);
                let (a, b) = (universe.names[first], universe.names[second as usize]);
                let revisions = (revisions[first], revisions[second as usize]);
                let Some((degree, average)) = degree(count, revisions, args) else { continue };
                if !paths.has(a.as_ref()) && !paths.has(b.as_ref()) {
                    continue;
                }
                pairs.push(CoupledFiles {
                    path: a.to_str_lossy().into_owned(),
                    coupled: b.to_str_lossy().into_owned(),
                    degree,
                    shared: count,
                    revisions: revisions.0,
                    coupled_revisions: revisions.1,
                    average_revisions: average,
                    last_shared_days: self.days_since(last),
                    same_folder: folder(a.as_ref()) == folder(b.as_ref()),
                });
            }
        }
        pairs.sort_by(|a, b| {
            b.degree
                .total_cmp(&a.degree)
                .then(b.average_revisions.total_cmp(&a.average_revisions))
                .then_with(|| (&a.path, &a.coupled).cmp(&(&b.path, &b.coupled)))
        });
        Ok(FileCoupling { pairs, too_large, basis: scope.basis })
    }

    fn universe(&self, args: &CouplingArgs) -> Universe<'_> {
        let files = &self.tip.files;
        if args.renames {
            return Universe {
                names: files.iter().map(|file| &file.path).collect(),
                touches: &self.touches,
                takes_part: files
                    .iter()
                    .map(|file| args.include_generated || !(file.generated || file.vendored))
                    .collect(),
            };
        }
        let (names, touches) = self.names();
        let takes_part = |name: &BString| {
            let known = files.binary_search_by(|file| file.path.cmp(name));
            args.include_generated || known.map_or(true, |at| !(files[at].generated || files[at].vendored))
        };
        Universe {
            names: names.iter().collect(),
            touches,
            takes_part: names.iter().map(takes_part).collect(),
        }
    }

    /// By place: whether the commit counts and is not too large. And how many are.
    fn eligible(&self, scope: &Scope, args: &CouplingArgs) -> (Vec<bool>, u64) {
        let mut too_large = 0;
        let eligible = scope
            .counted
            .iter()
            .zip(self.order.iter())
            .map(|(counted, at)| {
                let files = self.log.files_of(*at);
                let renamed = files.iter().filter(|file| file.from != super::super::log::NONE).count();
                let changes = files.len() + if args.renames { 0 } else { renamed };
                let large = *counted && changes as u64 > args.max_changes;
                too_large += u64::from(large);
                *counted && !large
            })
            .collect();
        (eligible, too_large)
    }
}

impl Universe<'_> {
    /// By place: the files of an eligible commit that can be in a pair, sorted.
    fn by_commit(&self, places: usize, eligible: &[bool], revisions: &[u64], least: u64) -> Lists<u32> {
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        for (file, revisions) in revisions.iter().enumerate() {
            if self.takes_part[file] && *revisions >= least {
                let touches = self.touches.of(file).iter().filter(|touch| eligible[touch.place as usize]);
                pairs.extend(touches.map(|touch| (touch.place, file as u32)));
            }
        }
        Lists::new(places, pairs.iter().copied())
    }
}

/// The degree in percent and the mean of the revisions; `None` outside of the limits.
fn degree(shared: u64, (a, b): (u64, u64), args: &CouplingArgs) -> Option<(f64, f64)> {
    let average = (a + b) as f64 / 2.0;
    let degree = (200 * shared) as f64 / (a + b) as f64;
    let within = average >= args.min_revisions as f64
        && shared >= args.min_shared
        && degree >= args.min_coupling
        && degree.floor() <= args.max_coupling;
    within.then_some((degree, average))
}

fn folder(path: &BStr) -> &[u8] {
    path.rfind_byte(b'/').map_or(&[], |slash| &path[..slash])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_degree_is_shared_by_mean_revisions() {
        let args = CouplingArgs::default();
        assert_eq!(degree(6, (10, 8), &args), Some((1200.0 / 18.0, 9.0)));
        // Three limits, each just missed; the least revisions are those of the mean.
        assert_eq!(degree(4, (5, 5), &args), None);
        assert_eq!(degree(5, (17, 17), &args), None);
        assert_eq!(degree(5, (5, 28), &args), Some((1000.0 / 33.0, 16.5)));
        let few = CouplingArgs { min_shared: 1, min_coupling: 0.0, ..CouplingArgs::default() };
        assert_eq!(degree(1, (1, 8), &few), None);
        assert_eq!(degree(1, (1, 9), &few), Some((20.0, 5.0)));
        let some = CouplingArgs { max_coupling: 83.0, ..CouplingArgs::default() };
        assert!(degree(5, (6, 6), &some).is_some() && degree(6, (6, 6), &some).is_none());
    }
}
