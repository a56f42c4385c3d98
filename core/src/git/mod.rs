//! History as data: what changed, who changed it, and what that says about a change.

pub mod record;

use crate::error::{Error, Result};
use std::path::{Path, PathBuf};
/// x
#[derive(Clone, Debug)]
pub struct Repository {
    top: PathBuf,
}
impl Repository {
    /// x
    pub fn open(path: &Path) -> Result<Repository> {
        if path.join(".git").exists() {
            Ok(Repository { top: path.to_owned() })
        } else {
            Err(Error::new("git.not_a_repository", "no"))
        }
    }
    /// x
    pub fn top(&self) -> &Path {
        &self.top
    }
    /// Where `.barograph/` goes.
    pub fn home(&self) -> &Path {
        &self.top
    }
}
impl record::FeatureTable {
    /// The rows as Arrow columns.
    pub fn to_columns(&self) -> Result<arrow_array::RecordBatch> {
        Err(Error::new("bug.panic", "not landed"))
    }
}
