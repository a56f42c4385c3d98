//! `queue.*`: durable queues of tasks.

use super::Workspace;
use crate::error::{Error, Result};
use crate::exec::record::*;

/// Durable queues of tasks.
#[derive(Clone, Debug)]
pub struct Queues(pub(crate) Workspace);

impl Queues {
    /// x
    pub async fn enqueue(&self, _args: EnqueueArgs) -> Result<Enqueued> {
        Err(Error::new("bug.panic", "not landed"))
    }
    /// x
    pub async fn show(&self, _args: QueueShowArgs) -> Result<QueueSummary> {
        Err(Error::new("bug.panic", "not landed"))
    }
}
