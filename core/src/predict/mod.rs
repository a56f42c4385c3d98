//! From the measures of a change to a calibrated, explained probability.
//!
//! [`position`] says where a value stands within the repository's own earlier changes,
//! [`model`] turns the positions into a probability whose parts add up exactly, [`explain`] puts
//! each part into words, [`evaluate`] says how good a set of probabilities is, and `learn`
//! (feature `learn`, the training command only) finds the weights.

// Measuring is the training command's; a repository's own models will need it too.
#[cfg(any(test, feature = "learn"))]
pub mod evaluate;
pub mod explain;
#[cfg(feature = "learn")]
pub mod learn;
pub mod model;
pub mod position;
pub mod record;

/// The features in schema order: the order of every vector, sum and covariance.
pub const FEATURES: [&str; 14] =
    ["ns", "nd", "nf", "entropy", "la", "ld", "lt", "fix", "ndev", "age", "nuc", "exp", "rexp", "sexp"];
