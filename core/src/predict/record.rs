//! What a model says of itself: plain data, the same in every language.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Arguments of `predict.model`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelArgs {
    /// `prior` (all fourteen measures) or `size-only` (what a clone without history can know).
    pub name: String,
}

impl Default for ModelArgs {
    fn default() -> Self {
        ModelArgs { name: "prior".to_owned() }
    }
}

/// How well a model ranks and how honest its probabilities are on one set of rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// Which rows, for example `qt, last 20 % by date` or `camel, never seen`.
    pub rows: String,
    /// How many rows.
    pub count: u64,
    /// Share of defective rows.
    pub base_rate: f64,
    /// Area under the ROC curve.
    pub roc_auc: f64,
    /// The same for `log1p(LA + LD)` alone on the same rows.
    pub roc_auc_churn: f64,
    /// Brier score (mean squared error of the probability) at the given base rate.
    pub brier: f64,
    /// Brier score of always saying the base rate.
    pub brier_base_rate: f64,
    /// Expected calibration error over ten bins of equal count.
    pub ece: f64,
}

/// The weight of one feature.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coefficient {
    /// The feature's name as in `git.features`, for example `la`.
    pub feature: String,
    /// Log-odds per unit of position.
    pub weight: f64,
    /// The prior's mean of signed log1p(value).
    pub mean: f64,
    /// The prior's spread (standard deviation) of signed log1p(value).
    pub spread: f64,
}

/// What a model is, what it was trained on, and what it must not be used for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelCard {
    /// The model's name: `prior` or `size-only`.
    pub name: String,
    /// The version of its weights.
    pub version: String,
    /// The data sets it was trained on, each with its licence.
    pub trained_on: Vec<String>,
    /// The newest commit date in its training rows, RFC 3339.
    pub trained_until: String,
    /// How many rows it was trained on.
    pub rows: u64,
    /// Share of defective training rows: the base rate of an unadjusted probability.
    pub base_rate: f64,
    /// Log-odds where every feature stands at the mean.
    pub intercept: f64,
    /// The weights, in schema order.
    pub coefficients: Vec<Coefficient>,
    /// How the two tables were brought to one definition, and what was left out.
    pub harmonisation: Vec<String>,
    /// How rows were split, and when a label counts as known.
    pub split: String,
    /// Measured on rows later than the training rows of the same projects.
    pub out_of_time: Vec<Evaluation>,
    /// Measured on whole projects left out of training.
    pub unseen_projects: Vec<Evaluation>,
    /// What it must not be used for.
    pub not_for: Vec<String>,
    /// Notices that the licences of the data ask for.
    pub notices: Vec<String>,
}

/// Which model gave an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelReference {
    /// The model's name: `prior` or `size-only`.
    pub name: String,
    /// The version of its weights.
    pub version: String,
    /// The data sets it was trained on.
    pub trained_on: Vec<String>,
    /// The newest commit date in its training rows, RFC 3339.
    pub trained_until: String,
}
