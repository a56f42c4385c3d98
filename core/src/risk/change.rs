//! The answer to *how risky is this change, and why?*: a pure function of the change, the history
//! before it and a model.

use std::collections::BTreeMap;

use crate::git::ObjectId;

use super::record::{
    Basis, Calibration, ChangeRisk, ChangeSpan, CommitRisk, FileShare, Interval, Reason, RiskLevel,
};
use crate::base::cancel::CancelToken;
use crate::base::clock::rfc3339;
use crate::error::Result;
use crate::git::{Before, Change, FEATURES, History, Measure, Vector};
use crate::predict::explain::explain;
use crate::predict::model::{Model, Score};
use crate::predict::position::Moments;

/// How many earlier changes a change is ranked among.
const WINDOW: usize = 500;
/// Fewer earlier changes than this say too little: the prior's reference distribution ranks.
const ENOUGH: usize = 50;
/// How many files are named before the rest becomes one entry.
const FILES: usize = 50;
/// The measures that a diff alone gives: NS, ND, NF, ENTROPY, LA, LD, LT, FIX.
const OF_THE_DIFF: usize = 8;
/// FIX, which the message alone gives.
const FIX: usize = 7;
/// EXP, REXP and SEXP, which need an author.
const OF_THE_AUTHOR: std::ops::RangeInclusive<usize> = 11..=13;

/// What the answer is made from.
pub struct Question<'a> {
    /// The change.
    pub change: &'a Change,
    /// The history that leads up to it, and to its tip.
    pub history: &'a History,
    /// The repository's own base rate, where the host knows it.
    pub base_rate: Option<f64>,
}

/// Answers the question.
pub fn assess(question: &Question<'_>, cancel: &CancelToken) -> Result<ChangeRisk> {
    let Question { change, history, base_rate } = *question;
    let mut span = history.span(change.base);
    span.cut |= change.parent_missing;
    // A cut history knows neither earlier authors nor earlier changes; once it spans the whole
    // window that ranks, what lies beyond the cut matters little.
    let size_only = change.parent_missing || (span.cut && (span.commits as usize) < WINDOW);
    let model = if size_only { Model::size_only()? } else { Model::prior()? };

    let before = history.before(change.base);
    let ranking = Ranking::new(model, &before, before.measured(), size_only);
    cancel.check()?;
    let known = known(change, size_only);
    let measure = before.prepare(change);
    let vector = measure.vector(None);
    let score = model.score(&ranking.moments, &vector, &known, base_rate);
    // A stated base rate moves every change alike, so the rank is taken at the model's own.
    let own = model.score(&ranking.moments, &vector, &known, None);
    let (rank, basis) = ranking.rank(model, &own);

    let mut notes = notes(change, size_only, &span);
    if basis == Basis::Prior && !change.parent_missing {
        notes.push(format!(
            "with {} earlier changes there is too little to rank by (fewer than {ENOUGH}): the score ranks among \
             the changes that the prior was trained on",
            ranking.log_odds.len()
        ));
    }
    let files = files(
        change,
        &measure,
        cancel,
        |vector| model.score(&ranking.moments, vector, &known, base_rate).log_odds,
        score.log_odds,
    )?;
    let commits = commits(question, model, size_only, cancel)?;
    Ok(ChangeRisk {
        change: ChangeSpan {
            base: change.base.map(|id| id.to_string()),
            tip: change.tip.map(|id| id.to_string()),
            time: rfc3339(change.time.saturating_mul(1000)),
            files: change.files.len() as u64,
            added: change.files.iter().map(|file| file.added).sum(),
            deleted: change.files.iter().map(|file| file.deleted).sum(),
        },
        probability: score.probability,
        base_rate: score.base_rate,
        interval: Interval { low: score.low, high: score.high, level: 0.9 },
        calibration: Calibration { basis: if base_rate.is_some() { Basis::Given } else { Basis::Prior } },
        percentile: (basis == Basis::Repository).then_some(rank),
        score: rank,
        score_basis: basis,
        level: if change.parent_missing { RiskLevel::Unknown } else { level(rank) },
        log_odds: score.log_odds,
        baseline: score.baseline,
        reasons: reasons(&vector, &known, &score, &before),
        files,
        commits,
        model: model.reference(),
        history: span,
        notes,
    })
}

