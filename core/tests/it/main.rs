//! Public behaviour of the crate: one binary, one module per topic.

mod cases;
mod git;
mod git_features;
mod layers;
