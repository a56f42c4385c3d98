//! The public behaviour of the library, in one binary.

mod git;
mod git_features;
