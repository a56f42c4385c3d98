//! The measures of a change that is not in history (yet), whole or with one file left out.

use std::collections::HashMap;

use super::fold::{entropy, mean};
use super::history::Before;
use super::log::split;
use super::read::author_key;
use super::{Change, Vector};

const DAY: f64 = 86_400.0;

/// A change measured once, so that leaving out any file costs a few sums.
#[derive(Debug)]
pub struct Measure {
    fix: bool,
    files: Vec<File>,
    subsystems: Vec<Group>,
    directories: Vec<Group>,
    totals: Totals,
    exp: f64,
    rexp: f64,
}

#[derive(Debug, Default)]
struct Totals {
    added: u64,
    deleted: u64,
    before: u64,
    /// Files with changed lines.
    weighted: usize,
    /// Sum over the files of lines * log2(lines).
    weighted_logs: f64,
    entropy: f64,
    authors: usize,
    commits: usize,
    sexp: usize,
    age: f64,
    aged: usize,
}

#[derive(Debug)]
struct File {
    subsystem: usize,
    directory: usize,
    added: u64,
    deleted: u64,
    before: u64,
    /// Authors and commits that no other file of the change has in its history.
    own_authors: usize,
    own_commits: usize,
    age: Option<f64>,
}

/// Files that share a subsystem or a directory.
#[derive(Debug, Default)]
struct Group {
    files: usize,
    /// The author's commits that touched this subsystem and no other of the change.
    own_commits: usize,
}

/// Whose a number is: nobody's, one file's, or shared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Nobody,
    One(u32),
    Shared,
}

/// Counts distinct numbers, and those of one owner only.
struct Owners(Vec<Owner>, usize);

impl Owners {
    fn new(size: usize) -> Self {
        Owners(vec![Owner::Nobody; size], 0)
    }

    fn add(&mut self, number: u32, owner: u32) {
        let slot = &mut self.0[number as usize];
        *slot = match *slot {
            Owner::Nobody => {
                self.1 += 1;
                Owner::One(owner)
            }
            Owner::One(known) if known == owner => Owner::One(owner),
            _ => Owner::Shared,
        };
    }

    fn alone(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().filter_map(|owner| match owner {
            Owner::One(owner) => Some(*owner),
            _ => None,
        })
    }
}

fn grouped<'a>(names: &mut HashMap<&'a [u8], usize>, groups: &mut Vec<Group>, name: &'a [u8]) -> usize {
    let at = *names.entry(name).or_insert(groups.len());
    if at == groups.len() {
        groups.push(Group::default());
    }
    groups[at].files += 1;
    at
}

fn weight(lines: u64) -> f64 {
    if lines == 0 { 0.0 } else { lines as f64 * libm::log2(lines as f64) }
}

impl Before {
    /// Measures `change` as the next one after this state.
    pub fn prepare(&self, change: &Change) -> Measure {
        let (log, state) = (&self.log, &self.state);
        let mut commits = Owners::new(state.commits());
        let mut authors = Owners::new(state.authors());
        let (mut by_subsystem, mut by_directory) = (HashMap::new(), HashMap::new());
        let (mut subsystems, mut directories) = (Vec::new(), Vec::new());
        let mut names: Vec<&[u8]> = Vec::new();
        let mut totals = Totals::default();
        let mut files = Vec::with_capacity(change.files.len());
        for (number, file) in change.files.iter().enumerate() {
            let (subsystem, directory) = split(&file.path);
            let number = number as u32;
            let new = state.history(log.path_number(&file.path));
            let old = file.old_path.as_ref().map_or(&[][..], |old| state.history(log.path_number(old)));
            for place in new.iter().chain(old) {
                commits.add(*place, number);
                authors.add(state.author_of(*place), number);
            }
            let age = new
                .last()
                .max(old.last())
                .map(|last| change.time.saturating_sub(state.time_of(*last)).max(0) as f64 / DAY);
            let (added, deleted, before) =
                if file.binary { (0, 0, 0) } else { (file.added, file.deleted, file.lines_before) };
            let known = subsystems.len();
            let subsystem_at = grouped(&mut by_subsystem, &mut subsystems, subsystem);
            if subsystem_at == known {
                names.push(subsystem);
            }
            files.push(File {
                subsystem: subsystem_at,
                directory: grouped(&mut by_directory, &mut directories, directory),
                added,
                deleted,
                before,
                own_authors: 0,
                own_commits: 0,
                age,
            });
            totals.added += added;
            totals.deleted += deleted;
            totals.before += before;
            totals.weighted += usize::from(added + deleted > 0);
            totals.weighted_logs += weight(added + deleted);
            if let Some(age) = age {
                totals.age += age;
                totals.aged += 1;
            }
        }
        commits.alone().for_each(|file| files[file as usize].own_commits += 1);
        authors.alone().for_each(|file| files[file as usize].own_authors += 1);
        (totals.commits, totals.authors) = (commits.1, authors.1);
        totals.entropy = entropy(files.iter().map(|file| file.added + file.deleted));
        let (mut exp, mut rexp) = (0.0, 0.0);
        if let Some(author) =
            change.author.as_deref().and_then(|author| log.author_number(&author_key(author)))
        {
            exp = f64::from(state.experience(author));
            rexp = state.recent_experience(author, change.time);
            let mut own = Owners::new(state.commits());
            for (at, name) in names.iter().enumerate() {
                if let Some(number) = log.subsystem_number(name) {
                    state.in_subsystem(author, number).iter().for_each(|place| own.add(*place, at as u32));
                }
            }
            own.alone().for_each(|subsystem| subsystems[subsystem as usize].own_commits += 1);
            totals.sexp = own.1;
        }
        Measure { fix: change.fix, files, subsystems, directories, totals, exp, rexp }
    }
}

impl Measure {
    /// The measures in the order of [`super::FEATURES`], without the file at `skip`.
    pub fn vector(&self, skip: Option<usize>) -> Vector {
        let all = &self.totals;
        let skipped = skip.and_then(|skip| self.files.get(skip));
        let files = self.files.len() - usize::from(skipped.is_some());
        let mut ns = self.subsystems.len();
        let mut nd = self.directories.len();
        let (mut added, mut deleted, mut before) = (all.added, all.deleted, all.before);
        let (mut commits, mut authors, mut sexp) = (all.commits, all.authors, all.sexp);
        let (mut age, mut aged, mut spread) = (all.age, all.aged, all.entropy);
        if let Some(file) = skipped {
            if self.subsystems[file.subsystem].files == 1 {
                ns -= 1;
                sexp -= self.subsystems[file.subsystem].own_commits;
            }
            nd -= usize::from(self.directories[file.directory].files == 1);
            added -= file.added;
            deleted -= file.deleted;
            before -= file.before;
            commits -= file.own_commits;
            authors -= file.own_authors;
            if let Some(own) = file.age {
                age = (age - own).max(0.0);
                aged -= 1;
            }
            let own = file.added + file.deleted;
            let total = (added + deleted) as f64;
            // H = log2 T - (sum of c log2 c) / T; of fewer than two files it is exactly 0.
            spread = if all.weighted - usize::from(own > 0) < 2 {
                0.0
            } else {
                (libm::log2(total) - (all.weighted_logs - weight(own)) / total).max(0.0)
            };
        }
        [
            ns as f64,
            nd as f64,
            files as f64,
            spread,
            added as f64,
            deleted as f64,
            mean(before as f64, files),
            f64::from(u8::from(self.fix)),
            authors as f64,
            mean(age, aged),
            commits as f64,
            self.exp,
            self.rexp,
            sexp as f64,
        ]
    }
}
