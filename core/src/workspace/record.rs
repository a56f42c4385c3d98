//! What the workspace itself takes and answers: plain data, the same in every language.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exec::record::QueueSummary;
use crate::session::record::SessionOwner;
use crate::store::Durability;

/// Arguments of `workspace.open`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OpenArgs {
    /// A folder in or above which the repository lies; also good for sessions without one.
    pub path: String,
    /// The store: a file (default `.barograph/store.db` at the top of the work tree), or the URL of a
    /// PostgreSQL database, `postgres://user@host:5432/name?schema=barograph`.
    pub store: Option<String>,
    /// Keep everything in memory: nothing is written, nothing outlives the workspace.
    pub in_memory: bool,
    /// A fixed time for the clock, RFC 3339: for tests and repeatable answers.
    pub clock: Option<String>,
    /// What a commit survives: `full` the loss of power, `process` the death of the process, `none`
    /// nothing (as `in_memory`).
    pub durability: Durability,
    /// Sessions, schedules, queues and events of another namespace are not seen: 1 to 200 characters.
    /// It keeps apart what shares a store, and is no border against anybody who can read the store.
    pub namespace: String,
    /// How long this process keeps its sessions without a sign of life, in milliseconds, 1,000 to
    /// 3,600,000; renewed three times in that span.
    pub lease_ms: u64,
    /// Sessions that ended longer ago than this are removed at opening and from time to time, in
    /// milliseconds; without it nothing is.
    pub retention_ms: Option<u64>,
}

impl Default for OpenArgs {
    fn default() -> Self {
        OpenArgs {
            path: ".".to_owned(),
            store: None,
            in_memory: false,
            clock: None,
            durability: Durability::Full,
            namespace: "default".to_owned(),
            lease_ms: 30_000,
            retention_ms: None,
        }
    }
}

impl From<&str> for OpenArgs {
    fn from(path: &str) -> Self {
        OpenArgs { path: path.to_owned(), ..OpenArgs::default() }
    }
}

/// What a workspace is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkspaceInfo {
    /// Version of the library.
    pub version: String,
    /// Top of the work tree (or the repository itself where bare); absent outside a repository.
    pub repository: Option<String>,
    /// The store's file, or its URL without the password; absent in memory.
    pub store: Option<String>,
    /// What a commit survives.
    pub durability: Durability,
    /// The namespace of sessions, schedules, queues and events.
    pub namespace: String,
    /// What a user should know, for example why the store is in memory.
    pub notes: Vec<String>,
}

/// Arguments of `events.open`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventsOpenArgs {
    /// Only events after this durable cursor; 0 for all.
    pub after: u64,
    /// Only events from now on, whatever `after` is.
    pub from_now: bool,
    /// Wait for new events at the end instead of ending the stream.
    pub follow: bool,
    /// Also transient events (`progress.reported`).
    pub transient: bool,
}

/// Arguments of `events.next`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventsNextArgs {
    /// At most this many events, 1 to 10,000.
    pub max: u32,
    /// How long to wait for the first one, in milliseconds; only with `follow`.
    pub wait_ms: u64,
}

impl Default for EventsNextArgs {
    fn default() -> Self {
        EventsNextArgs { max: 100, wait_ms: 0 }
    }
}

/// Arguments of `workspace.health`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HealthArgs {
    /// Read all of the store and look for damage: takes as long as that takes.
    pub thorough: bool,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthCheck {
    /// What was looked at.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was seen, and what to do.
    pub reason: String,
}

/// A process that owns sessions or has claimed tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnerLoad {
    /// The process.
    pub owner: SessionOwner,
    /// How many sessions it owns.
    pub sessions: u64,
    /// How many tasks it has claimed.
    pub tasks: u64,
}

/// How a store is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// Whether everything is as it should be.
    pub ok: bool,
    /// What was looked at.
    pub checks: Vec<HealthCheck>,
    /// Size of the store in bytes.
    pub store_bytes: u64,
    /// Size of the log beside it in bytes.
    pub log_bytes: u64,
    /// Bytes that are free where it lies; absent in memory and on a server.
    pub free_bytes: Option<u64>,
    /// How many sessions take steps.
    pub sessions_open: u64,
    /// How many are paused.
    pub sessions_paused: u64,
    /// How many have ended.
    pub sessions_ended: u64,
    /// Every queue.
    pub queues: Vec<QueueSummary>,
    /// Every owner.
    pub owners: Vec<OwnerLoad>,
}

/// Arguments of `workspace.backup`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupArgs {
    /// The file to write.
    pub path: String,
    /// Write over a file that exists.
    #[serde(default)]
    pub replace: bool,
}

/// A copy of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupFile {
    /// The file.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Arguments of `workspace.restore`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreArgs {
    /// The file that `workspace.backup` has written.
    pub path: String,
}

/// What `workspace.restore` has taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RestoredStore {
    /// How many sessions.
    pub sessions: u64,
}
