//! The model file and the score: a logistic model whose parts add up exactly to what it says.

use std::sync::{Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::FEATURES;
use super::position::{Moments, WIDTH, position};
use super::record::{ModelCard, ModelReference};
use crate::error::{Error, Result};

/// The format that this release writes; a reader refuses every other tag.
pub const FORMAT: &str = "barograph-model-1";

/// Stands in the place of the checksum while it is computed.
const NO_CHECKSUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Half the width of a 90 % interval in standard errors.
const Z_90: f64 = 1.644_853_626_951_472_2;

/// How far from the mean a model lets a feature stand, and whose mean that is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// Whether mean and spread come from the repository's earlier changes (shrunk to the model's)
    /// or are the model's alone.
    pub history: bool,
    /// For how many earlier changes the model's own mean and spread count.
    pub pseudo: f64,
    /// Positions are kept within plus and minus this many spreads.
    pub limit: f64,
}

/// What a model file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// [`FORMAT`].
    pub format: String,
    /// SHA-256 of the file's text with this value replaced by zeros.
    pub sha256: String,
    /// Weights, data, measurements and limits.
    pub card: ModelCard,
    /// How positions are taken.
    pub standing: Standing,
    /// Covariance of the weights in schema order, the intercept last; row by row.
    pub covariance: Vec<Vec<f64>>,
    /// Quantiles of the log-odds over the training rows at the model's own base rate, ascending.
    pub reference: Vec<f64>,
}

#[cfg(any(test, feature = "learn"))]
impl ModelFile {
    /// The file's text with its checksum.
    pub fn write(&self) -> Result<String> {
        let file = ModelFile { format: FORMAT.to_owned(), sha256: NO_CHECKSUM.to_owned(), ..self.clone() };
        let mut text = serde_json::to_string_pretty(&file)
            .map_err(|error| Error::new("model.format", "the model cannot be written").because(&error))?;
        text.push('\n');
        Ok(text.replacen(NO_CHECKSUM, &checksum(&text), 1))
    }
}

