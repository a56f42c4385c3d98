//! Sessions as they are listed and shown.

use std::collections::BTreeMap;

use rusqlite::params;
use rusqlite::types::Value;

use super::fault::Attempt;
use super::lease::{Identity, Standing, leases};
use super::sql::Row;
use super::{Phase, View};
use crate::base::value::{Failure, Payload};
use crate::error::{Error, Result};

/// A session as it rests.
#[derive(Clone, Debug)]
pub(crate) struct SessionRow {
    pub id: i64,
    pub name: String,
    pub phase: Phase,
    pub labels: BTreeMap<String, String>,
    /// When it was made, and when its last row was written: milliseconds since the Unix epoch.
    pub created: i64,
    pub updated: i64,
    pub steps_done: i64,
    /// The row that ended it.
    pub ended: Option<i64>,
    pub input: Payload,
    pub output: Option<Payload>,
    pub failure: Option<Failure>,
    /// When it must have ended.
    pub deadline: Option<i64>,
    /// When it goes on, where it waits.
    pub wake: i64,
    /// The names of the steps that wait, where it waits.
    pub waits_for: Vec<String>,
    pub archived: bool,
    pub parent: Option<String>,
    /// The session that it was forked from, and at which position.
    pub fork: Option<(String, i64)>,
    /// The process that owns it: id, host, whether it lives.
    pub owner: Option<(u32, String, bool)>,
}

/// Which sessions are asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub phase: Option<Phase>,
    pub labels: BTreeMap<String, String>,
    pub parent: Option<String>,
    pub archived: bool,
    /// Only numbers below this one.
    pub before: i64,
    pub limit: u32,
}

/// One search for everything about a session that its own row and the index of events tell.
const COLUMNS: &str = "s.id, s.name, s.status, s.labels, s.created, s.ended, s.deadline, s.wake, s.archived,
  s.lease, s.source, s.forked_at,
  (SELECT p.name FROM session p WHERE p.id = s.parent),
  (SELECT f.name FROM session f WHERE f.id = s.source),
  (SELECT count(*) FROM event e WHERE e.subject = s.id AND e.kind = 1 AND e.kind < 100),
  (SELECT count(*) FROM event e WHERE e.subject = s.id AND e.kind = 10 AND e.kind < 100),
  (SELECT e.at FROM event e WHERE e.seq =
    (SELECT max(m.seq) FROM event m WHERE m.subject = s.id AND m.kind < 100)),
  c.body, c.blob";

/// What they come from: a session, and the row that made it.
const FROM: &str = "session s JOIN event c ON c.seq = s.id";

