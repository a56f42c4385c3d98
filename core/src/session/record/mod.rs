//! What a session and its arguments are: plain data, the same in every language.

mod command;
mod schedule;
mod signal;
mod step;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use command::*;
pub use schedule::*;
pub use signal::*;
pub use step::*;

use crate::base::value::{Failure, Payload};

/// Where a session stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionStatus {
    /// It takes steps.
    #[default]
    Open,
    /// It ended with an output.
    Completed,
    /// It ended with an error.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// It takes no steps until it is resumed.
    Paused,
}

/// Arguments of `session.open`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionOpenArgs {
    /// The session's id, chosen by the caller: 1 to 200 characters.
    pub id: String,
    /// Go on where the session of this id stopped; without it an existing id is `session.exists`.
    #[serde(default)]
    pub resume: bool,
    /// Names and values to find the session by; kept from the first opening, as all that follows.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What the session starts with.
    #[serde(default)]
    pub input: Option<Payload>,
    /// The session that this one belongs to.
    #[serde(default)]
    pub parent: Option<String>,
    /// The session must have ended this many milliseconds after it was made; real time.
    #[serde(default)]
    pub deadline_ms: Option<u64>,
}

/// Arguments of `session.list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionListArgs {
    /// Only sessions of this status.
    pub status: Option<SessionStatus>,
    /// Only sessions that carry all of these labels.
    pub labels: BTreeMap<String, String>,
    /// Only sessions that belong to this one.
    pub parent: Option<String>,
    /// Also sessions that were put away.
    pub archived: bool,
    /// At most this many, 1 to 10,000.
    pub limit: u32,
    /// Only sessions after this cursor: `next` of the page before.
    pub after: Option<String>,
}

impl Default for SessionListArgs {
    fn default() -> Self {
        SessionListArgs {
            status: None,
            labels: BTreeMap::new(),
            parent: None,
            archived: false,
            limit: 100,
            after: None,
        }
    }
}

/// Arguments of an operation on one session: `session.show`, `session.get` and others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionIdArgs {
    /// The session's id.
    pub id: String,
}

/// The process that owns a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionOwner {
    /// Its process id.
    pub pid: u32,
    /// Its host; empty where the system does not say.
    pub host: String,
    /// Whether its lease is in force; where it is not, the session can be claimed.
    pub alive: bool,
}

/// Where a session was forked off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ForkPoint {
    /// The session that it shares steps with.
    pub id: String,
    /// Steps below this position are shared.
    pub position: u64,
}

/// One session in a few words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionSummary {
    /// The session's id.
    pub id: String,
    /// Where it stands.
    pub status: SessionStatus,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// When it was made, RFC 3339 in UTC.
    pub created: String,
    /// When its last row was written, RFC 3339 in UTC.
    pub updated: String,
    /// How many steps have a result.
    pub steps_done: u64,
    /// What it started with, where it was given anything.
    pub input: Option<Payload>,
    /// What it ended with, once completed.
    pub output: Option<Payload>,
    /// Why it ended, once failed or cancelled.
    pub failure: Option<Failure>,
    /// The session that it belongs to.
    pub parent: Option<String>,
    /// Where it was forked off.
    pub forked_from: Option<ForkPoint>,
    /// When it must have ended, RFC 3339 in UTC.
    pub deadline: Option<String>,
    /// Nobody claims it before this time, RFC 3339 in UTC: it waits for a time or a signal.
    pub waits_until: Option<String>,
    /// What it waits for then: `signal:<name>`, `sleep`; nothing where it was submitted with a delay.
    pub waits_for: Vec<String>,
    /// Whether it was put away.
    pub archived: bool,
    /// Who owns it.
    pub owner: Option<SessionOwner>,
}

/// A page of sessions, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionList {
    /// The sessions.
    pub sessions: Vec<SessionSummary>,
    /// The cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// A session with its steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionDetail {
    /// The session.
    pub session: SessionSummary,
    /// Its steps in order.
    pub steps: Vec<StepRecord>,
}

/// Arguments of `session.complete`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionCompleteArgs {
    /// What the session ends with.
    pub output: Option<Payload>,
    /// Why the session failed; makes its status `failed`.
    pub failure: Option<Failure>,
}

/// Arguments of `session.submit`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionSubmitArgs {
    /// The session's id, 1 to 200 characters; made up where it is not given.
    pub id: Option<String>,
    /// Idempotency key: a second submission with this key is the first session.
    pub key: Option<String>,
    /// What the session starts with.
    pub input: Option<Payload>,
    /// Names and values to find the session by.
    pub labels: BTreeMap<String, String>,
    /// The session that this one belongs to.
    pub parent: Option<String>,
    /// The session must have ended this many milliseconds from now; real time.
    pub deadline_ms: Option<u64>,
    /// Nobody claims it before this many milliseconds from now; real time.
    pub delay_ms: u64,
}

/// What `session.submit` answers: the session is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionSubmitted {
    /// The session's id.
    pub id: String,
    /// Whether it was made by this call.
    pub created: bool,
}

/// Arguments of `session.claim`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionClaimArgs {
    /// At most this many, 1 to 100,000.
    pub max: u32,
    /// Only sessions that carry all of these labels.
    pub labels: BTreeMap<String, String>,
    /// How long to wait for the first one, in milliseconds, 0 to 86,400,000.
    pub wait_ms: u64,
}

impl Default for SessionClaimArgs {
    fn default() -> Self {
        SessionClaimArgs { max: 1, labels: BTreeMap::new(), wait_ms: 0 }
    }
}

/// A session that this process has claimed: open it with `resume` to go on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClaimedSession {
    /// The session's id.
    pub id: String,
    /// What it started with.
    pub input: Payload,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// Claimed sessions, oldest first; empty where none came in time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionBatch {
    /// The sessions.
    pub sessions: Vec<ClaimedSession>,
}

/// Arguments of `session.cancel`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionCancelArgs {
    /// The session's id.
    pub id: String,
    /// Why, for people.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Arguments of `session.history`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionHistoryArgs {
    /// The session's id.
    pub id: String,
    /// Only events after this durable cursor; 0 for all.
    pub after: u64,
    /// At most this many, 1 to 10,000.
    pub limit: u32,
}

impl Default for SessionHistoryArgs {
    fn default() -> Self {
        SessionHistoryArgs { id: String::new(), after: 0, limit: 1000 }
    }
}

/// Arguments of `session.prune`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionPruneArgs {
    /// Only sessions that ended longer ago than this, in milliseconds; default 30 days.
    pub older_than_ms: u64,
    /// Only sessions that ended like this: `completed`, `failed` or `cancelled`.
    pub status: Option<SessionStatus>,
    /// Only sessions that carry all of these labels.
    pub labels: BTreeMap<String, String>,
    /// Only sessions that were put away.
    pub archived: bool,
    /// At most this many, 1 to 100,000.
    pub limit: u32,
    /// Count, and remove nothing.
    pub dry_run: bool,
}

impl Default for SessionPruneArgs {
    fn default() -> Self {
        SessionPruneArgs {
            older_than_ms: 30 * 86_400_000,
            status: None,
            labels: BTreeMap::new(),
            archived: false,
            limit: 10_000,
            dry_run: false,
        }
    }
}

/// What `session.prune` has removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionsPruned {
    /// How many sessions.
    pub sessions: u64,
    /// How many rows of their histories.
    pub events: u64,
    /// How many large values that nothing else names.
    pub large_values: u64,
    /// How many were old enough and stay, as forks share their steps.
    pub kept_for_forks: u64,
}

/// Arguments of an operation that needs none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoArgs {}
