//! Sessions and their steps as rows.

use std::collections::BTreeMap;

use rusqlite::params;
use rusqlite::types::{Value, ValueRef};

use super::body::{Body, failure, payload};
use super::fault::Attempt;
use super::lease::{SESSION_LEASE, Standing};
use super::schema::kind;
use super::sql::{Optional, Row};
use super::{Tx, View};
use crate::base::value::{Failure, Payload};
use crate::error::{Error, Result};

/// Results up to this many bytes are kept in memory by the handle of a session.
const SMALL: usize = 256;

/// The session that `open` has found or made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// The session's number.
    pub id: i64,
    /// The epoch that every write of the new handle carries.
    pub epoch: i64,
    /// Made just now: there is nothing to load.
    pub fresh: bool,
    /// Ended: it is nobody's, and takes no more steps.
    pub ended: bool,
}

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
    pub attempt: i64,
    /// How long it ran, in milliseconds.
    pub took: i64,
}

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

const ONCE: i64 = 1;
const OVERLAPPED: i64 = 2;

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Open = 0,
    Completed = 1,
    Failed = 2,
}

/// A session as it rests.
#[derive(Clone, Debug)]
pub(crate) struct SessionRow {
    pub id: i64,
    pub name: String,
    pub phase: Phase,
    pub labels: BTreeMap<String, String>,
    /// When it was made, and when its last row was written: milliseconds since the epoch.
    pub created: i64,
    pub updated: i64,
    pub steps_done: i64,
    /// The row that ended it.
    pub ended: Option<i64>,
    pub output: Option<Payload>,
    pub failure: Option<Failure>,
}

impl Tx<'_> {
    /// Makes the session, or takes it over from an owner that is gone.
    pub(crate) fn open_session(
        &mut self,
        name: &str,
        resume: bool,
        labels: &BTreeMap<String, String>,
    ) -> Result<Found> {
        let what = "open a session";
        let known = self
            .prepare("SELECT id, status, epoch, lease FROM session WHERE name = ?1")?
            .query_row([name], |row| {
                Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?, row.get::<Option<i64>>(3)?))
            })
            .optional()
            .when(what)?;
        let Some((id, state, epoch, lease)) = known else {
            return self.make_session(name, labels);
        };
        if !resume {
            return Err(Error::new(
                "session.exists",
                format!("session `{name}` exists already; open it with resume, or choose another id"),
            )
            .with("id", name));
        }
        if state != 0 {
            return Ok(Found { id, epoch, fresh: false, ended: true });
        }
        if let Some(lease) = lease
            && lease != self.owner()
            && let Some(lease) = self.lease(lease)?
            && lease.standing(self.me(), super::lease::Moment::now()) == Standing::Live
        {
            return Err(Error::new(
                "session.owned",
                format!(
                    "session `{name}` is owned by the live process {}; wait until it has ended, or at most {} s without a sign of life",
                    lease.pid(),
                    SESSION_LEASE.as_secs()
                ),
            )
            .with("id", name)
            .with("pid", lease.pid()));
        }
        self.own()?;
        self.prepare("UPDATE session SET lease = ?2, epoch = ?3 WHERE id = ?1")?
            .execute([id, self.owner(), epoch + 1])
            .when(what)?;
        Ok(Found { id, epoch: epoch + 1, fresh: false, ended: false })
    }

    fn make_session(&mut self, name: &str, labels: &BTreeMap<String, String>) -> Result<Found> {
        let what = "make a session";
        let id = self.numbers(1)?;
        self.own()?;
        let text = serde_json::to_string(labels)
            .map_err(|error| Error::new("bug.store", "labels could not be written").because(&error))?;
        self.prepare(
            "INSERT INTO session (id, name, status, epoch, lease, labels) VALUES (?1, ?2, 0, 1, ?3, ?4)",
        )?
        .execute(params![id, name, self.owner(), text])
        .when(what)?;
        for (label, value) in labels {
            self.prepare("INSERT INTO label (name, value, session) VALUES (?1, ?2, ?3)")?
                .execute(params![label, value, id])
                .when(what)?;
        }
        self.prepare("INSERT INTO event (seq, kind, subject, at) VALUES (?1, ?2, ?1, ?3)")?
            .execute([id, kind::SESSION_CREATED, self.at])
            .when(what)?;
        self.wake_listeners();
        Ok(Found { id, epoch: 1, fresh: true, ended: false })
    }

    /// Makes sure that this store's lease is in force.
    fn own(&mut self) -> Result<()> {
        if !self.keeper().keeps(self.owner()) {
            self.sweep_leases()?;
            self.hold(self.owner(), None, SESSION_LEASE)?;
        }
        Ok(())
    }

    /// Refuses a handle that is not the session's owner any more.
    fn check_owner(&self, session: i64, epoch: i64) -> Result<()> {
        let (newest, state, lease): (i64, i64, Option<i64>) = self
            .prepare("SELECT epoch, status, lease FROM session WHERE id = ?1")?
            .query_row([session], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()
            .when("check the owner of a session")?
            .ok_or_else(|| Error::new("session.missing", "the session was removed from the store"))?;
        if newest != epoch || (state == 0 && lease != Some(self.owner())) {
            return Err(lease_lost());
        }
        if state != 0 {
            return Err(Error::new("session.finished", "the session has ended and takes no more steps"));
        }
        Ok(())
    }

    /// Writes that a step has begun, and returns the row's number.
    pub(crate) fn start_step(&mut self, session: i64, epoch: i64, step: &StepWrite) -> Result<i64> {
        self.check_owner(session, epoch)?;
        self.write_step(session, kind::STEP_STARTED, step, &Body(Value::Null))
    }

    /// Writes a step's outcome, and returns the row's number.
    pub(crate) fn finish_step(
        &mut self,
        session: i64,
        epoch: i64,
        step: &StepWrite,
        failed: bool,
        body: &Body,
    ) -> Result<i64> {
        self.check_owner(session, epoch)?;
        let kind = if failed { kind::STEP_FAILED } else { kind::STEP_FINISHED };
        self.write_step(session, kind, step, body)
    }

    fn write_step(&mut self, session: i64, kind: i64, step: &StepWrite, body: &Body) -> Result<i64> {
        let seq = self.numbers(1)?;
        let flags = i64::from(step.once) * ONCE + i64::from(step.overlapped) * OVERLAPPED;
        self.prepare(
            "INSERT INTO event (seq, kind, subject, at, place, nth, name, key, hash, flags, attempt, took, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
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
            body.0
        ])
        .when("write a step")?;
        self.wake_listeners();
        Ok(seq)
    }

    /// Ends the session; its lease is released with it.
    pub(crate) fn end_session(&mut self, session: i64, epoch: i64, failed: bool, body: &Body) -> Result<()> {
        let what = "end a session";
        self.check_owner(session, epoch)?;
        let seq = self.numbers(1)?;
        let (state, kind) = if failed { (2, kind::SESSION_FAILED) } else { (1, kind::SESSION_COMPLETED) };
        self.prepare("INSERT INTO event (seq, kind, subject, at, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![seq, kind, session, self.at, body.0])
            .when(what)?;
        self.prepare("UPDATE session SET status = ?2, ended = ?3, lease = NULL WHERE id = ?1")?
            .execute([session, state, seq])
            .when(what)?;
        self.wake_listeners();
        Ok(())
    }

    /// Lets another owner have the session, unless one has it already.
    pub(crate) fn release_session(&mut self, session: i64, epoch: i64) -> Result<()> {
        self.prepare("UPDATE session SET lease = NULL WHERE id = ?1 AND epoch = ?2 AND lease = ?3")?
            .execute([session, epoch, self.owner()])
            .when("release a session")?;
        Ok(())
    }

    /// Lets others have everything that this store owns.
    pub(super) fn release_all(&mut self) -> Result<()> {
        self.prepare("UPDATE session SET lease = NULL WHERE lease = ?1")?
            .execute([self.owner()])
            .when("release sessions")?;
        for lease in self.keeper().all() {
            self.give_back_all(lease)?;
            self.drop_lease(lease)?;
        }
        Ok(())
    }
}

