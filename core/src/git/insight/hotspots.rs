//! `git.hotspots`: files that are complex and change often (Tornhill: Your Code as a Crime Scene).

use gix::bstr::{BStr, ByteSlice};

use super::complexity::{Complexity, Measured, may_be_code};
use super::scope::{Paths, days};
use super::tip::TipFile;
use super::{Commits, Contents, Insight, LIGHT, Scope};
use crate::base::cancel::CancelToken;
use crate::error::Result;
use crate::git::record::{ChangeTrend, ComplexityBasis, Hotspot, Hotspots, HotspotsArgs};

/// The share of the values that are less than this one, among all others; sorted values.
fn rank(sorted: &[f64], value: f64) -> f64 {
    match sorted.len() {
        0 | 1 => 1.0,
        count => sorted.partition_point(|other| *other < value) as f64 / (count - 1) as f64,
    }
}

fn trend(recent: u64, earlier: u64) -> ChangeTrend {
    if recent >= earlier + 2 && 2 * recent >= 3 * earlier {
        ChangeTrend::Rising
    } else if earlier >= recent + 2 && 3 * recent <= 2 * earlier {
        ChangeTrend::Falling
    } else {
        ChangeTrend::Stable
    }
}

impl Insight {
    /// The files that are complex and change often, within the limits of `args`.
    ///
    /// Reads the contents of the tip's files that were not measured before, and keeps that.
    /// Errors: `args.invalid` for paths, times or days that cannot be used, `call.cancelled`.
    pub fn hotspots(
        &self,
        commits: &Commits<'_>,
        args: &HotspotsArgs,
        contents: Contents<'_>,
        cancel: &CancelToken,
    ) -> Result<Hotspots> {
        let paths = Paths::new(&args.paths)?;
        let period = days("period_days", args.period_days)?;
        let weights = self.weights(days("half_life_days", args.half_life_days)?);
        let scope = self.scope(commits)?;
        let light = |file: &TipFile| file.generated || file.vendored;
        let asked: Vec<usize> = (0..self.tip.files.len())
            .filter(|at| args.include_generated || !light(&self.tip.files[*at]))
            .filter(|at| may_be_code(self.tip.files[*at].path.as_ref()))
            .collect();
        let files: Vec<&TipFile> = asked.iter().map(|at| &self.tip.files[*at]).collect();
        let measured = self.known.complexities.of(&files, contents, cancel)?;
        let mut unmeasured = 0;
        let mut rows: Vec<(Hotspot, bool)> = Vec::with_capacity(asked.len());
        for (at, measured) in asked.into_iter().zip(measured) {
            let complexity = match measured {
                Measured::Is(complexity) => complexity,
                Measured::Other => continue,
                Measured::Failed => {
                    unmeasured += 1;
                    continue;
                }
            };
            if complexity.generated && !args.include_generated {
                continue;
            }
            let light = light(&self.tip.files[at]) || complexity.generated;
            rows.push((self.hotspot(at, &scope, &weights, period, complexity), light));
        }
        let sorted = |values: Vec<f64>| {
            let mut values = values;
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let changes = sorted(rows.iter().map(|(row, _)| row.weighted_commits).collect());
        let complexities = [ComplexityBasis::Cognitive, ComplexityBasis::Indentation].map(|basis| {
            let of = rows.iter().filter(|(row, _)| row.complexity_basis == basis);
            (basis, sorted(of.map(|(row, _)| row.complexity).collect()))
        });
        let compared = rows.len() as u64;
        let mut files = Vec::new();
        for (mut row, light) in rows {
            if row.commits == 0 || !paths.has(BStr::new(&row.path)) {
                continue;
            }
            let others = complexities.iter().find(|(basis, _)| *basis == row.complexity_basis);
            let change = rank(&changes, row.weighted_commits);
            let complexity = others.map_or(0.0, |(_, others)| rank(others, row.complexity));
            row.score = change * complexity * if light { LIGHT } else { 1.0 };
            row.reason = reason(&row, change, complexity, period);
            files.push(row);
        }
        files.sort_by(|a, b| {
            b.score
                .total_cmp(&a.score)
                .then(b.weighted_commits.total_cmp(&a.weighted_commits))
                .then_with(|| a.path.cmp(&b.path))
        });
        if args.limit > 0 {
            files.truncate(usize::try_from(args.limit).unwrap_or(usize::MAX));
        }
        Ok(Hotspots { files, compared, unmeasured, basis: scope.basis })
    }

    fn hotspot(
        &self,
        at: usize,
        scope: &Scope,
        weights: &[f64],
        period: f64,
        complexity: Complexity,
    ) -> Hotspot {
        let mut row = Hotspot {
            path: self.tip.files[at].path.to_str_lossy().into_owned(),
            complexity: complexity.value,
            complexity_basis: complexity.basis,
            lines: complexity.lines,
            ..Hotspot::default()
        };
        let mut authors: Vec<u32> = Vec::new();
        for touch in self.touches.of(at).iter().filter(|touch| scope.has(touch)) {
            row.commits += 1;
            row.weighted_commits += weights[touch.place as usize];
            row.fixes += u64::from(self.is_fix(touch.place));
            authors.push(self.people.author_of(touch.place));
            let days = self.days_since(touch.place);
            if days < period {
                row.recent_commits += 1;
                row.growth += i64::from(touch.added) - i64::from(touch.deleted);
            } else if days < 2.0 * period {
                row.earlier_commits += 1;
            }
        }
        authors.sort_unstable();
        authors.dedup();
        row.authors = authors.len() as u64;
        row.trend = trend(row.recent_commits, row.earlier_commits);
        row
    }
}

fn reason(row: &Hotspot, change: f64, complexity: f64, period: f64) -> String {
    let times = |count: u64| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    let percent = |share: f64| format!("{:.0} %", (share * 100.0).floor());
    let what = match row.complexity_basis {
        ComplexityBasis::Cognitive => "cognitive complexity",
        ComplexityBasis::Indentation => "indentation",
    };
    let mut text = format!(
        "changes more than {} of the files ({}, {} in the last {period} days after {} before) and is more complex than {} ({what} {})",
        percent(change),
        times(row.commits),
        row.recent_commits,
        row.earlier_commits,
        percent(complexity),
        row.complexity,
    );
    if row.fixes > 0 {
        let verb = if row.fixes == 1 { "is" } else { "are" };
        text.push_str(&format!("; {} of the changes {verb} fixes", row.fixes));
        if row.fixes == 1 {
            text.truncate(text.len() - " fixes".len());
            text.push_str(" a fix");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_shares_of_the_others() {
        let values = [1.0, 2.0, 2.0, 5.0, 9.0];
        assert_eq!(rank(&values, 1.0), 0.0);
        assert_eq!(rank(&values, 2.0), 0.25);
        assert_eq!(rank(&values, 9.0), 1.0);
        assert_eq!(rank(&[3.0], 3.0), 1.0);
    }

    #[test]
    fn a_trend_needs_two_commits_and_half() {
        for (recent, earlier, expected) in [
            (2, 0, ChangeTrend::Rising),
            (1, 0, ChangeTrend::Stable),
            (3, 2, ChangeTrend::Stable),
            (6, 4, ChangeTrend::Rising),
            (11, 9, ChangeTrend::Stable),
            (4, 6, ChangeTrend::Falling),
            (9, 11, ChangeTrend::Stable),
            (0, 2, ChangeTrend::Falling),
            (0, 0, ChangeTrend::Stable),
        ] {
            assert_eq!(trend(recent, earlier), expected, "{recent} after {earlier}");
        }
    }
}
