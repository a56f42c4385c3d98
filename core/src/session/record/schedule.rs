//! What makes sessions at set times: plain data, the same in every language.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::value::Payload;

/// Arguments of `schedule.create`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleCreateArgs {
    /// What the schedule is called, 1 to 150 characters; its sessions are called `<name>@<time>`.
    pub name: String,
    /// When it fires, as five fields of cron: minute, hour, day of month, month, day of week.
    #[serde(default)]
    pub cron: Option<String>,
    /// The time zone of `cron`, an IANA name; default `UTC`.
    #[serde(default)]
    pub zone: Option<String>,
    /// Fires once at this time instead, RFC 3339.
    #[serde(default)]
    pub at: Option<String>,
    /// What each session starts with.
    #[serde(default)]
    pub input: Option<Payload>,
    /// Labels of each session.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Change a schedule of this name instead of refusing it.
    #[serde(default)]
    pub replace: bool,
}

/// Arguments of `schedule.delete`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleNameArgs {
    /// The schedule's name.
    pub name: String,
}

/// Arguments of `schedule.pause`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SchedulePauseArgs {
    /// The schedule's name.
    pub name: String,
    /// False resumes it; what it missed meanwhile is left out.
    pub paused: bool,
}

impl Default for SchedulePauseArgs {
    fn default() -> Self {
        SchedulePauseArgs { name: String::new(), paused: true }
    }
}

/// What makes sessions at set times. Whoever claims sessions fires what is due: a time that was missed
/// because nobody did makes one session, however many times went by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    /// What it is called.
    pub name: String,
    /// Its fields of cron with their time zone; absent where it fires once.
    pub cron: Option<String>,
    /// When it fires next, RFC 3339 in UTC; absent once it fires no more.
    pub next: Option<String>,
    /// Whether it is paused.
    pub paused: bool,
    /// How often it has fired.
    pub fired: u64,
    /// What each session starts with.
    pub input: Payload,
    /// Labels of each session.
    pub labels: BTreeMap<String, String>,
}

/// Every schedule, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleList {
    /// The schedules.
    pub schedules: Vec<Schedule>,
}
