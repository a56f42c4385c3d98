//! Steps of sessions, the signals that they wait for, and entries of a session's log, as rows.

use rusqlite::params;
use rusqlite::types::{Value, ValueRef};

use super::body::{Body, payload};
use super::checkpoint::CheckpointWrite;
use super::fault::Attempt;
use super::schema::kind;
use super::sql::{Optional, Row};
use super::{Tx, View};
use crate::base::value::{Failure, Payload};
use crate::error::{Error, Result};

/// Results up to this many bytes are kept in memory by the handle of a session.
const SMALL: usize = 256;

/// A step to be written.
#[derive(Clone, Debug)]
pub(crate) struct StepWrite {
    pub position: i64,
    pub nth: i64,
    pub name: String,
    pub key: Option<String>,
    /// `None` for the hash of no arguments.
    pub hash: Option<[u8; 32]>,
    pub once: bool,
    pub overlapped: bool,
    /// It waits for a signal or a time, and nothing of the host's runs.
    pub wait: bool,
    /// A wait that ended by time.
    pub timed_out: bool,
    pub attempt: i64,
    /// How long it ran, in milliseconds; at the start of a wait, when it ends by itself.
    pub took: i64,
}

/// The end of a wait that has none.
pub(crate) const NEVER: i64 = i64::MAX;

/// A step as it rests: its last row counts.
#[derive(Clone, Debug)]
pub(crate) struct StepRow {
    pub seq: i64,
    pub state: StepMark,
    pub at: i64,
    pub step: StepWrite,
    /// The result, where it is small.
    pub small: Option<Payload>,
}

/// What a row says of its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepMark {
    Started,
    Finished,
    Failed,
}

/// Where a session's steps come from: what it shares with the one that it was forked from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fork {
    pub source: i64,
    /// Steps below this position are shared.
    pub at: i64,
}

/// What ends a wait.
#[derive(Clone, Debug)]
pub(crate) struct WaitWrite {
    pub step: StepWrite,
    /// The name of the signal; `None` for a wait that only time ends.
    pub signal: Option<String>,
    /// When it ends by itself: milliseconds since the Unix epoch.
    pub until: i64,
}

/// How a wait ended.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// The row of the step.
    pub seq: i64,
    /// What came; `None` where time ended it.
    pub payload: Option<Payload>,
}

/// One entry of a session's log.
#[derive(Clone, Debug)]
pub(crate) struct EntryRow {
    pub seq: i64,
    pub at: i64,
    pub name: String,
    pub value: Payload,
}

const ONCE: i64 = 1;
const OVERLAPPED: i64 = 2;
const WAIT: i64 = 4;
const TIMED_OUT: i64 = 8;

/// A signal that a step has taken.
const TAKEN: i64 = 1;

