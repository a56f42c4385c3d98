//! Sessions as rows: how they are made, found, claimed, owned and given back.

use std::collections::BTreeMap;

use rusqlite::params;
use rusqlite::types::Value;

use super::body::Body;
use super::fault::Attempt;
use super::lease::Standing;
use super::schema::kind;
use super::sql::Optional;
use super::{Tx, View};
use crate::base::value::Payload;
use crate::error::{Error, Result};

/// The session that `open` has found or made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// The session's number.
    pub id: i64,
    /// The epoch that every write of the new handle carries.
    pub epoch: i64,
    /// Made just now: there is nothing to load.
    pub fresh: bool,
    /// Where it stands; one that has ended is nobody's.
    pub phase: Phase,
    /// When it must have ended: milliseconds since the Unix epoch.
    pub deadline: Option<i64>,
}

/// What a new session starts with.
#[derive(Clone, Debug)]
pub(crate) struct NewSession {
    pub labels: BTreeMap<String, String>,
    pub input: Body,
    /// The name of the session that it belongs to.
    pub parent: Option<String>,
    /// Milliseconds from now.
    pub deadline_ms: Option<i64>,
    /// Not to be claimed before this many milliseconds from now.
    pub delay_ms: i64,
    /// Idempotency key.
    pub key: Option<String>,
}

impl Default for NewSession {
    fn default() -> Self {
        NewSession {
            labels: BTreeMap::new(),
            input: Body::NULL,
            parent: None,
            deadline_ms: None,
            delay_ms: 0,
            key: None,
        }
    }
}

/// A session that was claimed.
#[derive(Clone, Debug)]
pub(crate) struct ClaimedRow {
    pub id: i64,
    pub epoch: i64,
    pub name: String,
    pub labels: String,
    pub input: Payload,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Open = 0,
    Completed = 1,
    Failed = 2,
    Cancelled = 3,
    Paused = 4,
}

impl Phase {
    pub(super) fn of(number: i64) -> Phase {
        match number {
            1 => Phase::Completed,
            2 => Phase::Failed,
            3 => Phase::Cancelled,
            4 => Phase::Paused,
            _ => Phase::Open,
        }
    }

    /// Whether it takes no more steps for good.
    pub fn ended(self) -> bool {
        matches!(self, Phase::Completed | Phase::Failed | Phase::Cancelled)
    }
}

/// A session's number and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbered {
    pub id: i64,
    pub phase: Phase,
    pub archived: bool,
}

impl Numbered {
    /// Refuses a session that has ended.
    pub fn refuse_ended(self, name: &str) -> Result<()> {
        if !self.phase.ended() {
            return Ok(());
        }
        Err(Error::new(
            "session.finished",
            format!("session `{name}` has ended; session.fork makes a new one from its steps"),
        )
        .with("id", name))
    }
}

