//! Code as data: which language a file has, its syntax tree, and what is read from that in one parse.
//!
//! Nothing here opens a repository: what is known of a file from outside (its language, whether it
//! is generated or vendored) is handed in.

pub mod cache;
pub mod clones;
mod columns;
pub mod language;
pub mod metrics;
pub mod parse;
pub mod patterns;
pub mod record;
pub mod scan;
pub mod symbols;
mod syntax;
