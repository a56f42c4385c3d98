//! What comes to a session from outside, and what it says of itself: signals, waits, its log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::value::Payload;

/// Arguments of `session.signal`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignalArgs {
    /// The session's id.
    pub id: String,
    /// What the signal is called: 1 to 150 characters. Signals of one name are taken in the order of arrival.
    pub name: String,
    /// What it says.
    #[serde(default)]
    pub payload: Option<Payload>,
    /// Idempotency key: a second signal of this name and key is the first one.
    #[serde(default)]
    pub key: Option<String>,
}

/// What `session.signal` answers: the signal is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignalSent {
    /// The durable cursor of the signal.
    pub seq: u64,
    /// Whether it was sent by this call.
    pub created: bool,
}

/// Arguments of `session.wait_signal`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitSignalArgs {
    /// What the signal is called: 1 to 150 characters.
    pub name: String,
    /// Matches the wait by this key instead of its occurrence; needed by concurrent siblings.
    #[serde(default)]
    pub key: Option<String>,
    /// The wait ends without a signal after this many milliseconds, counted from its first begin
    /// and through restarts; without it, never.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// How long this call waits, in milliseconds: then it is `session.waiting`, and the wait goes on
    /// without anybody. Without it, as long as it takes.
    #[serde(default)]
    pub wait_ms: Option<u64>,
}

/// How a wait for a signal ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignalReceived {
    /// What the signal said; absent where time ended the wait.
    pub value: Option<Payload>,
    /// Whether time ended the wait.
    pub timed_out: bool,
}

/// Arguments of `session.sleep`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SleepArgs {
    /// How long, in milliseconds, counted from the first begin and through restarts.
    pub duration_ms: u64,
    /// Matches the timer by this key instead of its occurrence; needed by concurrent siblings.
    #[serde(default)]
    pub key: Option<String>,
    /// How long this call waits, in milliseconds: then it is `session.waiting`, and the timer goes on
    /// without anybody. Without it, as long as it takes.
    #[serde(default)]
    pub wait_ms: Option<u64>,
}

/// What `session.sleep` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Slept {
    /// The durable cursor of the timer's last row.
    pub seq: u64,
}

/// Arguments of `session.append`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppendArgs {
    /// Which part of the log: 1 to 200 characters, for example `message` or `progress`.
    pub name: String,
    /// The entries, all or none; at most 10,000.
    pub entries: Vec<Payload>,
}

/// What `session.append` answers: the entries are on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Appended {
    /// The durable cursor of the last entry.
    pub cursor: u64,
}

/// Arguments of `session.entries`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EntriesArgs {
    /// The session's id.
    pub id: String,
    /// Only this part of the log.
    pub name: Option<String>,
    /// Only entries after this durable cursor; 0 for all.
    pub after: u64,
    /// At most this many, 1 to 10,000.
    pub limit: u32,
}

impl Default for EntriesArgs {
    fn default() -> Self {
        EntriesArgs { id: String::new(), name: None, after: 0, limit: 100 }
    }
}

/// One entry of a session's log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogEntry {
    /// Its durable cursor.
    pub seq: u64,
    /// When it was written, RFC 3339 in UTC.
    pub time: String,
    /// Which part of the log it belongs to.
    pub name: String,
    /// What it says.
    pub value: Payload,
}

/// A page of a session's log, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EntryPage {
    /// The entries.
    pub entries: Vec<LogEntry>,
    /// Pass it as `after` for the next page.
    pub cursor: u64,
}
