//! How sessions end, pause, go on and are put away.

use rusqlite::params;

use super::body::Body;
use super::fault::Attempt;
use super::live::Halt;
use super::schema::kind;
use super::{Phase, Tx, View};
use crate::base::value::Failure;
use crate::error::{Error, Result};

impl Tx<'_> {
    /// Ends the session; its lease is released with it.
    pub(crate) fn end_session(&mut self, session: i64, epoch: i64, failed: bool, body: &Body) -> Result<()> {
        self.check_owner(session, epoch)?;
        let (phase, kind) = match failed {
            true => (Phase::Failed, kind::SESSION_FAILED),
            false => (Phase::Completed, kind::SESSION_COMPLETED),
        };
        self.close_session(session, phase, kind, body)?;
        self.prepare("UPDATE session SET lease = NULL WHERE id = ?1")?
            .execute([session])
            .when("end a session")?;
        Ok(())
    }

    fn close_session(&mut self, session: i64, phase: Phase, kind: i64, body: &Body) -> Result<()> {
        let what = "end a session";
        let seq = self.say(session, kind, body)?;
        self.prepare("UPDATE session SET status = ?2, ended = ?3, wake = 0 WHERE id = ?1")?
            .execute([session, phase as i64, seq])
            .when(what)?;
        Ok(())
    }

    /// Writes a row about the session as a whole.
    fn say(&mut self, session: i64, kind: i64, body: &Body) -> Result<i64> {
        let seq = self.numbers(1)?;
        let resting = self.rest(body)?;
        self.prepare(
            "INSERT INTO event (seq, kind, subject, at, body, blob) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![seq, kind, session, self.at, resting.body, resting.blob])
        .when("write the history of a session")?;
        self.wake_listeners();
        Ok(seq)
    }

    /// Ends open sessions whose deadline is over and that nobody owns.
    pub(super) fn end_overdue(&mut self) -> Result<()> {
        let now = self.wall();
        let late = self
            .prepare(
                "SELECT s.id, s.name, s.lease FROM session s
                 WHERE s.deadline IS NOT NULL AND s.status = 0 AND s.deadline <= ?1 ORDER BY s.deadline LIMIT 1000",
            )?
            .query_map([now], |row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<Option<i64>>(2)?)))
            .when("look for sessions that are late")?;
        for (session, name, lease) in late {
            if lease == Some(self.owner()) || self.refuse_owned(session, &name).is_err() {
                // Its owner sees the deadline itself.
                continue;
            }
            let failure = Body::failure(&Failure {
                message: "the session's deadline is over".to_owned(),
                ..Failure::default()
            })?;
            self.close_session(session, Phase::Failed, kind::SESSION_FAILED, &failure)?;
            self.prepare("UPDATE session SET lease = NULL WHERE id = ?1")?
                .execute([session])
                .when("end a session")?;
        }
        Ok(())
    }

    /// Cancels a session, whoever owns it: it takes no more steps. Cancelling twice is one cancel.
    pub(crate) fn cancel_session(&mut self, name: &str, reason: &Body) -> Result<()> {
        let found = View(self.conn()).session_number(self.namespace(), name)?;
        if found.phase == Phase::Cancelled {
            return Ok(());
        }
        found.refuse_ended(name)?;
        // The owner keeps its lease, so that what is running can still say how it ended.
        self.close_session(found.id, Phase::Cancelled, kind::SESSION_CANCELLED, reason)?;
        self.halt_session(found.id, Halt::Cancelled);
        Ok(())
    }

    /// Pauses or resumes a session: while it is paused nothing new is begun and nobody claims it.
    pub(crate) fn pause_session(&mut self, name: &str, paused: bool) -> Result<()> {
        let found = View(self.conn()).session_number(self.namespace(), name)?;
        found.refuse_ended(name)?;
        if (found.phase == Phase::Paused) == paused {
            return Ok(());
        }
        let (phase, kind) = match paused {
            true => (Phase::Paused, kind::SESSION_PAUSED),
            false => (Phase::Open, kind::SESSION_RESUMED),
        };
        self.say(found.id, kind, &Body::NULL)?;
        self.prepare("UPDATE session SET status = ?2 WHERE id = ?1")?
            .execute([found.id, phase as i64])
            .when("pause a session")?;
        match paused {
            true => self.halt_session(found.id, Halt::Paused),
            false => {
                self.free_session(found.id);
                self.wake_workers();
            }
        }
        Ok(())
    }

    /// Puts an ended session away: lists leave it out unless asked for it.
    pub(crate) fn archive_session(&mut self, name: &str) -> Result<()> {
        let found = View(self.conn()).session_number(self.namespace(), name)?;
        if found.archived {
            return Ok(());
        }
        if !found.phase.ended() {
            return Err(Error::new(
                "session.open",
                format!("session `{name}` has not ended; complete or cancel it first"),
            )
            .with("id", name));
        }
        self.say(found.id, kind::SESSION_ARCHIVED, &Body::NULL)?;
        self.prepare("UPDATE session SET archived = ?2 WHERE id = ?1")?
            .execute([found.id, self.at])
            .when("archive a session")?;
        Ok(())
    }
}
