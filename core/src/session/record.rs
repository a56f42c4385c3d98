//! What a session, a step and their arguments are: plain data, the same in every language.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
}

/// What happens to a step that was running when its process died.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepPolicy {
    /// It runs again: its effect happens at least once.
    #[default]
    Retry,
    /// It never runs again by itself: its effect happens at most once, and after a crash its
    /// outcome is `unknown` until the host decides.
    Once,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// It was begun and has not reported back.
    #[default]
    Running,
    /// Its result is on disk.
    Done,
    /// It reported an error.
    Failed,
}

/// What `session.begin` asks of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// The result is known: use it, do not run the step.
    Done,
    /// Run the step, then call `session.finish` with the token.
    #[default]
    Run,
    /// A step of policy `once` was cut short: find out whether its effect happened, then call
    /// `session.finish` with the token.
    Unknown,
}

/// Arguments of `session.open`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionOpenArgs {
    /// The session's id, chosen by the caller: 1 to 200 characters.
    pub id: String,
    /// Go on where the session of this id stopped; without it an existing id is `session.exists`.
    #[serde(default)]
    pub resume: bool,
    /// Names and values to find the session by; kept from the first opening.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// Arguments of `session.list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionListArgs {
    /// Only sessions of this status.
    pub status: Option<SessionStatus>,
    /// Only sessions that carry all of these labels.
    pub labels: BTreeMap<String, String>,
    /// At most this many, 1 to 1,000.
    pub limit: u32,
    /// Only sessions after this cursor: `next` of the page before.
    pub after: Option<String>,
}

impl Default for SessionListArgs {
    fn default() -> Self {
        SessionListArgs { status: None, labels: BTreeMap::new(), limit: 100, after: None }
    }
}

/// Arguments of `session.show`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionShowArgs {
    /// The session's id.
    pub id: String,
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
    /// What it ended with, once completed.
    pub output: Option<Payload>,
    /// Why it ended, once failed.
    pub failure: Option<Failure>,
}

/// A page of sessions, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionList {
    /// The sessions.
    pub sessions: Vec<SessionSummary>,
    /// The cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// One step of a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepRecord {
    /// The step's place in the session, from 0.
    pub position: u64,
    /// Its name.
    pub name: String,
    /// Its explicit key, where it was given one.
    pub key: Option<String>,
    /// SHA-256 of its arguments as canonical JSON (RFC 8785), hexadecimal.
    pub args_hash: String,
    /// What happens to it after a crash.
    pub policy: StepPolicy,
    /// Where it stands.
    pub status: StepStatus,
    /// How often it was begun.
    pub attempts: u32,
    /// When it was begun last, RFC 3339 in UTC.
    pub started: String,
    /// When it reported back, RFC 3339 in UTC.
    pub finished: Option<String>,
    /// Its result, once done.
    pub result: Option<Payload>,
    /// Its error, once failed.
    pub failure: Option<Failure>,
}

/// A session with its steps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionDetail {
    /// The session.
    pub session: SessionSummary,
    /// Its steps in order.
    pub steps: Vec<StepRecord>,
}

/// Arguments of `session.begin`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepBeginArgs {
    /// The step's name: 1 to 200 characters. Steps are matched by name and occurrence.
    pub name: String,
    /// Matches the step by this key instead of its occurrence; needed by concurrent siblings.
    #[serde(default)]
    pub key: Option<String>,
    /// What the step depends on; another value at the same place is `session.diverged`.
    #[serde(default)]
    pub args: serde_json::Value,
    /// What happens to the step after a crash.
    #[serde(default)]
    pub policy: StepPolicy,
}

/// What `session.begin` answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepStart {
    /// What to do.
    pub state: StepState,
    /// The result, where `state` is `done`.
    pub result: Option<Payload>,
    /// What to hand to `session.finish`, where `state` is `run` or `unknown`.
    pub token: Option<String>,
    /// How often the step has been begun as far as is on disk, this time included: a `retry` step
    /// writes nothing before it ends, so a try that a crash cut short does not count.
    pub attempt: u32,
}

/// Arguments of `session.finish`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepFinishArgs {
    /// The token of `session.begin`.
    pub token: String,
    /// The step's result; null where neither result nor failure is given.
    #[serde(default)]
    pub result: Option<Payload>,
    /// Why the step failed; it runs again when it is begun again.
    #[serde(default)]
    pub failure: Option<Failure>,
}

/// What `session.finish` answers: the result is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepFinished {
    /// The durable cursor of the step's last row.
    pub seq: u64,
}

/// Arguments of `session.command`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandArgs {
    /// The step's name: 1 to 200 characters. Steps are matched by name and occurrence.
    pub name: String,
    /// The program, a path or a name that is looked for in `PATH`, and its arguments; no shell reads them.
    pub argv: Vec<String>,
    /// Matches the step by this key instead of its occurrence; needed by concurrent siblings.
    #[serde(default)]
    pub key: Option<String>,
    /// The working folder, absolute or below the workspace's path, which is the default.
    #[serde(default)]
    pub folder: Option<String>,
    /// Variables that are added to the environment of this process.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// What the command reads from standard input; nothing where it is not given.
    #[serde(default)]
    pub stdin: Option<String>,
    /// How long it may run, in milliseconds, 1 to 2,592,000,000 (30 days); then it is asked to end, and
    /// killed 2 s later. No limit where it is not given.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// What happens to the step after a crash, and where the command was cut short.
    #[serde(default)]
    pub policy: StepPolicy,
    /// Whether an exit status other than 0, or an end by a signal, is a failure of the step; otherwise
    /// it is its result.
    #[serde(default = "yes")]
    pub check: bool,
}

fn yes() -> bool {
    true
}

impl Default for CommandArgs {
    fn default() -> Self {
        CommandArgs {
            name: String::new(),
            argv: Vec::new(),
            key: None,
            folder: None,
            environment: BTreeMap::new(),
            stdin: None,
            timeout_ms: None,
            policy: StepPolicy::default(),
            check: true,
        }
    }
}

/// What `session.command` answers: how the command ended, and what it wrote. It is on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandResult {
    /// Its exit status; absent where a signal ended it.
    pub status: Option<i32>,
    /// The number of the signal that ended it.
    pub signal: Option<i32>,
    /// The last 64 KiB of its standard output; what is not UTF-8 is replaced by U+FFFD.
    pub stdout: String,
    /// The last 64 KiB of its standard error, in the same way.
    pub stderr: String,
    /// How many bytes of standard output came before what is kept.
    pub stdout_dropped: u64,
    /// How many bytes of standard error came before what is kept.
    pub stderr_dropped: u64,
    /// How long it ran, in milliseconds.
    pub took_ms: u64,
    /// Whether this is the recorded result: nothing was run.
    pub replayed: bool,
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

/// Arguments of an operation that needs none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoArgs {}
