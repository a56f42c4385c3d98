//! Public behaviour of the crate: one binary, one module per topic.

#![allow(clippy::print_stderr, reason = "what a test skipped or measured is told to whoever runs it")]

mod cases;
mod clock_jumps;
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
mod ownership;
mod prefix;
mod queue;
mod session;
mod session_life;
mod session_wait;
mod store;
mod support;
