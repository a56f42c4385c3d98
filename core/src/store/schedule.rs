//! Schedules as rows: what makes sessions at set times.

use std::collections::BTreeMap;

use rusqlite::params;

use super::body::{Body, payload};
use super::fault::Attempt;
use super::sql::Row;
use super::{NewSession, Tx, View};
use crate::base::clock::rfc3339;
use crate::base::value::Payload;
use crate::error::{Error, Result};

/// A schedule to be kept.
#[derive(Clone, Debug)]
pub(crate) struct NewSchedule {
    pub name: String,
    /// A cron expression with its time zone; `None` for a single time.
    pub cron: Option<String>,
    /// When it fires next.
    pub next: i64,
    pub input: Body,
    pub labels: BTreeMap<String, String>,
}

/// A schedule as it rests.
#[derive(Clone, Debug)]
pub(crate) struct ScheduleRow {
    pub id: i64,
    pub name: String,
    pub cron: Option<String>,
    /// `None` once it fires no more.
    pub next: Option<i64>,
    pub paused: bool,
    /// How often it has fired.
    pub fired: i64,
    pub input: Payload,
    pub labels: BTreeMap<String, String>,
}

const COLUMNS: &str = "id, name, cron, next, paused, fired, input, labels";

fn schedule_row(row: &Row<'_>) -> Result<ScheduleRow> {
    let what = "read a schedule";
    let labels: String = row.get(7).when(what)?;
    Ok(ScheduleRow {
        id: row.get(0).when(what)?,
        name: row.get(1).when(what)?,
        cron: row.get(2).when(what)?,
        next: row.get(3).when(what)?,
        paused: row.get::<i64>(4).when(what)? == 1,
        fired: row.get(5).when(what)?,
        input: payload(row.get_ref(6).when(what)?)?,
        labels: serde_json::from_str(&labels)
            .map_err(|error| Error::new("store.damaged", "labels cannot be read").because(&error))?,
    })
}

fn missing(name: &str) -> Error {
    Error::new("schedule.missing", format!("no schedule `{name}`; schedule.list shows those that exist"))
        .with("name", name)
}

/// The newest time up to `now`, `first` being one of them.
fn newest(after: &dyn Fn(i64) -> Option<i64>, first: i64, now: i64) -> i64 {
    // Back from now in growing spans: a schedule that nobody fired for a year is found in a few looks.
    let mut span = 60_000;
    let mut time = loop {
        let from = now.saturating_sub(span).max(first);
        if from == first || after(from).is_some_and(|time| time <= now) {
            break from;
        }
        span *= 4;
    };
    while let Some(later) = after(time).filter(|&later| time < later && later <= now) {
        time = later;
    }
    time
}

