//! What is removed for good: ended sessions that are old enough, and nothing that a fork still needs.

use std::collections::BTreeMap;

use rusqlite::params;
use rusqlite::types::Value;

use super::fault::Attempt;
use super::schema::kind;
use super::{Phase, Tx};
use crate::error::Result;

/// Which sessions are removed.
#[derive(Clone, Debug)]
pub(crate) struct Pruning {
    /// Ended before this time: milliseconds since the Unix epoch.
    pub before: i64,
    pub phase: Option<Phase>,
    pub labels: BTreeMap<String, String>,
    pub archived: bool,
    pub limit: u32,
    /// Only count.
    pub dry_run: bool,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pruned {
    pub sessions: i64,
    pub events: i64,
    pub large: i64,
    /// Old enough, and kept as forks share their steps.
    pub kept: i64,
}

impl Tx<'_> {
    /// Removes ended sessions with their histories.
    pub(crate) fn prune(&mut self, pruning: &Pruning) -> Result<Pruned> {
        let what = "prune sessions";
        let mut sql = "SELECT s.id, (SELECT count(*) FROM session f WHERE f.source = s.id)
             FROM session s JOIN event e ON e.seq = s.ended
             WHERE s.namespace = ?1 AND s.status IN (1, 2, 3) AND e.at < ?2"
            .to_owned();
        let mut values: Vec<Value> = vec![self.namespace().into(), pruning.before.into()];
        if let Some(phase) = pruning.phase {
            values.push((phase as i64).into());
            sql += &format!(" AND s.status = ?{}", values.len());
        }
        if pruning.archived {
            sql += " AND s.archived IS NOT NULL";
        }
        for (name, value) in &pruning.labels {
            values.push(name.clone().into());
            values.push(value.clone().into());
            let at = values.len();
            sql += &format!(
                " AND s.id IN (SELECT session FROM label WHERE name = ?{} AND value = ?{at})",
                at - 1
            );
        }
        sql += &format!(" ORDER BY s.id LIMIT {}", pruning.limit);
        let found = self
            .prepare(&sql)?
            .query_map(values.as_slice(), |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))
            .when(what)?;
        let mut pruned = Pruned::default();
        for (session, forks) in found {
            if forks > 0 {
                pruned.kept += 1;
                continue;
            }
            pruned.sessions += 1;
            if pruning.dry_run {
                continue;
            }
            self.prepare("DELETE FROM label WHERE session = ?1")?.execute([session]).when(what)?;
            self.prepare("DELETE FROM session WHERE id = ?1")?.execute([session]).when(what)?;
            pruned.events += self
                .prepare("DELETE FROM event WHERE subject = ?1 AND kind < 100")?
                .execute([session])
                .when(what)? as i64;
        }
        if pruned.sessions > 0 && !pruning.dry_run {
            pruned.large = self.sweep_blobs()? as i64;
            // The newest row of the history stays, whatever was removed: numbers count on from it.
            let seq = self.numbers(1)?;
            self.prepare("INSERT INTO event (seq, kind, subject, at, nth) VALUES (?1, ?2, 0, ?3, ?4)")?
                .execute(params![seq, kind::PRUNED, self.at, pruned.sessions])
                .when(what)?;
            self.wake_listeners();
        }
        Ok(pruned)
    }
}
