//! What an event is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The durable cursor: grows in commit order; 0 for a transient event (progress).
    pub seq: u64,
    /// When it happened, RFC 3339 in UTC.
    pub time: String,
    /// What happened as `noun.verb`, for example `step.finished`, `task.failed`, `progress.reported`.
    pub kind: String,
    /// What it happened to: a session id, a task id, or the name of the work.
    pub subject: String,
    /// Details, by kind.
    pub data: serde_json::Value,
}

/// A batch of events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventPage {
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// The cursor to go on from: the `seq` of the last durable event seen.
    pub cursor: u64,
    /// Whether nothing more will come from this stream.
    pub ended: bool,
    /// How many transient events were dropped since the last batch as nobody took them in time.
    pub dropped: u64,
}
