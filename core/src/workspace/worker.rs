//! `worker.*`: workers that take tasks from a queue.

use super::Workspace;
use crate::error::{Error, Result};
use crate::exec::record::*;

/// Workers that take tasks from a queue.
#[derive(Clone, Debug)]
pub struct Workers(pub(crate) Workspace);

/// x
#[derive(Clone, Debug)]
pub struct Worker;

fn pending() -> Error {
    Error::new("bug.panic", "not landed")
}

impl Workers {
    /// x
    pub async fn open(&self, _args: WorkerOpenArgs) -> Result<Worker> {
        Err(pending())
    }
}
impl Worker {
    /// x
    pub async fn next(&self, _args: WorkerNextArgs) -> Result<TaskBatch> {
        Err(pending())
    }
    /// x
    pub async fn complete(&self, _args: WorkerCompleteArgs) -> Result<TaskReport> {
        Err(pending())
    }
    /// x
    pub async fn fail(&self, _args: WorkerFailArgs) -> Result<TaskReport> {
        Err(pending())
    }
}