impl View<'_> {
    /// The session of this name.
    pub(crate) fn session(&self, namespace: i64, name: &str) -> Result<SessionRow> {
        let what = "read a session";
        let found = self.session_number(namespace, name)?;
        let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE s.id = ?1");
        let mut statement = self.0.prepare(&sql).when(what)?;
        let mut rows = statement.query([found.id]).when(what)?;
        let row = rows.next().when(what)?;
        let row = row.ok_or_else(|| Error::new("store.damaged", "a session's row is gone"))?;
        self.session_row(&row, &self.owners()?)
    }

    /// Every lease on sessions: its number, its owner's process id and host, and whether it lives.
    fn owners(&self) -> Result<BTreeMap<i64, (u32, String, bool)>> {
        let (me, now) = (Identity::current(), self.0.moment());
        let owners = leases(self.0, None)?.into_iter().map(|lease| {
            let alive = lease.standing(&me, now) != Standing::Dead;
            (lease.id, (lease.owner.pid(), lease.owner.host().to_owned(), alive))
        });
        Ok(owners.collect())
    }

    fn session_row(&self, row: &Row<'_>, owners: &BTreeMap<i64, (u32, String, bool)>) -> Result<SessionRow> {
        let what = "read a session";
        let id: i64 = row.get(0).when(what)?;
        let phase = Phase::of(row.get(2).when(what)?);
        let labels: String = row.get(3).when(what)?;
        let labels = serde_json::from_str(&labels)
            .map_err(|error| Error::new("store.damaged", "labels cannot be read").because(&error))?;
        let ended: Option<i64> = row.get(5).when(what)?;
        let lease: Option<i64> = row.get(9).when(what)?;
        let source: Option<i64> = row.get(10).when(what)?;
        let restored: i64 = row.get(15).when(what)?;
        let steps_done = match source.is_some() || restored > 0 {
            false => row.get(14).when(what)?,
            true => {
                let steps = self.steps(id)?;
                let done = steps.iter().filter(|row| row.state == super::StepMark::Finished);
                done.map(|row| row.step.position).collect::<std::collections::BTreeSet<_>>().len() as i64
            }
        };
        let (output, failure) = match (phase, ended) {
            (Phase::Completed, Some(seq)) => (Some(self.result(seq)?), None),
            (Phase::Failed | Phase::Cancelled, Some(seq)) => (None, Some(self.failure(seq)?)),
            _ => (None, None),
        };
        let fork = match row.get::<Option<String>>(13).when(what)? {
            Some(name) => Some((name, row.get::<Option<i64>>(11).when(what)?.unwrap_or(0))),
            None => None,
        };
        let wake: i64 = row.get(7).when(what)?;
        let waits_for = if wake > 0 && phase == Phase::Open { self.waits(id)? } else { Vec::new() };
        Ok(SessionRow {
            id,
            name: row.get(1).when(what)?,
            phase,
            labels,
            created: row.get(4).when(what)?,
            updated: row.get(16).when(what)?,
            steps_done,
            ended,
            input: self.payload(row, 17, 18)?,
            output,
            failure,
            deadline: row.get(6).when(what)?,
            wake,
            waits_for,
            archived: row.get::<Option<i64>>(8).when(what)?.is_some(),
            parent: row.get(12).when(what)?,
            fork,
            owner: lease.and_then(|lease| owners.get(&lease).cloned()),
        })
    }

    /// The names of the steps in which a session waits, in order.
    fn waits(&self, session: i64) -> Result<Vec<String>> {
        let steps: BTreeMap<i64, super::StepRow> =
            self.steps(session)?.into_iter().map(|row| (row.step.position, row)).collect();
        let waits = steps.into_values().filter(|row| row.step.wait && row.state == super::StepMark::Started);
        Ok(waits.map(|row| row.step.name).collect())
    }

    /// Sessions, newest first, and the cursor of those that follow.
    pub(crate) fn sessions(&self, namespace: i64, filter: &Filter) -> Result<(Vec<SessionRow>, Option<i64>)> {
        let what = "list sessions";
        let mut sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE s.namespace = ?1 AND s.id < ?2");
        let mut values: Vec<Value> = vec![namespace.into(), filter.before.into()];
        if let Some(phase) = filter.phase {
            values.push((phase as i64).into());
            sql += &format!(" AND s.status = ?{}", values.len());
        }
        if let Some(parent) = &filter.parent {
            values.push(self.session_number(namespace, parent)?.id.into());
            sql += &format!(" AND s.parent = ?{}", values.len());
        }
        if !filter.archived {
            sql += " AND s.archived IS NULL";
        }
        for (name, value) in &filter.labels {
            values.push(name.clone().into());
            values.push(value.clone().into());
            let at = values.len();
            sql += &format!(
                " AND s.id IN (SELECT session FROM label WHERE name = ?{} AND value = ?{at})",
                at - 1
            );
        }
        sql += &format!(" ORDER BY s.id DESC LIMIT {}", u64::from(filter.limit) + 1);
        let owners = self.owners()?;
        let mut statement = self.0.prepare(&sql).when(what)?;
        let mut rows = statement.query(values.as_slice()).when(what)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().when(what)? {
            found.push(self.session_row(&row, &owners)?);
        }
        let more = found.len() > filter.limit as usize;
        found.truncate(filter.limit as usize);
        let next = if more { found.last().map(|row| row.id) } else { None };
        Ok((found, next))
    }

    /// Whether a claim may find a session or fire a schedule: a look that holds nobody up. With it,
    /// when the next one is due.
    pub(crate) fn has_sessions(&self, namespace: i64, now: i64) -> Result<(bool, Option<i64>)> {
        let what = "look for sessions";
        let number = |sql: &str, values: &[Value]| {
            self.0
                .prepare(sql)
                .and_then(|mut found| found.query_row(values, |row| row.get::<Option<i64>>(0)))
                .when(what)
        };
        let free = number(
            "SELECT min(wake) FROM session WHERE namespace = ?1 AND status = 0 AND lease IS NULL",
            &[namespace.into()],
        )?;
        let fire = number(
            "SELECT min(next) FROM schedule WHERE namespace = ?1 AND next IS NOT NULL AND paused = 0",
            &[namespace.into()],
        )?;
        let next = [free, fire].into_iter().flatten().min();
        if next.is_some_and(|next| next <= now) {
            return Ok((true, next));
        }
        let dead = self.owners()?.into_iter().filter(|(_, (_, _, alive))| !alive);
        for (lease, _) in dead {
            let there = number(
                "SELECT min(wake) FROM session WHERE namespace = ?1 AND status = 0 AND lease = ?2",
                &[namespace.into(), lease.into()],
            )?;
            if there.is_some_and(|wake| wake <= now) {
                return Ok((true, next));
            }
        }
        Ok((false, next))
    }

    /// How many sessions are in which state: status and count.
    pub(crate) fn count_sessions(&self, namespace: i64) -> Result<Vec<(Phase, i64)>> {
        self.0
            .prepare("SELECT status, count(*) FROM session WHERE namespace = ?1 GROUP BY status")
            .and_then(|mut found| {
                found.query_map(params![namespace], |row| Ok((Phase::of(row.get(0)?), row.get(1)?)))
            })
            .when("count sessions")
    }
}
