//! Public behaviour of the crate: one binary, one module per topic.

#![allow(clippy::print_stderr, reason = "what a test skipped or measured is told to whoever runs it")]

mod cases;
mod code_scan;
mod events;
mod expected;
mod git;
mod git_features;
mod git_gaps;
mod git_insight;
mod git_szz;
mod hostile_code;
mod layers;
#[cfg(unix)]
mod process;
mod queue;
mod session;
mod store;
mod support;
