//! What makes sessions at set times.

use std::sync::Arc;

use super::handle::check_text;
use super::record::*;
use crate::base::clock::{Clock, parse_rfc3339, rfc3339};
use crate::error::{Error, Result};
use crate::store::{NewSchedule, ScheduleRow, Store};

/// The first time after `time` at which a cron expression with its zone fires, both in milliseconds
/// since the Unix epoch; `None` where it never does.
pub(super) fn after(cron: &str, time: i64) -> Option<i64> {
    let cron = cronexpr::parse_crontab(cron).ok()?;
    let next = cron.find_next(rfc3339(time).as_str()).ok()?;
    Some(next.timestamp().as_millisecond())
}

/// Keeps a schedule.
pub(crate) async fn create(store: &Arc<Store>, args: ScheduleCreateArgs) -> Result<Schedule> {
    check_text("name", &args.name, 150)?;
    if args.zone.is_some() && args.cron.is_none() {
        return Err(Error::new("args.invalid", "`zone` is that of `cron`; write the offset into `at`"));
    }
    let now = Clock::system().now_ms();
    let (cron, next) = match (&args.cron, &args.at) {
        (Some(cron), None) => {
            let text = format!("{cron} {}", args.zone.as_deref().unwrap_or("UTC"));
            if let Err(error) = cronexpr::parse_crontab(&text) {
                return Err(Error::new(
                    "schedule.cron",
                    format!("`{text}` cannot be read as cron; write five fields like `0 3 * * 1-5`, and a zone like `Europe/Berlin`"),
                )
                .because(&error));
            }
            let next = after(&text, now).ok_or_else(|| {
                Error::new("schedule.cron", format!("`{text}` never fires; check day and month"))
            })?;
            (Some(text), next)
        }
        (None, Some(at)) => {
            let next = parse_rfc3339(at).ok_or_else(|| {
                Error::new(
                    "args.invalid",
                    format!("`at` is `{at}`; write RFC 3339, for example 2026-01-31T12:00:00Z"),
                )
            })?;
            (None, next)
        }
        _ => return Err(Error::new("args.invalid", "give either `cron` or `at`")),
    };
    let labels = super::life::new_session(args.labels, args.input.as_ref(), None, None, 0)?;
    let new = NewSchedule { name: args.name.clone(), cron, next, input: labels.input, labels: labels.labels };
    store.write(move |tx| tx.put_schedule(&new, args.replace)).await?;
    let namespace = store.namespace();
    Ok(schedule(store.read(move |view| view.schedule(namespace, &args.name)).await?))
}

fn schedule(row: ScheduleRow) -> Schedule {
    Schedule {
        name: row.name,
        cron: row.cron,
        next: row.next.map(rfc3339),
        paused: row.paused,
        fired: row.fired as u64,
        input: row.input,
        labels: row.labels,
    }
}

/// Every schedule.
pub(crate) async fn list(store: &Arc<Store>) -> Result<ScheduleList> {
    let namespace = store.namespace();
    let rows = store.read(move |view| view.schedules(namespace)).await?;
    Ok(ScheduleList { schedules: rows.into_iter().map(schedule).collect() })
}

/// Removes a schedule.
pub(crate) async fn delete(store: &Arc<Store>, args: ScheduleNameArgs) -> Result<Schedule> {
    check_text("name", &args.name, 150)?;
    let namespace = store.namespace();
    let name = args.name.clone();
    let row = store.read(move |view| view.schedule(namespace, &name)).await?;
    store.write(move |tx| tx.drop_schedule(&args.name)).await?;
    Ok(schedule(row))
}

/// Pauses or resumes a schedule.
pub(crate) async fn pause(store: &Arc<Store>, args: SchedulePauseArgs) -> Result<Schedule> {
    check_text("name", &args.name, 150)?;
    let namespace = store.namespace();
    let name = args.name.clone();
    let row = store.read(move |view| view.schedule(namespace, &name)).await?;
    let next = match (&row.cron, args.paused) {
        (Some(cron), false) => after(cron, Clock::system().now_ms()),
        _ => None,
    };
    let (name, paused) = (args.name.clone(), args.paused);
    store.write(move |tx| tx.pause_schedule(&name, paused, next)).await?;
    Ok(schedule(store.read(move |view| view.schedule(namespace, &args.name)).await?))
}
