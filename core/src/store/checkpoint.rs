//! Checkpoints of sessions, and what goes back to them: restoring and forking.

use std::collections::BTreeMap;

use rusqlite::params;

use super::body::Body;
use super::fault::Attempt;
use super::schema::kind;
use super::sql::Optional;
use super::{NewSession, Tx, View};
use crate::base::value::Payload;
use crate::error::{Error, Result};

/// A checkpoint to be written.
#[derive(Clone, Debug)]
pub(crate) struct CheckpointWrite {
    pub name: String,
    /// Steps below this position belong to it.
    pub position: i64,
    /// Made by policy, not on request.
    pub automatic: bool,
    pub state: Body,
}

/// A checkpoint as it rests.
#[derive(Clone, Debug)]
pub(crate) struct CheckpointRow {
    pub seq: i64,
    pub at: i64,
    pub name: String,
    pub position: i64,
    pub automatic: bool,
    pub state: Option<Payload>,
}

impl Tx<'_> {
    /// Writes a checkpoint of an owned session; its number.
    pub(crate) fn checkpoint(
        &mut self,
        session: i64,
        epoch: i64,
        checkpoint: &CheckpointWrite,
    ) -> Result<i64> {
        self.check_owner(session, epoch)?;
        self.write_checkpoint(session, checkpoint)
    }

    pub(super) fn write_checkpoint(&mut self, session: i64, checkpoint: &CheckpointWrite) -> Result<i64> {
        let seq = self.numbers(1)?;
        let resting = self.rest(&checkpoint.state)?;
        self.prepare(
            "INSERT INTO event (seq, kind, subject, at, place, name, flags, body, blob)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            seq,
            kind::CHECKPOINT,
            session,
            self.at,
            checkpoint.position,
            checkpoint.name,
            i64::from(checkpoint.automatic),
            resting.body,
            resting.blob
        ])
        .when("write a checkpoint")?;
        self.wake_listeners();
        Ok(seq)
    }

    /// Takes a session back to a position: what came there and after counts no more, and it is open.
    pub(crate) fn restore_session(&mut self, name: &str, position: i64) -> Result<()> {
        let what = "restore a session";
        let found = View(self.conn()).session_number(self.namespace(), name)?;
        self.refuse_owned(found.id, name)?;
        let seq = self.numbers(1)?;
        self.prepare("INSERT INTO event (seq, kind, subject, at, place) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute([seq, kind::SESSION_RESTORED, found.id, self.at, position])
            .when(what)?;
        self.prepare(
            "UPDATE session SET status = 0, ended = NULL, archived = NULL, wake = 0, lease = NULL,
               epoch = epoch + 1 WHERE id = ?1",
        )?
        .execute([found.id])
        .when(what)?;
        self.wake_listeners();
        self.wake_workers();
        Ok(())
    }

    /// Makes a session that shares the steps of another below a position.
    pub(crate) fn fork_session(&mut self, source: i64, at: i64, name: &str, new: &NewSession) -> Result<()> {
        let what = "fork a session";
        let there: i64 = self
            .prepare("SELECT count(*) FROM session WHERE id = ?1")?
            .query_row([source], |row| row.get(0))
            .when(what)?;
        if there == 0 {
            return Err(Error::new("session.missing", "the session was removed while it was to be forked"));
        }
        self.refuse_taken(name)?;
        let id = self.make_session(name, new)?;
        self.prepare("UPDATE session SET source = ?2, forked_at = ?3 WHERE id = ?1")?
            .execute([id, source, at])
            .when(what)?;
        self.wake_workers();
        Ok(())
    }
}

impl View<'_> {
    /// A session's checkpoints, newest first; with their states where asked for.
    pub(crate) fn checkpoints(
        &self,
        session: i64,
        name: Option<&str>,
        states: bool,
        limit: u32,
    ) -> Result<Vec<CheckpointRow>> {
        let mut found = self.checkpoints_before(session, i64::MAX, states)?;
        if let Some(name) = name {
            found.retain(|row| row.name == name);
        }
        found.truncate(limit as usize);
        Ok(found)
    }

    /// Every checkpoint, newest first, when the row of number `before` was written.
    fn checkpoints_before(&self, session: i64, before: i64, states: bool) -> Result<Vec<CheckpointRow>> {
        let what = "read checkpoints";
        let fork = self.fork_of(session)?;
        let mut found = Vec::new();
        {
            let mut statement = self
                .0
                .prepare(
                    "SELECT seq, at, name, place, flags, body, blob FROM event
                     WHERE subject = ?1 AND kind IN (10, 12) AND kind < 100 AND seq < ?2 ORDER BY seq",
                )
                .when(what)?;
            let mut rows = statement.query([session, before]).when(what)?;
            while let Some(row) = rows.next().when(what)? {
                let position: i64 = row.get(3).when(what)?;
                let Some(of) = row.get::<Option<String>>(2).when(what)? else {
                    // Restored: what lay behind it is another course of events.
                    found.retain(|row: &CheckpointRow| row.position <= position);
                    continue;
                };
                let state = if states { Some(self.payload(&row, 5, 6)?) } else { None };
                found.push(CheckpointRow {
                    seq: row.get(0).when(what)?,
                    at: row.get(1).when(what)?,
                    name: of,
                    position,
                    automatic: row.get::<i64>(4).when(what)? == 1,
                    state,
                });
            }
        }
        found.reverse();
        if let Some(fork) = fork {
            let shared = self.checkpoints_before(fork.source, session, states)?;
            found.extend(shared.into_iter().filter(|row| row.position <= fork.at));
        }
        Ok(found)
    }

    /// Labels of a session.
    pub(crate) fn labels(&self, session: i64) -> Result<BTreeMap<String, String>> {
        let what = "read labels";
        let text: Option<String> = self
            .0
            .prepare("SELECT labels FROM session WHERE id = ?1")
            .and_then(|mut found| found.query_row([session], |row| row.get(0)).optional())
            .when(what)?;
        serde_json::from_str(text.as_deref().unwrap_or("{}"))
            .map_err(|error| Error::new("store.damaged", "labels cannot be read").because(&error))
    }
}