impl Tx<'_> {
    /// Writes that a step has begun, and returns the row's number.
    pub(crate) fn start_step(
        &mut self,
        session: i64,
        epoch: i64,
        step: &StepWrite,
        checkpoint: Option<&CheckpointWrite>,
    ) -> Result<i64> {
        self.check_owner(session, epoch)?;
        if let Some(checkpoint) = checkpoint {
            self.write_checkpoint(session, checkpoint)?;
        }
        if step.wait {
            self.set_wake(session, step.took)?;
        }
        self.write_step(session, kind::STEP_STARTED, step, &Body::NULL)
    }

    /// Writes a step's outcome, and returns the row's number.
    pub(crate) fn finish_step(
        &mut self,
        session: i64,
        epoch: i64,
        step: &StepWrite,
        failed: bool,
        body: &Body,
        checkpoint: Option<&CheckpointWrite>,
    ) -> Result<i64> {
        self.check_reporter(session, epoch)?;
        let kind = if failed { kind::STEP_FAILED } else { kind::STEP_FINISHED };
        let seq = self.write_step(session, kind, step, body)?;
        if let Some(checkpoint) = checkpoint {
            self.write_checkpoint(session, checkpoint)?;
        }
        Ok(seq)
    }

    fn write_step(&mut self, session: i64, kind: i64, step: &StepWrite, body: &Body) -> Result<i64> {
        let resting = self.rest(body)?;
        self.write_resting(session, kind, step, resting.body, resting.blob)
    }

    fn write_resting(
        &mut self,
        session: i64,
        kind: i64,
        step: &StepWrite,
        body: Value,
        blob: Option<i64>,
    ) -> Result<i64> {
        let seq = self.numbers(1)?;
        let flags = i64::from(step.once) * ONCE
            + i64::from(step.overlapped) * OVERLAPPED
            + i64::from(step.wait) * WAIT
            + i64::from(step.timed_out) * TIMED_OUT;
        self.prepare(
            "INSERT INTO event (seq, kind, subject, at, place, nth, name, key, hash, flags, attempt, took, body, blob)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            seq,
            kind,
            session,
            self.at,
            step.position,
            step.nth,
            step.name,
            step.key,
            step.hash.as_ref().map(|hash| hash.as_slice()),
            flags,
            step.attempt,
            step.took,
            body,
            blob
        ])
        .when("write a step")?;
        self.wake_listeners();
        Ok(seq)
    }

    /// Ends a wait with the oldest signal of its name, or by time; `None` where neither is there yet.
    pub(crate) fn end_wait(&mut self, session: i64, epoch: i64, wait: &WaitWrite) -> Result<Option<Arrived>> {
        let what = "take a signal";
        self.check_owner(session, epoch)?;
        let mut step = wait.step.clone();
        let mut arrived = None;
        if let Some(name) = &wait.signal {
            arrived = self
                .prepare(
                    "SELECT seq, body, blob FROM event
                     WHERE subject = ?1 AND kind = 13 AND kind < 100 AND flags = 0 AND name = ?2 ORDER BY seq LIMIT 1",
                )?
                .query_row(params![session, name], |row| {
                    Ok((row.get::<i64>(0)?, row.get::<Value>(1)?, row.get::<Option<i64>>(2)?))
                })
                .optional()
                .when(what)?;
        }
        let (body, blob) = match arrived {
            Some((signal, body, blob)) => {
                self.prepare("UPDATE event SET flags = ?2 WHERE seq = ?1")?
                    .execute([signal, TAKEN])
                    .when(what)?;
                (body, blob)
            }
            None if self.wall() >= wait.until => {
                step.timed_out = true;
                (Value::Null, None)
            }
            None => return Ok(None),
        };
        let timed_out = step.timed_out;
        let seq = self.write_resting(session, kind::STEP_FINISHED, &step, body, blob)?;
        self.set_wake(session, 0)?;
        let payload = match timed_out {
            true => None,
            false => Some(View(self.conn()).result(seq)?),
        };
        Ok(Some(Arrived { seq, payload }))
    }

    /// Says from when on a session without an owner may be claimed.
    pub(crate) fn set_wake(&mut self, session: i64, wake: i64) -> Result<()> {
        self.prepare("UPDATE session SET wake = ?2 WHERE id = ?1")?
            .execute([session, wake])
            .when("note when a session goes on")?;
        Ok(())
    }

    /// Sends a session a message; its number, and whether it is new.
    pub(crate) fn send_signal(
        &mut self,
        session: &str,
        name: &str,
        key: Option<&str>,
        body: &Body,
    ) -> Result<(i64, bool)> {
        let what = "send a signal";
        let found = View(self.conn()).session_number(self.namespace(), session)?;
        if let Some(key) = key {
            let known: Option<i64> = self
                .prepare(
                    "SELECT seq FROM event WHERE subject = ?1 AND kind = 13 AND kind < 100 AND name = ?2 AND key = ?3",
                )?
                .query_row(params![found.id, name, key], |row| row.get(0))
                .optional()
                .when(what)?;
            if let Some(seq) = known {
                return Ok((seq, false));
            }
        }
        found.refuse_ended(session)?;
        let seq = self.numbers(1)?;
        let resting = self.rest(body)?;
        self.prepare(
            "INSERT INTO event (seq, kind, subject, at, name, key, flags, body, blob)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)",
        )?
        .execute(params![seq, kind::SIGNAL, found.id, self.at, name, key, resting.body, resting.blob])
        .when(what)?;
        self.prepare("UPDATE session SET wake = 0 WHERE id = ?1 AND wake > 0")?
            .execute([found.id])
            .when(what)?;
        self.wake_listeners();
        self.wake_session(found.id);
        self.wake_workers();
        Ok((seq, true))
    }

    /// Adds entries to a session's log; the number of the last.
    pub(crate) fn append_entries(
        &mut self,
        session: i64,
        epoch: i64,
        name: &str,
        entries: &[Body],
    ) -> Result<i64> {
        self.check_reporter(session, epoch)?;
        let mut seq = 0;
        for entry in entries {
            seq = self.numbers(1)?;
            let resting = self.rest(entry)?;
            self.prepare(
                "INSERT INTO event (seq, kind, subject, at, name, body, blob) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![seq, kind::ENTRY, session, self.at, name, resting.body, resting.blob])
            .when("write to a session's log")?;
        }
        self.wake_listeners();
        Ok(seq)
    }
}

/// The last row of a step's history counts; `rows` come in order.
const STEP_COLUMNS: &str = "seq, kind, at, place, nth, name, key, hash, flags, attempt, took, body, blob";

fn step_row(row: &Row<'_>) -> Result<StepRow> {
    let what = "read a step";
    let mark = match row.get::<i64>(1).when(what)? {
        kind::STEP_FINISHED => StepMark::Finished,
        kind::STEP_FAILED => StepMark::Failed,
        _ => StepMark::Started,
    };
    let flags: i64 = row.get(8).when(what)?;
    let body = row.get_ref(11).when(what)?;
    let apart = row.get::<Option<i64>>(12).when(what)?.is_some();
    let small = match body {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len() <= SMALL,
        _ => !apart,
    };
    Ok(StepRow {
        seq: row.get(0).when(what)?,
        state: mark,
        at: row.get(2).when(what)?,
        step: StepWrite {
            position: row.get(3).when(what)?,
            nth: row.get(4).when(what)?,
            name: row.get(5).when(what)?,
            key: row.get(6).when(what)?,
            hash: row.get(7).when(what)?,
            once: flags & ONCE != 0,
            overlapped: flags & OVERLAPPED != 0,
            wait: flags & WAIT != 0,
            timed_out: flags & TIMED_OUT != 0,
            attempt: row.get(9).when(what)?,
            took: row.get(10).when(what)?,
        },
        small: if small && mark == StepMark::Finished { Some(payload(body)?) } else { None },
    })
}

