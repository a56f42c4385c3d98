//! `worker.*`: workers that take tasks from a queue.

use super::Workspace;
use crate::error::Result;
use crate::exec::record::*;
use crate::exec::worker;

/// Workers that take tasks from a queue.
#[derive(Clone, Debug)]
pub struct Workers(pub(crate) Workspace);

/// A worker that takes tasks from one queue. Clones are the same worker; when the last one is gone,
/// what it has claimed and not reported goes back into the queue.
///
/// ```
/// # barograph::blocking::wait(async {
/// use barograph::*;
/// let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
/// let task = NewTask { name: "greet".into(), payload: Payload::json("world"), max_attempts: 3, ..NewTask::default() };
/// ws.queue().enqueue(EnqueueArgs { queue: "default".into(), tasks: vec![task] }).await?;
/// let worker = ws.worker().open(WorkerOpenArgs::default()).await?;
/// for task in worker.next(WorkerNextArgs { max: 10, wait_ms: 1_000 }).await?.tasks {
///     let result = Payload::json(format!("hello {}", task.payload.json));
///     worker.complete(WorkerCompleteArgs { tasks: vec![TaskResult { id: task.id, result }] }).await?;
/// }
/// # Ok::<(), barograph::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Worker {
    inner: worker::Handle,
}

impl Workers {
    /// Opens a worker that takes tasks from a queue, which need not exist yet.
    ///
    /// Errors: `args.invalid` for a name or lease out of range.
    pub async fn open(&self, args: WorkerOpenArgs) -> Result<Worker> {
        self.0.alive()?;
        let inner = worker::Handle::open(&self.0.shared().store, args)?;
        Ok(Worker { inner })
    }
}

impl Worker {
    /// The queue that it takes from.
    pub fn queue(&self) -> &str {
        self.inner.queue()
    }

    /// Claims up to `max` tasks in one transaction, most urgent first; waits up to `wait_ms` for
    /// the first one, and answers with an empty batch where none came.
    ///
    /// Claims hold while the worker is open: the library renews them. Where this process dies they
    /// come back after the lease, on the same host at once; an attempt that was cut short counts.
    /// A call that is cancelled has claimed nothing.
    ///
    /// Errors: `args.invalid` for numbers out of range, `store.*`.
    pub async fn next(&self, args: WorkerNextArgs) -> Result<TaskBatch> {
        self.inner.next(args).await
    }

    /// Reports results of claimed tasks: all are written in one transaction, but for those whose
    /// claim was lost to another worker, which `refused` names.
    ///
    /// Errors: `queue.not_claimed` for a task that this worker has not claimed or has reported
    /// before (nothing is written then), `args.invalid`, `value.not_i_json`, `store.*`.
    pub async fn complete(&self, args: WorkerCompleteArgs) -> Result<TaskReport> {
        self.inner.complete(args).await
    }

    /// Reports failures of claimed tasks. A task with attempts left and `retry` is ready again at
    /// once; any other is dead.
    ///
    /// Errors: as of [`complete`](Self::complete).
    pub async fn fail(&self, args: WorkerFailArgs) -> Result<TaskReport> {
        self.inner.fail(args).await
    }
}