impl Tx<'_> {
    /// Keeps a schedule; one of the same name is refused, or changed with `replace`.
    pub(crate) fn put_schedule(&mut self, new: &NewSchedule, replace: bool) -> Result<()> {
        let what = "keep a schedule";
        if !replace && View(self.conn()).schedule(self.namespace(), &new.name).is_ok() {
            return Err(Error::new(
                "schedule.exists",
                format!("schedule `{}` exists already; pass `replace`, or choose another name", new.name),
            )
            .with("name", &new.name));
        }
        let labels = serde_json::to_string(&new.labels)
            .map_err(|error| Error::new("bug.store", "labels could not be written").because(&error))?;
        self.prepare(
            "INSERT INTO schedule (id, namespace, name, cron, next, paused, fired, input, labels)
             SELECT coalesce(max(id), 0) + 1, ?1, ?2, ?3, ?4, 0, 0, ?5, ?6 FROM schedule WHERE true
             ON CONFLICT (namespace, name) DO UPDATE SET cron = excluded.cron, next = excluded.next,
               paused = 0, input = excluded.input, labels = excluded.labels",
        )?
        .execute(params![self.namespace(), new.name, new.cron, new.next, new.input.inline()?, labels])
        .when(what)?;
        self.wake_workers();
        Ok(())
    }

    /// Removes a schedule; the sessions that it has made stay.
    pub(crate) fn drop_schedule(&mut self, name: &str) -> Result<()> {
        let found = View(self.conn()).schedule(self.namespace(), name)?;
        self.prepare("DELETE FROM schedule WHERE id = ?1")?.execute([found.id]).when("remove a schedule")?;
        Ok(())
    }

    /// Pauses or resumes a schedule; `next` is when it fires next.
    pub(crate) fn pause_schedule(&mut self, name: &str, paused: bool, next: Option<i64>) -> Result<()> {
        let found = View(self.conn()).schedule(self.namespace(), name)?;
        self.prepare("UPDATE schedule SET paused = ?2, next = ?3 WHERE id = ?1")?
            .execute(params![found.id, i64::from(paused), next.or(found.next)])
            .when("pause a schedule")?;
        self.wake_workers();
        Ok(())
    }

    /// Makes the session of every schedule that is due, once for however many times were missed, and
    /// notes when it fires next: `after` answers for a cron expression and a time.
    pub(crate) fn fire_schedules(&mut self, after: &dyn Fn(&str, i64) -> Option<i64>) -> Result<()> {
        let what = "fire a schedule";
        let now = self.wall();
        let mut due = Vec::new();
        {
            let sql = format!(
                "SELECT {COLUMNS} FROM schedule WHERE namespace = ?1 AND next IS NOT NULL AND next <= ?2 AND paused = 0
                 ORDER BY next LIMIT 1000"
            );
            let mut statement = self.prepare(&sql)?;
            let mut rows = statement.query([self.namespace(), now]).when(what)?;
            while let Some(row) = rows.next().when(what)? {
                due.push(schedule_row(&row)?);
            }
        }
        for schedule in due {
            // Named by the newest time that is over, so that no two processes make it twice.
            let mut time = schedule.next.unwrap_or(now);
            let mut next = None;
            if let Some(cron) = &schedule.cron {
                next = after(cron, now);
                time = newest(&|time| after(cron, time), time, now);
            }
            let id = format!("{}@{}", schedule.name, rfc3339(time));
            let new = NewSession {
                labels: schedule.labels.clone(),
                input: super::encode(&schedule.input, "input")?,
                key: Some(format!("schedule:{}:{time}", schedule.name)),
                ..NewSession::default()
            };
            if View(self.conn()).session_number(self.namespace(), &id).is_err() {
                self.submit_session(&id, &new)?;
            }
            self.prepare("UPDATE schedule SET next = ?2, fired = fired + 1 WHERE id = ?1")?
                .execute(params![schedule.id, next])
                .when(what)?;
        }
        Ok(())
    }
}

impl View<'_> {
    /// The schedule of this name.
    pub(crate) fn schedule(&self, namespace: i64, name: &str) -> Result<ScheduleRow> {
        let what = "read a schedule";
        let sql = format!("SELECT {COLUMNS} FROM schedule WHERE namespace = ?1 AND name = ?2");
        let mut statement = self.0.prepare(&sql).when(what)?;
        let mut rows = statement.query(params![namespace, name]).when(what)?;
        let row = rows.next().when(what)?.ok_or_else(|| missing(name))?;
        schedule_row(&row)
    }

    /// Every schedule, by name.
    pub(crate) fn schedules(&self, namespace: i64) -> Result<Vec<ScheduleRow>> {
        let what = "list schedules";
        let sql = format!("SELECT {COLUMNS} FROM schedule WHERE namespace = ?1 ORDER BY name");
        let mut statement = self.0.prepare(&sql).when(what)?;
        let mut rows = statement.query([namespace]).when(what)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().when(what)? {
            found.push(schedule_row(&row)?);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_time_is_found_in_a_few_looks_however_long_ago_the_first_was() {
        const MINUTE: i64 = 60_000;
        let year = 365 * 1440 * MINUTE;
        for (every, first, now) in [
            (MINUTE, 0, year + 1),
            (1440 * MINUTE, 0, year + 5),
            (year, year, 2 * year - 1),
            (MINUTE, MINUTE, MINUTE),
        ] {
            let looks = std::cell::Cell::new(0);
            let after = |time: i64| {
                looks.set(looks.get() + 1);
                Some((time / every + 1) * every)
            };
            assert_eq!(newest(&after, first, now), now / every * every, "every {every}");
            assert!(looks.get() < 30, "{} looks", looks.get());
        }
    }
}
