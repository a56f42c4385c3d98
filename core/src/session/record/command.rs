//! Commands as steps.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StepPolicy;

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
