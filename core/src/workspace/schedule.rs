//! `schedule.*`: what makes sessions at set times.

use super::Workspace;
use crate::error::Result;
use crate::session::record::*;
use crate::session::schedule;

/// What makes sessions at set times. Nothing runs by itself: whoever calls `session.claim` fires what is
/// due, exactly once over all processes.
///
/// ```
/// # barograph::blocking::wait(async {
/// use barograph::*;
/// let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
/// let nightly = ScheduleCreateArgs { name: "nightly".into(), cron: Some("0 3 * * *".into()), ..Default::default() };
/// let schedule = ws.schedule().create(nightly).await?;
/// assert!(schedule.next.is_some_and(|next| next.ends_with("T03:00:00.000Z")));
/// # Ok::<(), barograph::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Schedules(pub(crate) Workspace);

impl Schedules {
    /// Keeps a schedule: cron with a time zone, or a single time. Each session is called `<name>@<time>`;
    /// times that were missed because nobody claimed make one session.
    ///
    /// Errors: `schedule.cron`, `schedule.exists` without `replace`, `args.invalid`, `value.not_i_json`,
    /// `store.*`.
    pub async fn create(&self, args: ScheduleCreateArgs) -> Result<Schedule> {
        self.0.alive()?;
        schedule::create(&self.0.shared().store, args).await
    }

    /// Every schedule, by name.
    ///
    /// Errors: `store.*`.
    pub async fn list(&self, _: NoArgs) -> Result<ScheduleList> {
        self.0.alive()?;
        schedule::list(&self.0.shared().store).await
    }

    /// Removes a schedule; the sessions that it has made stay.
    ///
    /// Errors: `schedule.missing`, `store.*`.
    pub async fn delete(&self, args: ScheduleNameArgs) -> Result<Schedule> {
        self.0.alive()?;
        schedule::delete(&self.0.shared().store, args).await
    }

    /// Pauses a schedule, or resumes it with `paused` false: what it missed meanwhile is left out.
    ///
    /// Errors: `schedule.missing`, `store.*`.
    pub async fn pause(&self, args: SchedulePauseArgs) -> Result<Schedule> {
        self.0.alive()?;
        schedule::pause(&self.0.shared().store, args).await
    }
}