/// Line ends do not count: a checkout may rewrite them.
fn checksum(text: &str) -> String {
    let digest = Sha256::digest(text.replace('\r', "").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a model says of one change.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Log-odds where every feature stands at the mean, at `base_rate`.
    pub baseline: f64,
    /// What each feature adds to the log-odds, in schema order; 0 where it is not known.
    pub contributions: [f64; WIDTH],
    /// `baseline` and the contributions, summed in schema order.
    pub log_odds: f64,
    /// Probability that the change is defective.
    pub probability: f64,
    /// The share of defective changes that the probability assumes.
    pub base_rate: f64,
    /// Lower end of the 90 % interval of the probability.
    pub low: f64,
    /// Upper end of the 90 % interval of the probability.
    pub high: f64,
}

/// A loaded and checked model.
#[derive(Debug)]
pub struct Model {
    file: ModelFile,
    /// The last base rate asked for, as bits, and its shift: a host asks for the same one again
    /// and again (500 earlier changes in one answer).
    shift: Mutex<Option<(u64, f64)>>,
}

impl Model {
    /// The shipped model of all features, positions within the repository's own history.
    ///
    /// Errors: `model.format` where the file built into this library is damaged.
    pub fn prior() -> Result<&'static Model> {
        static MODEL: OnceLock<Result<Model>> = OnceLock::new();
        MODEL.get_or_init(|| Model::parse(include_str!("prior/prior.json"))).as_ref().map_err(Clone::clone)
    }

    /// The shipped model of what a clone without history knows: size, spread and purpose.
    ///
    /// Errors: `model.format` where the file built into this library is damaged.
    pub fn size_only() -> Result<&'static Model> {
        static MODEL: OnceLock<Result<Model>> = OnceLock::new();
        MODEL
            .get_or_init(|| Model::parse(include_str!("prior/size-only.json")))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The shipped model of this name: `prior` or `size-only`.
    ///
    /// Errors: `model.missing` for any other name, `model.format` where its file is damaged.
    pub fn named(name: &str) -> Result<&'static Model> {
        match name {
            "prior" => Model::prior(),
            "size-only" => Model::size_only(),
            _ => Err(Error::new(
                "model.missing",
                format!("no model is named `{name}`; the models are `prior` and `size-only`"),
            )
            .with("name", name)),
        }
    }

    /// Reads a model file and checks everything that scoring relies on.
    ///
    /// Errors: `model.format`, saying what is wrong.
    pub fn parse(text: &str) -> Result<Model> {
        let bad = |what: String| Error::new("model.format", format!("the model file cannot be used: {what}"));
        #[derive(Deserialize)]
        struct Tag {
            format: String,
        }
        let tag: Tag = serde_json::from_str(text)
            .map_err(|error| bad("it is not a model file".to_owned()).because(&error))?;
        if tag.format != FORMAT {
            return Err(bad(format!("its format is `{}`, this release reads `{FORMAT}`", tag.format)));
        }
        let file: ModelFile = serde_json::from_str(text)
            .map_err(|error| bad("a field is absent or wrong".to_owned()).because(&error))?;
        if file.sha256.len() != NO_CHECKSUM.len()
            || checksum(&text.replacen(&file.sha256, NO_CHECKSUM, 1)) != file.sha256
        {
            return Err(bad("its checksum does not match its content".to_owned()));
        }
        let names = file.card.coefficients.iter().map(|coefficient| coefficient.feature.as_str());
        if !names.eq(FEATURES) {
            return Err(bad("its features are not the fourteen of the schema in order".to_owned()));
        }
        if file.covariance.len() != WIDTH + 1 || file.covariance.iter().any(|row| row.len() != WIDTH + 1) {
            return Err(bad("its covariance is not 15 by 15".to_owned()));
        }
        if file.reference.is_empty() || !file.reference.is_sorted() {
            return Err(bad("its reference distribution is empty or not ascending".to_owned()));
        }
        let rate = file.card.base_rate;
        let sound = rate > 0.0
            && rate < 1.0
            && file.standing.limit > 0.0
            && file.standing.pseudo >= 0.0
            && file.card.coefficients.iter().all(|coefficient| coefficient.spread > 0.0);
        if !sound {
            return Err(bad("a base rate, spread or limit is out of range".to_owned()));
        }
        Ok(Model { file, shift: Mutex::new(None) })
    }

    /// What the model is, what it was trained on, and what it must not be used for.
    pub fn card(&self) -> &ModelCard {
        &self.file.card
    }

    /// Name, version and data: what an answer says of the model that gave it.
    pub fn reference(&self) -> ModelReference {
        let card = &self.file.card;
        ModelReference {
            name: card.name.clone(),
            version: card.version.clone(),
            trained_on: card.trained_on.clone(),
            trained_until: card.trained_until.clone(),
        }
    }

    /// Scores one change.
    ///
    /// `moments` are those of the strictly earlier changes, `vector` holds the raw values in schema
    /// order. Where `known[i]` is false the feature cannot be known here: it stands at the mean
    /// and contributes 0. A `base_rate` (strictly between 0 and 1) shifts the baseline so that the
    /// mean probability over the model's reference distribution equals it; without one the
    /// probability is stated at the model's own base rate.
    pub fn score(
        &self,
        moments: &Moments,
        vector: &[f64; WIDTH],
        known: &[bool; WIDTH],
        base_rate: Option<f64>,
    ) -> Score {
        let standing = &self.file.standing;
        let mut positions = [0.0; WIDTH];
        let mut contributions = [0.0; WIDTH];
        for (feature, coefficient) in self.file.card.coefficients.iter().enumerate() {
            if !known[feature] || !vector[feature].is_finite() {
                continue;
            }
            let (mean, spread) = if standing.history {
                moments.shrunk(feature, coefficient.mean, coefficient.spread, standing.pseudo)
            } else {
                (coefficient.mean, coefficient.spread)
            };
            positions[feature] = position(vector[feature], mean, spread, standing.limit);
            // Adding 0 turns -0 into 0, which some languages would print as "-0".
            contributions[feature] = coefficient.weight * positions[feature] + 0.0;
        }
        let (baseline, base_rate) = match base_rate {
            None => (self.file.card.intercept, self.file.card.base_rate),
            Some(rate) => (self.file.card.intercept + self.shift_to(rate), rate),
        };
        let log_odds = total(baseline, &contributions);
        let margin = Z_90 * self.variance(&positions).max(0.0).sqrt();
        Score {
            baseline,
            contributions,
            log_odds,
            probability: logistic(log_odds),
            base_rate,
            low: logistic(log_odds - margin),
            high: logistic(log_odds + margin),
        }
    }

    /// Share (0 to 1) of the reference distribution strictly below this score at the model's own
    /// base rate; the base rate that the score is stated at does not matter.
    pub fn reference_share(&self, score: &Score) -> f64 {
        let own = total(self.file.card.intercept, &score.contributions);
        let below = self.file.reference.partition_point(|quantile| *quantile < own);
        below as f64 / self.file.reference.len() as f64
    }

    /// Variance of the log-odds at these positions, from the covariance of the weights.
    fn variance(&self, positions: &[f64; WIDTH]) -> f64 {
        let at = |index: usize| if index < WIDTH { positions[index] } else { 1.0 };
        let mut sum = 0.0;
        for (row, line) in self.file.covariance.iter().enumerate() {
            for (column, covariance) in line.iter().enumerate() {
                sum += at(row) * covariance * at(column);
            }
        }
        sum
    }

    fn shift_to(&self, rate: f64) -> f64 {
        let mut last = self.shift.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((bits, shift)) = *last
            && bits == rate.to_bits()
        {
            return shift;
        }
        let shift = shift_to(&self.file.reference, rate);
        *last = Some((rate.to_bits(), shift));
        shift
    }
}

