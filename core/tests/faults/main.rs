//! Real faults: the power is lost, the disk is full, the disk fails. The product runs unchanged on a file
//! system of our own, which is the default one of this process; that is why this is a binary of its own.
//!
//! As it stands each test looks at a fixed part of all cases and says how large it is. For all of them:
//!
//! ```text
//! BAROGRAPH_FAULT_SECONDS=3600 BAROGRAPH_FAULT_SEED=7 cargo test --release -p barograph --test faults -- --nocapture
//! ```
//!
//! A failure names its case, and leaves the files that it was found with.

#![allow(clippy::print_stderr, reason = "how much was looked at is told to whoever runs it")]

mod batch;
mod check;
mod disk;
mod gate;
mod inject;
mod model;
mod power;
mod program;
mod record;
mod seed;
mod vfs;
