//! SZZ: which commits brought in what later commits fixed (Śliwerski, Zimmermann, Zeller 2005), for
//! every fix of a history in one pass.
//!
//! The lines that a fix changes are followed back to the commit that made them. Blank lines,
//! comments, brackets (Kim et al. 2006), imports, merges that only carry (da Costa et al. 2017),
//! lines broken or indented anew, and lines that moved within a file or between the files of one
//! commit (Neto et al. 2018) neither count nor stop the trace.

mod blocks;
mod class;
mod columns;
mod compare;
mod fix;
mod graph;
mod message;
mod origins;
pub mod record;
mod scene;
mod table;
mod trace;
#[cfg(test)]
mod trial;

pub use origins::{FileLines, origins};
pub use table::{Fixes, Settings, szz};