impl View<'_> {
    /// Every row about a session's steps that counts, oldest first: those that it shares with the
    /// session that it was forked from, and its own since it was last restored.
    pub(crate) fn steps(&self, session: i64) -> Result<Vec<StepRow>> {
        self.steps_before(session, i64::MAX)
    }

    /// As [`steps`](Self::steps), when the row of number `before` was written.
    fn steps_before(&self, session: i64, before: i64) -> Result<Vec<StepRow>> {
        let what = "read the steps of a session";
        let mut steps = match self.fork_of(session)? {
            None => Vec::new(),
            Some(fork) => {
                // A session's number is that of its first row: what its source did since is not shared.
                let mut shared = self.steps_before(fork.source, session)?;
                shared.retain(|row| row.step.position < fork.at);
                shared
            }
        };
        let mut statement = self
            .0
            .prepare(&format!(
                "SELECT {STEP_COLUMNS} FROM event
                 WHERE subject = ?1 AND kind IN (1, 2, 3, 10) AND kind < 100 AND seq < ?2 ORDER BY seq"
            ))
            .when(what)?;
        let mut rows = statement.query([session, before]).when(what)?;
        while let Some(row) = rows.next().when(what)? {
            if row.get::<i64>(1).when(what)? == kind::SESSION_RESTORED {
                let position: i64 = row.get(3).when(what)?;
                steps.retain(|row| row.step.position < position);
                continue;
            }
            steps.push(step_row(&row)?);
        }
        Ok(steps)
    }

    /// Where the session was forked off.
    pub(crate) fn fork_of(&self, session: i64) -> Result<Option<Fork>> {
        let what = "read a fork";
        let found: Option<(Option<i64>, Option<i64>)> = self
            .0
            .prepare("SELECT source, forked_at FROM session WHERE id = ?1")
            .and_then(|mut found| found.query_row([session], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .when(what)?;
        Ok(match found {
            Some((Some(source), Some(at))) => Some(Fork { source, at }),
            _ => None,
        })
    }

    /// The value in the row of this number.
    pub(crate) fn result(&self, seq: i64) -> Result<Payload> {
        payload(ValueRef::from(&self.body(seq)?))
    }

    /// The failure in the row of this number.
    pub(crate) fn failure(&self, seq: i64) -> Result<Failure> {
        super::body::failure(ValueRef::from(&self.body(seq)?))
    }

    /// Whether the row of this number says just this.
    pub(crate) fn says(&self, seq: i64, failed: bool, body: &Body) -> Result<bool> {
        let found: i64 = self
            .0
            .prepare("SELECT kind FROM event WHERE seq = ?1")
            .and_then(|mut found| found.query_row([seq], |row| row.get(0)))
            .when("read an outcome")?;
        let failure = found == kind::STEP_FAILED || found == kind::SESSION_FAILED;
        let told = !matches!(found, kind::SESSION_CANCELLED);
        Ok(told && failure == failed && self.body(seq)? == body.inline()?)
    }

    fn body(&self, seq: i64) -> Result<Value> {
        let what = "read a stored value";
        let mut statement = self.0.prepare("SELECT body, blob FROM event WHERE seq = ?1").when(what)?;
        let mut rows = statement.query([seq]).when(what)?;
        let row = rows
            .next()
            .when(what)?
            .ok_or_else(|| Error::new("store.damaged", format!("row {seq} of the history is gone")))?;
        self.whole(&row, 0, 1)
    }

    /// At most `limit` entries of a session's log with a number above `after`, oldest first.
    pub(crate) fn entries(
        &self,
        session: i64,
        name: Option<&str>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<EntryRow>> {
        let what = "read a session's log";
        let mut sql = "SELECT seq, at, name, body, blob FROM event
             WHERE subject = ?1 AND kind = 14 AND kind < 100 AND seq > ?2"
            .to_owned();
        let mut values: Vec<Value> = vec![session.into(), after.into(), i64::from(limit).into()];
        if let Some(name) = name {
            sql += " AND name = ?4";
            values.push(name.to_owned().into());
        }
        sql += " ORDER BY seq LIMIT ?3";
        let mut statement = self.0.prepare(&sql).when(what)?;
        let mut rows = statement.query(values.as_slice()).when(what)?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next().when(what)? {
            entries.push(EntryRow {
                seq: row.get(0).when(what)?,
                at: row.get(1).when(what)?,
                name: row.get(2).when(what)?,
                value: self.payload(&row, 3, 4)?,
            });
        }
        Ok(entries)
    }
}
