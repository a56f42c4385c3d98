//! `git.*`: reads of the repository's history.

use super::Workspace;
use crate::error::{Error, Result};
use crate::git::record::*;

/// Reads of the repository's history.
#[derive(Clone, Debug)]
pub struct Git(pub(crate) Workspace);

/// The history that this workspace has read, kept up to date.
#[derive(Debug, Default)]
pub(crate) struct HistoryCache;

fn pending() -> Error {
    Error::new("bug.panic", "not landed")
}

impl Git {
    /// x
    pub async fn features(&self, _args: FeaturesArgs) -> Result<FeatureTable> {
        Err(pending())
    }
    /// x
    pub async fn history_export(&self, _args: HistoryPackArgs) -> Result<HistoryPack> {
        Err(pending())
    }
    /// x
    pub async fn history_import(&self, _args: HistoryPackArgs) -> Result<HistoryPack> {
        Err(pending())
    }
    /// x
    pub async fn deepen(&self, _args: DeepenArgs) -> Result<Deepened> {
        Err(pending())
    }
}