/// The level of a score, 0 to 100.
pub fn level(score: f64) -> RiskLevel {
    match score {
        score if score >= 98.0 => RiskLevel::Critical,
        score if score >= 90.0 => RiskLevel::High,
        score if score >= 70.0 => RiskLevel::Medium,
        _ => RiskLevel::Low,
    }
}

/// The earlier changes of a repository as a scale.
struct Ranking {
    /// Moments over everything earlier.
    moments: Moments,
    /// Log-odds, at the model's own base rate, of the last [`WINDOW`] earlier changes.
    log_odds: Vec<f64>,
}

impl Ranking {
    /// The scale before row `until`, each row scored with what was known before it.
    fn new(model: &Model, before: &Before, until: usize, size_only: bool) -> Ranking {
        let mut moments = Moments::default();
        let mut log_odds = Vec::with_capacity(until.min(WINDOW));
        let known = std::array::from_fn(|at| !size_only || at < OF_THE_DIFF);
        for (at, vector) in before.vectors().take(until).enumerate() {
            if at + WINDOW >= until {
                log_odds.push(model.score(&moments, vector, &known, None).log_odds);
            }
            moments.push(vector);
        }
        Ranking { moments, log_odds }
    }

    /// The rank in percent of a score at the model's own base rate, and among what.
    fn rank(&self, model: &Model, own: &Score) -> (f64, Basis) {
        if self.log_odds.len() < ENOUGH {
            return (100.0 * model.reference_share(own), Basis::Prior);
        }
        (100.0 * share_below(self.log_odds.iter().copied(), own.log_odds), Basis::Repository)
    }
}

fn share_below(values: impl ExactSizeIterator<Item = f64>, limit: f64) -> f64 {
    let count = values.len();
    let below = values.filter(|value| *value < limit).count();
    if count == 0 { 0.0 } else { below as f64 / count as f64 }
}

fn known(change: &Change, size_only: bool) -> [bool; 14] {
    std::array::from_fn(|at| match at {
        FIX => true,
        _ if change.parent_missing => false,
        at if at < OF_THE_DIFF => true,
        _ if size_only => false,
        at if OF_THE_AUTHOR.contains(&at) => change.author.is_some(),
        _ => true,
    })
}

fn reasons(vector: &Vector, known: &[bool; 14], score: &Score, before: &Before) -> Vec<Reason> {
    let window = before.last_vectors(WINDOW);
    let mut reasons: Vec<Reason> = (0..FEATURES.len())
        .map(|at| {
            let value = known[at].then_some(vector[at]);
            let percentile = value
                .filter(|_| window.len() >= ENOUGH)
                .map(|value| 100.0 * share_below(window.iter().map(|row| row[at]), value));
            let text = explain(at, value, percentile, score.contributions[at]);
            Reason {
                feature: FEATURES[at].to_owned(),
                value,
                unit: text.unit.to_owned(),
                percentile,
                contribution: score.contributions[at],
                sentence: text.sentence,
                action: text.action,
            }
        })
        .collect();
    // Stable: equal contributions keep the schema's order.
    reasons.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
    reasons
}

/// Each file's share of the risk: how far the log-odds drop when it is left out. Files whose
/// absence would not lower the risk have none; where no file has one, changed lines decide.
fn files(
    change: &Change,
    measure: &Measure,
    cancel: &CancelToken,
    log_odds: impl Fn(&Vector) -> f64,
    whole: f64,
) -> Result<Vec<FileShare>> {
    let mut drops = Vec::with_capacity(change.files.len());
    for at in 0..change.files.len() {
        if at % 256 == 0 {
            cancel.check()?;
        }
        drops.push((whole - log_odds(&measure.vector(Some(at)))).max(0.0));
    }
    if drops.iter().sum::<f64>() <= 0.0 {
        drops = change.files.iter().map(|file| (file.added + file.deleted) as f64).collect();
    }
    let total: f64 = drops.iter().sum();
    let mut shares: Vec<FileShare> = change
        .files
        .iter()
        .zip(&drops)
        .map(|(file, drop)| FileShare {
            path: Some(file.path.to_string()),
            share: if total > 0.0 { drop / total } else { 1.0 / change.files.len() as f64 },
            added: file.added,
            deleted: file.deleted,
            files: 1,
        })
        .collect();
    shares.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.path.cmp(&b.path)));
    if shares.len() > FILES {
        let rest = shares.split_off(FILES);
        shares.push(FileShare {
            path: None,
            share: rest.iter().map(|file| file.share).sum(),
            added: rest.iter().map(|file| file.added).sum(),
            deleted: rest.iter().map(|file| file.deleted).sum(),
            files: rest.len() as u64,
        });
    }
    Ok(shares)
}

