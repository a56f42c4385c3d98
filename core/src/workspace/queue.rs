//! `queue.*`: durable queues of tasks.

use super::Workspace;
use crate::error::Result;
use crate::exec::queue;
use crate::exec::record::*;

/// Durable queues of tasks.
#[derive(Clone, Debug)]
pub struct Queues(pub(crate) Workspace);

impl Queues {
    /// Puts tasks into a durable queue, all or none; once it answers, they are on disk.
    ///
    /// A task with a key that the queue has seen before is that first task: its id is answered and
    /// nothing is added. A delay is real time, also where the workspace's clock is fixed.
    ///
    /// Errors: `args.invalid` for a name, key, priority, number of attempts or delay out of range,
    /// `value.not_i_json` for a payload that not every language can read, `store.*`.
    pub async fn enqueue(&self, args: EnqueueArgs) -> Result<Enqueued> {
        self.0.alive()?;
        queue::enqueue(&self.0.shared().store, args).await
    }

    /// How many tasks of a queue are in which state; all zero where it has had none.
    ///
    /// Errors: `args.invalid` for a name out of range, `store.*`.
    pub async fn show(&self, args: QueueShowArgs) -> Result<QueueSummary> {
        self.0.alive()?;
        queue::show(&self.0.shared().store, args).await
    }
}