fn total(baseline: f64, contributions: &[f64; WIDTH]) -> f64 {
    contributions.iter().fold(baseline, |sum, part| sum + part)
}

/// 1 / (1 + e^-x), the same on every platform.
pub fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}

/// What must be added to every one of these log-odds so that their mean probability is `rate`.
///
/// The mean rises strictly with the shift, so halving an interval finds it; a rate outside (0, 1)
/// has no answer and is taken as the nearest that has one.
pub fn shift_to(log_odds: &[f64], rate: f64) -> f64 {
    let rate = rate.clamp(1e-9, 1.0 - 1e-9);
    let mean = |shift: f64| {
        log_odds.iter().map(|value| logistic(value + shift)).sum::<f64>() / log_odds.len() as f64
    };
    let (mut low, mut high) = (-64.0, 64.0);
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if mean(middle) < rate {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator, so that the same vectors are tried on every machine.
    struct Draw(u64);

    impl Draw {
        fn next(&mut self) -> f64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) as f64 / (1u64 << 53) as f64
        }

        fn vector(&mut self) -> [f64; WIDTH] {
            std::array::from_fn(|_| (self.next() * 12.0).exp_m1().floor())
        }
    }

    fn models() -> [&'static Model; 2] {
        [Model::prior().unwrap(), Model::size_only().unwrap()]
    }

    #[test]
    fn the_parts_add_up_to_the_log_odds_bit_for_bit() {
        let mut draw = Draw(42);
        let mut moments = Moments::default();
        for round in 0..500 {
            let vector = draw.vector();
            let known = std::array::from_fn(|_| draw.next() < 0.9);
            let rate = (round % 2 == 0).then(|| 0.01 + 0.9 * draw.next());
            for model in models() {
                let score = model.score(&moments, &vector, &known, rate);
                let sum = score.contributions.iter().fold(score.baseline, |sum, part| sum + part);
                assert_eq!(sum.to_bits(), score.log_odds.to_bits());
                assert_eq!(score.probability.to_bits(), logistic(score.log_odds).to_bits());
                assert!(score.low <= score.probability && score.probability <= score.high);
                assert!(score.low > 0.0 && score.high < 1.0);
                for (part, known) in score.contributions.iter().zip(known) {
                    assert!(known || *part == 0.0);
                }
            }
            moments.push(&vector);
        }
    }

    #[test]
    fn a_given_base_rate_is_the_mean_probability_and_keeps_the_order() {
        let mut draw = Draw(7);
        let moments = Moments::default();
        for model in models() {
            for rate in [0.001, 0.05, 0.3, 0.97] {
                let shift = model.shift_to(rate);
                let mean = model.file.reference.iter().map(|value| logistic(value + shift)).sum::<f64>()
                    / model.file.reference.len() as f64;
                assert!((mean - rate).abs() < 1e-12, "{mean} {rate}");
            }
            let vectors: Vec<_> = (0..50).map(|_| draw.vector()).collect();
            let known = [true; WIDTH];
            let order = |rate: Option<f64>| {
                let mut order: Vec<usize> = (0..vectors.len()).collect();
                let said = |row: &usize| model.score(&moments, &vectors[*row], &known, rate).log_odds;
                order.sort_by(|a, b| said(a).total_cmp(&said(b)));
                order
            };
            assert_eq!(order(None), order(Some(0.02)));
            let at = |rate: f64| model.score(&moments, &vectors[0], &known, Some(rate)).probability;
            assert!(at(0.02) < at(0.2) && at(0.2) < at(0.6));
            let own = model.score(&moments, &vectors[0], &known, None);
            let shifted = model.score(&moments, &vectors[0], &known, Some(0.02));
            assert_eq!(model.reference_share(&own), model.reference_share(&shifted));
        }
    }

    #[test]
    fn the_reference_share_rises_with_the_score() {
        let model = Model::prior().unwrap();
        let share = |lines: f64| {
            let mut vector = [0.0; WIDTH];
            vector[4] = lines;
            let mut known = [false; WIDTH];
            known[4] = true;
            model.reference_share(&model.score(&Moments::default(), &vector, &known, None))
        };
        assert!(share(0.0) < share(30.0) && share(30.0) < share(3000.0));
        assert!((0.0..=1.0).contains(&share(1e12)));
    }

    #[test]
    fn the_size_only_model_does_not_look_at_history() {
        let mut moments = Moments::default();
        let vector = Draw(3).vector();
        let known = [true; WIDTH];
        let before = Model::size_only().unwrap().score(&moments, &vector, &known, None);
        (0..300).for_each(|_| moments.push(&vector));
        assert_eq!(Model::size_only().unwrap().score(&moments, &vector, &known, None), before);
        for history in [8, 9, 10, 11, 12, 13] {
            assert_eq!(before.contributions[history], 0.0);
        }
        let prior = Model::prior().unwrap();
        assert_ne!(
            prior.score(&moments, &vector, &known, None),
            prior.score(&Moments::default(), &vector, &known, None)
        );
    }

    #[test]
    fn damaged_and_foreign_files_are_refused() {
        let text = include_str!("prior/prior.json");
        assert!(Model::parse(text).is_ok());
        assert!(Model::parse(&text.replace('\n', "\r\n")).is_ok(), "line ends are not content");
        let refused = |text: &str, what: &str| {
            let error = Model::parse(text).unwrap_err();
            assert_eq!(error.code(), "model.format");
            assert!(error.message().contains(what), "{error}");
        };
        refused(&text.replacen("\"weight\": 0.", "\"weight\": 1.", 1), "checksum");
        refused(&text.replacen(FORMAT, "barograph-model-9", 1), "barograph-model-9");
        refused(&text[..text.len() / 2], "not a model file");
        refused("{}", "not a model file");
        refused(&text.replacen("\"standing\"", "\"sitting\"", 1), "absent or wrong");
        let mut file = Model::parse(text).unwrap().file;
        file.card.coefficients.swap(0, 1);
        refused(&file.write().unwrap(), "schema");
        let mut file = Model::parse(text).unwrap().file;
        file.reference.reverse();
        refused(&file.write().unwrap(), "ascending");
        assert_eq!(Model::named("best").unwrap_err().code(), "model.missing");
        assert_eq!(Model::named("size-only").unwrap().reference().name, "size-only");
    }

    #[test]
    fn what_is_written_is_read_back_the_same() {
        for model in models() {
            let text = model.file.write().unwrap();
            let mut again = Model::parse(&text).unwrap().file;
            again.sha256.clone_from(&model.file.sha256);
            assert_eq!(again, model.file);
        }
    }

    /// The line of an evaluation whose name starts so.
    fn line(of: &[crate::predict::record::Evaluation], name: &str) -> crate::predict::record::Evaluation {
        of.iter().find(|line| line.rows.starts_with(name)).unwrap_or_else(|| panic!("no line {name}")).clone()
    }

    #[test]
    fn the_shipped_prior_keeps_what_it_promises() {
        let card = Model::prior().unwrap().card();
        for (name, least) in [
            // .75 is reached on the rows after each table's split; over all rows the limit was found
            // at .744 (benches/README.md).
            ("mean of the tables above, all rows", 0.735),
            ("mean of the tables above, last 20 %", 0.75),
        ] {
            let of = line(&card.unseen_projects, name);
            assert!(of.roc_auc >= least, "{of:?}");
            assert!(of.roc_auc >= of.roc_auc_churn - 0.01 && of.brier < of.brier_base_rate, "{of:?}");
        }
        for name in ["all of them, each at", "all of them, at the model's"] {
            let together = line(&card.out_of_time, name);
            assert!(together.ece <= 0.05 && together.brier < together.brier_base_rate, "{together:?}");
        }
        let small = Model::size_only().unwrap().card();
        let last = line(&small.unseen_projects, "mean of the tables above, last 20 %");
        assert!(last.roc_auc >= last.roc_auc_churn, "{last:?}");
        for card in [card, small] {
            assert!(card.notices.iter().any(|notice| notice.contains("Permission is hereby granted")));
            assert!(card.notices.iter().any(|notice| notice.contains("Apache License, Version 2.0")));
            assert!(!card.harmonisation.is_empty() && !card.not_for.is_empty());
        }
    }
}