/// Each commit's own answer, within the history of the tip as `git.features` gives it.
fn commits(
    question: &Question<'_>,
    model: &Model,
    size_only: bool,
    cancel: &CancelToken,
) -> Result<Vec<CommitRisk>> {
    let Question { change, history, base_rate } = *question;
    let Some(tip) = change.tip else { return Ok(Vec::new()) };
    if change.parent_missing {
        return Ok(Vec::new());
    }
    let places: BTreeMap<ObjectId, usize> = change
        .commits
        .iter()
        .filter_map(|commit| history.own(tip, commit.id).map(|(place, _)| (commit.id, place)))
        .collect();
    let Some(&first) = places.values().min() else { return Ok(Vec::new()) };
    let last = places.values().max().copied().unwrap_or(first);

    // One pass: every row from the window before the first wanted commit on is scored once.
    let before = history.before(Some(tip));
    let known = std::array::from_fn(|at| !size_only || at < OF_THE_DIFF);
    let start = first.saturating_sub(WINDOW);
    let mut moments = Moments::default();
    let mut scores: Vec<Score> = Vec::with_capacity(last + 1 - start);
    for (at, vector) in before.vectors().take(last + 1).enumerate() {
        if at % 1024 == 0 {
            cancel.check()?;
        }
        if at >= start {
            scores.push(model.score(&moments, vector, &known, base_rate));
        }
        moments.push(vector);
    }
    Ok(change
        .commits
        .iter()
        .filter_map(|commit| {
            let place = *places.get(&commit.id)? - start;
            let score = scores.get(place)?;
            let window = &scores[place.saturating_sub(WINDOW)..place];
            let rank = 100.0
                * if window.len() < ENOUGH {
                    model.reference_share(score)
                } else {
                    share_below(window.iter().map(|earlier| earlier.log_odds), score.log_odds)
                };
            Some(CommitRisk {
                sha: commit.id.to_string(),
                title: commit.title.clone(),
                probability: score.probability,
                score: rank,
                level: level(rank),
            })
        })
        .collect())
}

fn notes(change: &Change, size_only: bool, span: &crate::git::record::HistorySpan) -> Vec<String> {
    let mut notes = Vec::new();
    if change.parent_missing {
        notes.push(
            "the commit before the change is not in this clone, so its size cannot be read and the number says \
             little; fetch one more commit (fetch-depth: 2), use --deepen, or import a history pack"
                .to_owned(),
        );
    } else if size_only {
        notes.push(format!(
            "the history is cut after {} commits (shallow clone): the model `size-only` looks at the diff alone; \
             use --deepen or import a history pack for the full answer",
            span.commits
        ));
    } else if span.cut {
        notes.push(format!(
            "the history is cut (shallow clone): the answer stands on {} commits",
            span.commits
        ));
    }
    if span.gaps > 0 {
        notes.push(format!(
            "{} commits could not be read as objects are absent (partial clone): their changes do not count",
            span.gaps
        ));
    }
    if change.author.is_none() && !change.parent_missing && !size_only {
        notes.push(
            "no author is known: experience does not count; pass the author's e-mail address".to_owned(),
        );
    }
    if change.files.is_empty() && !change.parent_missing {
        notes.push("the change touches no file".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_start_where_the_documentation_says() {
        let levels = [69.9, 70.0, 89.9, 90.0, 97.9, 98.0].map(level);
        use RiskLevel::{Critical, High, Low, Medium};
        assert_eq!(levels, [Low, Medium, Medium, High, High, Critical]);
    }

    #[test]
    fn ties_are_not_below() {
        assert_eq!(share_below([1.0, 2.0, 2.0, 3.0].into_iter(), 2.0), 0.25);
        assert_eq!(share_below([].into_iter(), 2.0), 0.0);
    }
}