/// The error for a handle whose session has another owner.
pub(crate) fn lease_lost() -> Error {
    Error::new(
        "session.lease_lost",
        "another owner has taken the session over; this handle can write nothing more: drop it, or open the session again",
    )
}

/// The last row of a step's history counts; `rows` come in order.
const STEP_COLUMNS: &str = "seq, kind, at, place, nth, name, key, hash, flags, attempt, took, body";

fn step_row(row: &Row<'_>) -> Result<StepRow> {
    let what = "read a step";
    let mark = match row.get::<i64>(1).when(what)? {
        kind::STEP_FINISHED => StepMark::Finished,
        kind::STEP_FAILED => StepMark::Failed,
        _ => StepMark::Started,
    };
    let flags: i64 = row.get(8).when(what)?;
    let body = row.get_ref(11).when(what)?;
    let small = match body {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len() <= SMALL,
        _ => true,
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
            attempt: row.get(9).when(what)?,
            took: row.get(10).when(what)?,
        },
        small: if small && mark == StepMark::Finished { Some(payload(body)?) } else { None },
    })
}

impl View<'_> {
    /// Every row about a session's steps, oldest first.
    pub(crate) fn steps(&self, session: i64) -> Result<Vec<StepRow>> {
        let what = "read the steps of a session";
        let mut statement = self
            .0
            .prepare(&format!(
                "SELECT {STEP_COLUMNS} FROM event WHERE subject = ?1 AND kind IN (1, 2, 3) AND kind < 10 ORDER BY seq"
            ))
            .when(what)?;
        let mut rows = statement.query([session]).when(what)?;
        let mut steps = Vec::new();
        while let Some(row) = rows.next().when(what)? {
            steps.push(step_row(&row)?);
        }
        Ok(steps)
    }

    /// Whether the session is open and has this owner and epoch.
    pub(crate) fn owned_by(&self, session: i64, epoch: i64, owner: i64) -> Result<bool> {
        let what = "look for the owner of a session";
        let found: i64 = self
            .0
            .prepare("SELECT count(*) FROM session WHERE id = ?1 AND epoch = ?2 AND lease = ?3")
            .when(what)?
            .query_row([session, epoch, owner], |row| row.get(0))
            .when(what)?;
        Ok(found > 0)
    }

    /// The value in the row of this number.
    pub(crate) fn result(&self, seq: i64) -> Result<Payload> {
        self.body(seq, payload)
    }

    /// The failure in the row of this number.
    pub(crate) fn failure(&self, seq: i64) -> Result<Failure> {
        self.body(seq, failure)
    }

    /// Whether the row of this number says just this.
    pub(crate) fn says(&self, seq: i64, failed: bool, body: &Body) -> Result<bool> {
        let what = "read an outcome";
        let (found, stored): (i64, Value) = self
            .0
            .prepare("SELECT kind, body FROM event WHERE seq = ?1")
            .when(what)?
            .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
            .when(what)?;
        let failure = found == kind::STEP_FAILED || found == kind::SESSION_FAILED;
        Ok(failure == failed && stored == body.0)
    }

    fn body<T>(&self, seq: i64, read: impl Fn(ValueRef<'_>) -> Result<T>) -> Result<T> {
        let what = "read a stored value";
        let mut statement = self.0.prepare("SELECT body FROM event WHERE seq = ?1").when(what)?;
        let mut rows = statement.query([seq]).when(what)?;
        let row = rows
            .next()
            .when(what)?
            .ok_or_else(|| Error::new("store.damaged", format!("row {seq} of the history is gone")))?;
        read(row.get_ref(0).when(what)?)
    }

    /// The session of this name.
    pub(crate) fn session(&self, name: &str) -> Result<SessionRow> {
        let what = "read a session";
        let id = self
            .0
            .prepare("SELECT id FROM session WHERE name = ?1")
            .when(what)?
            .query_row([name], |row| row.get::<i64>(0))
            .optional()
            .when(what)?
            .ok_or_else(|| {
                Error::new(
                    "session.missing",
                    format!("no session `{name}`; session.list shows those that exist"),
                )
                .with("id", name)
            })?;
        self.session_row(id)
    }

    fn session_row(&self, id: i64) -> Result<SessionRow> {
        let what = "read a session";
        let (name, state, ended, labels, created) = self
            .0
            .prepare(
                "SELECT s.name, s.status, s.ended, s.labels, e.at FROM session s JOIN event e ON e.seq = s.id WHERE s.id = ?1",
            )
            .when(what)?
            .query_row([id], |row| {
                Ok((
                    row.get::<String>(0)?,
                    row.get::<i64>(1)?,
                    row.get::<Option<i64>>(2)?,
                    row.get::<String>(3)?,
                    row.get::<i64>(4)?,
                ))
            })
            .when(what)?;
        let (steps_done, last): (i64, i64) = self
            .0
            .prepare(
                "SELECT count(CASE kind WHEN 1 THEN 1 END), max(seq) FROM event WHERE subject = ?1 AND kind < 10",
            )
            .when(what)?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
            .when(what)?;
        let updated = self
            .0
            .prepare("SELECT at FROM event WHERE seq = ?1")
            .when(what)?
            .query_row([last], |row| row.get(0))
            .when(what)?;
        let labels = serde_json::from_str(&labels)
            .map_err(|error| Error::new("store.damaged", "labels cannot be read").because(&error))?;
        let phase = match state {
            1 => Phase::Completed,
            2 => Phase::Failed,
            _ => Phase::Open,
        };
        let (output, failure) = match (phase, ended) {
            (Phase::Completed, Some(seq)) => (Some(self.result(seq)?), None),
            (Phase::Failed, Some(seq)) => (None, Some(self.failure(seq)?)),
            _ => (None, None),
        };
        Ok(SessionRow { id, name, phase, labels, created, updated, steps_done, ended, output, failure })
    }

    /// At most `limit` sessions below the number `before`, newest first, and whether there are more.
    pub(crate) fn sessions(
        &self,
        wanted: Option<Phase>,
        labels: &BTreeMap<String, String>,
        before: i64,
        limit: u32,
    ) -> Result<(Vec<SessionRow>, Option<i64>)> {
        let what = "list sessions";
        let mut sql = "SELECT id FROM session WHERE id < ?".to_owned();
        let mut values: Vec<Value> = vec![before.into()];
        if let Some(wanted) = wanted {
            sql += " AND status = ?";
            values.push((wanted as i64).into());
        }
        for (name, value) in labels {
            sql += " AND id IN (SELECT session FROM label WHERE name = ? AND value = ?)";
            values.push(name.clone().into());
            values.push(value.clone().into());
        }
        sql += " ORDER BY id DESC LIMIT ?";
        values.push((i64::from(limit) + 1).into());
        let mut ids: Vec<i64> =
            self.0.prepare(&sql).when(what)?.query_map(values.as_slice(), |row| row.get(0)).when(what)?;
        let more = ids.len() > limit as usize;
        ids.truncate(limit as usize);
        let next = if more { ids.last().copied() } else { None };
        let rows = ids.into_iter().map(|id| self.session_row(id)).collect::<Result<_>>()?;
        Ok((rows, next))
    }
}
