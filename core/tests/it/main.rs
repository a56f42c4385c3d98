//! Public behaviour of the crate: one binary, one module per topic.

mod cases;
mod events;
mod git;
mod git_features;
mod layers;
mod queue;
mod session;
mod store;
mod support;
