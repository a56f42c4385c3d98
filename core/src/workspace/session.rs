//! `session.*`: durable runs of checkpointed steps.

use super::Workspace;
use crate::error::{Error, Result};
use crate::session::record::*;

/// Durable runs of checkpointed steps.
#[derive(Clone, Debug)]
pub struct Sessions(pub(crate) Workspace);

/// x
#[derive(Clone, Debug)]
pub struct Session;

fn pending() -> Error {
    Error::new("bug.panic", "not landed")
}

impl Sessions {
    /// x
    pub async fn open(&self, _args: SessionOpenArgs) -> Result<Session> {
        Err(pending())
    }
    /// x
    pub async fn list(&self, _args: SessionListArgs) -> Result<SessionList> {
        Err(pending())
    }
    /// x
    pub async fn show(&self, _args: SessionShowArgs) -> Result<SessionDetail> {
        Err(pending())
    }
}
impl Session {
    /// x
    pub async fn begin(&self, _args: StepBeginArgs) -> Result<StepStart> {
        Err(pending())
    }
    /// x
    pub async fn finish(&self, _args: StepFinishArgs) -> Result<StepFinished> {
        Err(pending())
    }
    /// x
    pub async fn complete(&self, _args: SessionCompleteArgs) -> Result<SessionSummary> {
        Err(pending())
    }
}