impl Tx<'_> {
    /// Makes the session, or takes it over from an owner that is gone.
    pub(crate) fn open_session(&mut self, name: &str, resume: bool, new: &NewSession) -> Result<Found> {
        let what = "open a session";
        let known: Option<(i64, i64, i64, Option<i64>)> = self
            .prepare("SELECT id, status, epoch, deadline FROM session WHERE namespace = ?1 AND name = ?2")?
            .query_row(params![self.namespace(), name], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()
            .when(what)?;
        let Some((id, status, epoch, deadline)) = known else {
            let id = self.make_session(name, new)?;
            self.own()?;
            self.prepare("UPDATE session SET lease = ?2, epoch = 1, wake = 0 WHERE id = ?1")?
                .execute([id, self.owner()])
                .when(what)?;
            let deadline = self.deadline(new);
            return Ok(Found { id, epoch: 1, fresh: true, phase: Phase::Open, deadline });
        };
        if !resume {
            return Err(taken(name));
        }
        let phase = Phase::of(status);
        if phase.ended() {
            return Ok(Found { id, epoch, fresh: false, phase, deadline });
        }
        self.refuse_owned(id, name)?;
        self.own()?;
        let epoch = epoch + 1;
        self.prepare("UPDATE session SET lease = ?2, epoch = ?3 WHERE id = ?1")?
            .execute([id, self.owner(), epoch])
            .when(what)?;
        Ok(Found { id, epoch, fresh: false, phase, deadline })
    }

    /// Refuses a session that another live owner has.
    pub(super) fn refuse_owned(&mut self, session: i64, name: &str) -> Result<()> {
        let lease: Option<i64> = self
            .prepare("SELECT lease FROM session WHERE id = ?1")?
            .query_row([session], |row| row.get(0))
            .when("look for the owner of a session")?;
        let now = self.moment();
        if let Some(lease) = lease
            && lease != self.owner()
            && let Some(lease) = self.lease(lease)?
            && lease.standing(self.me(), now) == Standing::Live
        {
            let place = match lease.owner.host() {
                host if host.is_empty() || host == self.me().host() => String::new(),
                host => format!(" on {host}"),
            };
            return Err(Error::new(
                "session.owned",
                format!(
                    "session `{name}` is owned by the live process {}{place}; wait until it has ended, or at most {} s without a sign of life",
                    lease.owner.pid(),
                    self.around().lease.as_secs().max(1)
                ),
            )
            .with("id", name)
            .with("pid", lease.owner.pid())
            .with("host", lease.owner.host()));
        }
        Ok(())
    }

    /// Refuses a name that a session of this namespace has.
    pub(super) fn refuse_taken(&mut self, name: &str) -> Result<()> {
        let there: i64 = self
            .prepare("SELECT count(*) FROM session WHERE namespace = ?1 AND name = ?2")?
            .query_row(params![self.namespace(), name], |row| row.get(0))
            .when("look for a session")?;
        match there {
            0 => Ok(()),
            _ => Err(taken(name)),
        }
    }

    /// Makes a session that nobody owns, unless its key has made one before; its name, and whether it is new.
    pub(crate) fn submit_session(&mut self, name: &str, new: &NewSession) -> Result<(String, bool)> {
        if let Some(key) = &new.key {
            let first: Option<String> = self
                .prepare("SELECT name FROM session WHERE namespace = ?1 AND key = ?2")?
                .query_row(params![self.namespace(), key], |row| row.get(0))
                .optional()
                .when("look for a session by its key")?;
            if let Some(first) = first {
                return Ok((first, false));
            }
        }
        self.refuse_taken(name)?;
        self.make_session(name, new)?;
        self.wake_workers();
        Ok((name.to_owned(), true))
    }

    fn deadline(&mut self, new: &NewSession) -> Option<i64> {
        let now = self.wall();
        new.deadline_ms.map(|length| now.saturating_add(length))
    }

    pub(super) fn make_session(&mut self, name: &str, new: &NewSession) -> Result<i64> {
        let what = "make a session";
        let parent = match &new.parent {
            None => None,
            Some(parent) => Some(View(self.conn()).session_number(self.namespace(), parent)?.id),
        };
        let id = self.numbers(1)?;
        let labels = serde_json::to_string(&new.labels)
            .map_err(|error| Error::new("bug.store", "labels could not be written").because(&error))?;
        let deadline = self.deadline(new);
        let wake = if new.delay_ms > 0 { self.wall().saturating_add(new.delay_ms) } else { 0 };
        self.prepare(
            "INSERT INTO session (id, namespace, name, status, epoch, wake, created, deadline, parent, key, labels)
             VALUES (?1, ?2, ?3, 0, 0, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![id, self.namespace(), name, wake, self.at, deadline, parent, new.key, labels])
        .when(what)?;
        for (label, value) in &new.labels {
            self.prepare("INSERT INTO label (name, value, session) VALUES (?1, ?2, ?3)")?
                .execute(params![label, value, id])
                .when(what)?;
        }
        let resting = self.rest(&new.input)?;
        self.prepare(
            "INSERT INTO event (seq, kind, subject, at, body, blob) VALUES (?1, ?2, ?1, ?3, ?4, ?5)",
        )?
        .execute(params![id, kind::SESSION_CREATED, self.at, resting.body, resting.blob])
        .when(what)?;
        self.wake_listeners();
        Ok(id)
    }

    /// Takes up to `max` open sessions that nobody owns and that are due, oldest first.
    pub(crate) fn claim_sessions(
        &mut self,
        max: u32,
        labels: &BTreeMap<String, String>,
    ) -> Result<Vec<ClaimedRow>> {
        let what = "claim sessions";
        self.end_overdue()?;
        let mut wanted = String::new();
        let mut values: Vec<Value> = vec![self.namespace().into(), self.wall().into(), self.owner().into()];
        for (name, value) in labels {
            let at = values.len();
            wanted += &format!(
                " AND id IN (SELECT session FROM label WHERE name = ?{} AND value = ?{})",
                at + 1,
                at + 2
            );
            values.push(name.clone().into());
            values.push(value.clone().into());
        }
        let mut claimed = Vec::new();
        // One search by index for each owner that is gone, and one for what nobody owns.
        let mut owners = vec!["lease IS NULL".to_owned()];
        owners.extend(self.dead_leases()?.into_iter().map(|lease| format!("lease = {lease}")));
        for owner in owners {
            let left = max as usize - claimed.len();
            if left == 0 {
                break;
            }
            let mut statement = self.prepare(&format!(
                "UPDATE session SET lease = ?3, epoch = epoch + 1 WHERE id IN (
                   SELECT id FROM session WHERE namespace = ?1 AND status = 0 AND {owner} AND wake <= ?2{wanted}
                   ORDER BY id LIMIT {left}
                 ) RETURNING id, epoch, name, labels"
            ))?;
            let rows = statement
                .query_map(values.as_slice(), |row| {
                    Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?, row.get::<String>(3)?))
                })
                .when(what)?;
            for (id, epoch, name, labels) in rows {
                let input = View(self.conn()).result(id)?;
                claimed.push(ClaimedRow { id, epoch, name, labels, input });
            }
        }
        if !claimed.is_empty() {
            self.own()?;
        }
        claimed.sort_by_key(|row| row.id);
        Ok(claimed)
    }

    /// Makes sure that this store's lease is in force.
    fn own(&mut self) -> Result<()> {
        if !self.keeper().keeps(self.owner()) {
            self.dead_leases()?;
            self.hold(self.owner(), None, self.around().lease)?;
        }
        Ok(())
    }

    /// Refuses a handle that may write no more.
    pub(crate) fn check_owner(&self, session: i64, epoch: i64) -> Result<()> {
        match self.owned_phase(session, epoch)? {
            Phase::Open | Phase::Paused => Ok(()),
            Phase::Cancelled => Err(cancelled()),
            Phase::Completed | Phase::Failed => {
                Err(Error::new("session.finished", "the session has ended and takes no more steps"))
            }
        }
    }

    /// Refuses a handle that may not even report what it has begun: what was running when the
    /// session was cancelled may still say how it ended.
    pub(super) fn check_reporter(&self, session: i64, epoch: i64) -> Result<()> {
        match self.owned_phase(session, epoch)? {
            Phase::Open | Phase::Paused | Phase::Cancelled => Ok(()),
            Phase::Completed | Phase::Failed => {
                Err(Error::new("session.finished", "the session has ended and takes no more steps"))
            }
        }
    }

    fn owned_phase(&self, session: i64, epoch: i64) -> Result<Phase> {
        let (newest, status, lease): (i64, i64, Option<i64>) = self
            .prepare("SELECT epoch, status, lease FROM session WHERE id = ?1")?
            .query_row([session], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()
            .when("check the owner of a session")?
            .ok_or_else(|| Error::new("session.missing", "the session was removed from the store"))?;
        let phase = Phase::of(status);
        let owned = lease == Some(self.owner()) || matches!(phase, Phase::Completed | Phase::Failed);
        match newest == epoch && owned {
            true => Ok(phase),
            false => Err(lease_lost()),
        }
    }

    /// Lets another owner have the session from `wake` on, unless one has it already; at once where one
    /// of the signals that it waits for is there.
    pub(crate) fn release_session(
        &mut self,
        session: i64,
        epoch: i64,
        wake: i64,
        waits: &[String],
    ) -> Result<()> {
        let what = "release a session";
        let mut wake = wake;
        for name in waits {
            let there: i64 = self
                .prepare(
                    "SELECT count(*) FROM event
                     WHERE subject = ?1 AND kind = 13 AND kind < 100 AND flags = 0 AND name = ?2",
                )?
                .query_row(params![session, name], |row| row.get(0))
                .when(what)?;
            if there > 0 {
                wake = 0;
            }
        }
        let freed = self
            .prepare(
                "UPDATE session SET lease = NULL, wake = ?4 WHERE id = ?1 AND epoch = ?2 AND lease = ?3",
            )?
            .execute([session, epoch, self.owner(), wake])
            .when(what)?;
        if freed > 0 && wake == 0 {
            self.wake_workers();
        }
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

/// The error for a name that a session of this namespace has.
fn taken(name: &str) -> Error {
    Error::new(
        "session.exists",
        format!("session `{name}` exists already; open it with resume, or choose another id"),
    )
    .with("id", name)
}

/// The error for a handle whose session has another owner.
pub(crate) fn lease_lost() -> Error {
    Error::new(
        "session.lease_lost",
        "another owner has taken the session over; this handle can write nothing more: drop it, or open the session again",
    )
}

/// The error for a handle whose session was cancelled.
pub(crate) fn cancelled() -> Error {
    Error::new("session.cancelled", "the session was cancelled and takes no more steps")
}

impl View<'_> {
    /// Whether the session has this owner and epoch.
    pub(crate) fn owned_by(&self, session: i64, epoch: i64, owner: i64) -> Result<bool> {
        let what = "look for the owner of a session";
        let found: i64 = self
            .0
            .prepare("SELECT count(*) FROM session WHERE id = ?1 AND epoch = ?2 AND lease = ?3")
            .and_then(|mut found| found.query_row([session, epoch, owner], |row| row.get(0)))
            .when(what)?;
        Ok(found > 0)
    }

    /// The number of the session of this name, and where it stands.
    pub(crate) fn session_number(&self, namespace: i64, name: &str) -> Result<Numbered> {
        self.0
            .prepare("SELECT id, status, archived FROM session WHERE namespace = ?1 AND name = ?2")
            .and_then(|mut found| {
                found
                    .query_row(params![namespace, name], |row| {
                        Ok(Numbered {
                            id: row.get(0)?,
                            phase: Phase::of(row.get(1)?),
                            archived: row.get::<Option<i64>>(2)?.is_some(),
                        })
                    })
                    .optional()
            })
            .when("read a session")?
            .ok_or_else(|| {
                Error::new(
                    "session.missing",
                    format!("no session `{name}`; session.list shows those that exist"),
                )
                .with("id", name)
            })
    }
}
