//! What a task, a queue and a batch are: plain data, the same in every language.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::value::{Failure, Payload};

/// A task to be put into a queue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    /// Which handler runs it.
    pub name: String,
    /// What the handler gets.
    #[serde(default)]
    pub payload: Payload,
    /// Idempotency key: a second task of this key in the queue is the first one, also after it ended.
    #[serde(default)]
    pub key: Option<String>,
    /// Higher goes first, -1,000 to 1,000; equal ones go in order of arrival.
    #[serde(default)]
    pub priority: i32,
    /// How often it is tried before it is `dead`, from 1.
    #[serde(default = "three")]
    pub max_attempts: u32,
    /// Not before this many milliseconds from now.
    #[serde(default)]
    pub delay_ms: u64,
}

fn three() -> u32 {
    3
}

/// Arguments of `queue.enqueue`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnqueueArgs {
    /// The queue's name; made at its first task.
    pub queue: String,
    /// The tasks, all or none.
    pub tasks: Vec<NewTask>,
}

/// What `queue.enqueue` answers: the tasks are on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Enqueued {
    /// One id per task, in order.
    pub ids: Vec<String>,
}

/// Arguments of `queue.show`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueShowArgs {
    /// The queue's name.
    pub queue: String,
}

/// How many tasks of a queue are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QueueSummary {
    /// The queue's name.
    pub queue: String,
    /// Ready or delayed.
    pub waiting: u64,
    /// Claimed by a worker whose lease is in force.
    pub running: u64,
    /// Completed.
    pub done: u64,
    /// Failed at the last attempt.
    pub dead: u64,
}

/// Arguments of `worker.open`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerOpenArgs {
    /// The queue to take from.
    pub queue: String,
    /// How long a claim holds without a sign of life, in milliseconds, 100 to 3,600,000; it is
    /// renewed by the library while the worker is open.
    pub lease_ms: u64,
}

impl Default for WorkerOpenArgs {
    fn default() -> Self {
        WorkerOpenArgs { queue: "default".to_owned(), lease_ms: 30_000 }
    }
}

/// Arguments of `worker.next`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerNextArgs {
    /// At most this many tasks, 1 to 10,000.
    pub max: u32,
    /// How long to wait for the first one, in milliseconds.
    pub wait_ms: u64,
}

impl Default for WorkerNextArgs {
    fn default() -> Self {
        WorkerNextArgs { max: 1, wait_ms: 0 }
    }
}

/// A task that this worker has claimed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimedTask {
    /// The task's id.
    pub id: String,
    /// Which handler runs it.
    pub name: String,
    /// What the handler gets.
    pub payload: Payload,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// A batch of claimed tasks; empty where none came in time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskBatch {
    /// The tasks, most urgent first.
    pub tasks: Vec<ClaimedTask>,
}

/// The result of one task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskResult {
    /// The task's id.
    pub id: String,
    /// What the handler returned.
    #[serde(default)]
    pub result: Payload,
}

/// Arguments of `worker.complete`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkerCompleteArgs {
    /// The results, each for a task that this worker has claimed.
    pub tasks: Vec<TaskResult>,
}

/// The failure of one task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskFailure {
    /// The task's id.
    pub id: String,
    /// Why it failed.
    pub failure: Failure,
    /// Whether it may be tried again while attempts are left.
    #[serde(default = "yes")]
    pub retry: bool,
}

fn yes() -> bool {
    true
}

/// Arguments of `worker.fail`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkerFailArgs {
    /// The failures, each for a task that this worker has claimed.
    pub tasks: Vec<TaskFailure>,
}

/// What `worker.complete` and `worker.fail` answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaskReport {
    /// How many reports were written.
    pub accepted: u64,
    /// Ids whose claim was lost to another worker: their reports were not written.
    pub refused: Vec<String>,
}
