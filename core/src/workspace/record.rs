//! What the workspace itself takes and answers: plain data, the same in every language.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Arguments of `workspace.open`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OpenArgs {
    /// A folder in or above which the repository lies; also good for sessions without one.
    pub path: String,
    /// The store's file; default `.barograph/store.db` at the top of the work tree.
    pub store: Option<String>,
    /// Keep everything in memory: nothing is written, nothing outlives the workspace.
    pub in_memory: bool,
    /// A fixed time for the clock, RFC 3339: for tests and repeatable answers.
    pub clock: Option<String>,
}

impl Default for OpenArgs {
    fn default() -> Self {
        OpenArgs { path: ".".to_owned(), store: None, in_memory: false, clock: None }
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
    /// The store's file; absent in memory.
    pub store: Option<String>,
    /// How durable the store is: `full` (survives power loss) or `none` (in memory).
    pub durability: String,
    /// What a user should know, for example why the store is in memory.
    pub notes: Vec<String>,
}

/// Arguments of `events.open`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EventsOpenArgs {
    /// Only events after this durable cursor; 0 for all.
    pub after: u64,
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
