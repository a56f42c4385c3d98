//! What a step and a checkpoint are: plain data, the same in every language.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::value::{Failure, Payload};

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
    /// It waits for a signal or a time.
    Waiting,
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
    /// Whether it was a wait that time ended.
    pub timed_out: bool,
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

/// Arguments of `session.patch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionPatchArgs {
    /// What the change to the program is called: 1 to 150 characters.
    pub name: String,
}

/// What `session.patch` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionPatch {
    /// Whether to run the changed program; the same at every later run of the session.
    pub patched: bool,
}

/// Arguments of `session.checkpoint`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckpointArgs {
    /// What the checkpoint is called: 1 to 200 characters; several may have one name.
    pub name: String,
    /// What the program wants to find when it goes back to it.
    #[serde(default)]
    pub state: Option<Payload>,
}

/// A point in a session that it can be taken back to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Checkpoint {
    /// The checkpoint's id.
    pub id: String,
    /// What it is called; `before:<step>` or `after:<step>` where it was made by policy.
    pub name: String,
    /// Steps below this position belong to it.
    pub position: u64,
    /// Made by policy: before a `once` step, and after 30 s of progress.
    pub automatic: bool,
    /// When it was made, RFC 3339 in UTC.
    pub time: String,
    /// What was kept with it, where it was asked for.
    pub state: Option<Payload>,
}

/// Arguments of `session.checkpoints`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointsArgs {
    /// The session's id.
    pub id: String,
    /// Only those of this name.
    pub name: Option<String>,
    /// With the states that were kept.
    pub states: bool,
    /// At most this many, 1 to 10,000.
    pub limit: u32,
}

impl Default for CheckpointsArgs {
    fn default() -> Self {
        CheckpointsArgs { id: String::new(), name: None, states: false, limit: 100 }
    }
}

/// A session's checkpoints, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckpointList {
    /// The checkpoints.
    pub checkpoints: Vec<Checkpoint>,
}

/// Arguments of `session.restore`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionRestoreArgs {
    /// The session's id.
    pub id: String,
    /// The checkpoint's id.
    pub checkpoint: String,
    /// Go back even behind a step of policy `once` that was begun: its effect may then happen again.
    #[serde(default)]
    pub again_once: bool,
}

/// Arguments of `session.fork`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionForkArgs {
    /// The session to fork.
    pub id: String,
    /// The id of the new session: 1 to 200 characters.
    pub new_id: String,
    /// The position of the first step that the new session runs itself; those below are shared.
    /// Without it all recorded steps are.
    #[serde(default)]
    pub at: Option<u64>,
    /// Fork at this checkpoint instead of a position.
    #[serde(default)]
    pub checkpoint: Option<String>,
    /// What the new session starts with instead of the old one's input.
    #[serde(default)]
    pub input: Option<Payload>,
    /// Labels of the new session; without them those of the old one.
    #[serde(default)]
    pub labels: Option<BTreeMap<String, String>>,
}
