//! `git.files`: what history says about each file.

use gix::bstr::ByteSlice;

use super::scope::{Paths, days};
use super::tally::{Part, Tally};
use super::tip::TipFile;
use super::{Commits, Contents, Insight, LIGHT, MINOR, Scope, fewest_of_half};
use crate::base::cancel::CancelToken;
use crate::error::Result;
use crate::git::record::{FileHistories, FileHistory};

impl Insight {
    /// What history says about each file of the tip that `paths` selects.
    ///
    /// Counts the lines of contents that were not counted before, and keeps that.
    /// Errors: `args.invalid` for paths, times or a half-life that cannot be used, `call.cancelled`.
    pub fn files(
        &self,
        commits: &Commits<'_>,
        paths: &[String],
        half_life_days: f64,
        contents: Contents<'_>,
        cancel: &CancelToken,
    ) -> Result<FileHistories> {
        let paths = Paths::new(paths)?;
        let weights = self.weights(days("half_life_days", half_life_days)?);
        let scope = self.scope(commits)?;
        let mut tally = Tally::new(self.people.len());
        let selected: Vec<usize> = (0..self.tip.files.len())
            .filter(|number| paths.has(self.tip.files[*number].path.as_ref()))
            .collect();
        let read: Vec<&TipFile> = selected.iter().map(|number| &self.tip.files[*number]).collect();
        let lines = self.known.lines.of(&read, contents, cancel)?;
        let mut files = Vec::with_capacity(selected.len());
        for (number, lines) in selected.into_iter().zip(lines) {
            if number % 1024 == 0 {
                cancel.check()?;
            }
            let lines = lines.map(u64::from);
            files.push(self.file(number, lines, &scope, &weights, &mut tally));
        }
        Ok(FileHistories { files, basis: scope.basis })
    }

    fn file(
        &self,
        number: usize,
        lines: Option<u64>,
        scope: &Scope,
        weights: &[f64],
        tally: &mut Tally,
    ) -> FileHistory {
        let file = &self.tip.files[number];
        let mut row = FileHistory {
            path: file.path.to_str_lossy().into_owned(),
            lines,
            generated: file.generated,
            vendored: file.vendored,
            weight: if file.generated || file.vendored { LIGHT } else { 1.0 },
            ..FileHistory::default()
        };
        tally.clear();
        for touch in self.touches.of(number).iter().filter(|touch| scope.has(touch)) {
            let weight = weights[touch.place as usize];
            let days = self.days_since(touch.place);
            row.commits += 1;
            row.added += u64::from(touch.added);
            row.deleted += u64::from(touch.deleted);
            row.weighted_commits += weight;
            // By time, not by place: clocks differ.
            row.age_days = Some(row.age_days.map_or(days, |known| known.max(days)));
            row.last_change_days = Some(row.last_change_days.map_or(days, |known| known.min(days)));
            if self.is_fix(touch.place) {
                row.fixes += 1;
                row.last_fix_days = Some(row.last_fix_days.map_or(days, |known| known.min(days)));
            }
            tally.add(self.people.author_of(touch.place), touch, weight, true);
        }
        let churn = (row.added + row.deleted) as f64;
        row.relative_churn = lines.filter(|lines| *lines > 0).map(|lines| churn / lines as f64);
        let parts = self.ranked(tally);
        row.authors = parts.len() as u64;
        if let Some(main) = parts.first() {
            let person = self.people.person(main.person);
            row.main_author = Some(person.name.clone());
            row.main_author_email = Some(person.email.clone());
            row.ownership = main.commits as f64 / row.commits as f64;
            let minor = |part: &&Part| (part.commits as f64) < MINOR * row.commits as f64;
            row.minor_authors = parts.iter().filter(minor).count() as u64;
            let mut weights: Vec<f64> = parts.iter().map(|part| part.weighted).collect();
            row.bus_factor = fewest_of_half(&mut weights);
        }
        row
    }

    /// What was counted, in the order of owners.
    pub(super) fn ranked(&self, tally: &Tally) -> Vec<Part> {
        tally.ranked(|person| {
            let person = self.people.person(person);
            (person.email.as_str(), person.name.as_str())
        })
    }
}
