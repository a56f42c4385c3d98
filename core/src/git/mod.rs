//! History as data: what changed, who changed it, and what that says about a change.
//!
//! Repository reads objects; mining turns commits into records of a log; the fold turns the log
//! into measures; a change that is not in history yet is measured against the folded state.

mod attributes;
mod change;
mod columns;
mod diff;
mod fold;
mod history;
mod insight;
mod lines;
mod log;
mod measure;
mod mine;
mod objects;
mod order;
pub mod pack;
mod read;
pub mod record;
mod rename;
mod repository;
mod shared;
pub mod szz;
mod tree;
#[cfg(test)]
mod trial;
mod worktree;

pub use attributes::Attributes;
pub use change::Change;
pub use gix::ObjectId;
pub use history::{Before, History};
pub use insight::{Commits, Contents, Insight, KnownContents};
pub use measure::Measure;
pub use mine::Level;
pub use repository::Repository;

/// The fourteen change measures of Kamei et al. 2013, in the order of every [`Vector`].
pub const FEATURES: [&str; 14] =
    ["ns", "nd", "nf", "entropy", "la", "ld", "lt", "fix", "ndev", "age", "nuc", "exp", "rexp", "sexp"];

/// The values of the fourteen measures, in the order of [`FEATURES`].
pub type Vector = [f64; 14];
