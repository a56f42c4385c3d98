//! What workers report of their tasks, as rows: many in a few statements, as a server is far away.

use std::collections::{BTreeMap, HashMap};

use rusqlite::types::Value;

use super::Tx;
use super::body::Body;
use super::fault::Attempt;
use super::queue::{Claim, DEAD, Outcome, TOGETHER, places};
use super::schema::kind;
use crate::error::Result;

/// A claimed task as it stands.
struct Claimed {
    attempt: i64,
    queue: i64,
    max_attempts: i64,
    name: String,
}

/// What reports change, gathered.
#[derive(Default)]
struct Changes {
    gone: Vec<Vec<Value>>,
    back: Vec<Vec<Value>>,
    dead: Vec<Vec<Value>>,
    events: Vec<Vec<Value>>,
    /// How many ended, how many of them dead, by queue.
    counts: BTreeMap<i64, (i64, i64)>,
}

impl Tx<'_> {
    /// Writes what a worker reports, and returns those tasks whose claim was lost.
    pub(crate) fn report(&mut self, lease: i64, reports: &[(Claim, Outcome)]) -> Result<Vec<i64>> {
        let mut found = self.claimed(lease, reports)?;
        let (mut changes, mut refused) = (Changes::default(), Vec::new());
        for (claim, outcome) in reports {
            let held = found.remove(&claim.task).filter(|task| task.attempt == claim.attempt);
            let Some(task) = held else {
                refused.push(claim.task);
                continue;
            };
            let row = vec![Value::Integer(claim.task)];
            let (kind, body) = match outcome {
                Outcome::Completed(result) => {
                    // The result rests in the history; the queue keeps only what is to be done.
                    changes.gone.push(row);
                    changes.counts.entry(task.queue).or_default().0 += 1;
                    (kind::TASK_COMPLETED, result)
                }
                Outcome::Failed { failure, retry } if *retry && task.attempt < task.max_attempts => {
                    changes.back.push(row);
                    (kind::TASK_FAILED, failure)
                }
                Outcome::Failed { failure, .. } => {
                    changes.dead.push(row);
                    changes.counts.entry(task.queue).or_default().1 += 1;
                    (kind::TASK_DEAD, failure)
                }
            };
            let event = self.task_event(kind, *claim, task.queue, task.name, body)?;
            changes.events.push(event);
        }
        self.change(changes)?;
        Ok(refused)
    }

    /// Ends a task that is out of attempts.
    pub(super) fn bury(&mut self, claim: Claim, queue: i64, name: String, failure: &Body) -> Result<()> {
        let event = self.task_event(kind::TASK_DEAD, claim, queue, name, failure)?;
        self.change(Changes {
            dead: vec![vec![claim.task.into()]],
            events: vec![event],
            counts: BTreeMap::from([(queue, (0, 1))]),
            ..Changes::default()
        })
    }

    /// The reported tasks that this worker holds.
    fn claimed(&self, lease: i64, reports: &[(Claim, Outcome)]) -> Result<HashMap<i64, Claimed>> {
        let mut found = HashMap::with_capacity(reports.len());
        for reports in reports.chunks(TOGETHER) {
            let (places, count) = places(2, reports.len());
            let sql = format!(
                "SELECT id, attempt, queue, max_attempts, name FROM task WHERE lease = ?1 AND state = 1 AND id IN ({places})"
            );
            let mut values = vec![Value::Integer(lease)];
            values.extend((0..count).map(|at| reports[at.min(reports.len() - 1)].0.task.into()));
            let rows = self
                .prepare(&sql)?
                .query_map(values.as_slice(), |row| {
                    let task = Claimed {
                        attempt: row.get(1)?,
                        queue: row.get(2)?,
                        max_attempts: row.get(3)?,
                        name: row.get(4)?,
                    };
                    Ok((row.get::<i64>(0)?, task))
                })
                .when("report tasks")?;
            found.extend(rows);
        }
        Ok(found)
    }

    /// The row of the history that says what became of a task.
    fn task_event(
        &mut self,
        kind: i64,
        claim: Claim,
        queue: i64,
        name: String,
        body: &Body,
    ) -> Result<Vec<Value>> {
        let resting = self.rest(body)?;
        Ok(vec![
            self.numbers(1)?.into(),
            kind.into(),
            claim.task.into(),
            self.at.into(),
            queue.into(),
            name.into(),
            claim.attempt.into(),
            resting.body,
            resting.blob.into(),
        ])
    }

    fn change(&mut self, changes: Changes) -> Result<()> {
        let conn = self.conn();
        let back = !changes.back.is_empty();
        let ended = format!("UPDATE task SET state = {DEAD}, lease = NULL WHERE id = ?1");
        let counts = changes.counts.into_iter();
        let counts = counts.map(|(queue, (done, dead))| vec![queue.into(), done.into(), dead.into()]);
        conn.execute_many("DELETE FROM task WHERE id = ?1", changes.gone)
            .and_then(|()| {
                conn.execute_many("UPDATE task SET state = 0, lease = NULL WHERE id = ?1", changes.back)
            })
            .and_then(|()| conn.execute_many(&ended, changes.dead))
            .and_then(|()| {
                conn.execute_many(
                    "UPDATE queue SET completed = completed + ?2, dead = dead + ?3 WHERE id = ?1",
                    counts.collect(),
                )
            })
            .and_then(|()| {
                conn.execute_many(
                    "INSERT INTO event (seq, kind, subject, at, place, name, attempt, body, blob)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                    changes.events,
                )
            })
            .when("report tasks")?;
        self.wake_listeners();
        if back {
            self.wake_workers();
        }
        Ok(())
    }
}
