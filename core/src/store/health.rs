//! How the store is: what fills it, who uses it, and whether it can be written.

use rusqlite::params;

use super::fault::Attempt;
use super::lease::{Identity, Standing, leases};
use super::{Phase, Store, View};
use crate::error::Result;

/// What a look at the store found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Condition {
    /// Its size in bytes; the log that is not yet moved into it apart.
    pub bytes: u64,
    pub log_bytes: u64,
    /// Bytes that are free where it lies; `None` where nothing can be said.
    pub free_bytes: Option<u64>,
    /// What SQLite's own quick check found wrong; empty for a store that is whole.
    pub damage: Vec<String>,
    pub sessions: Vec<(Phase, i64)>,
    /// Queue, ready or delayed, claimed, done, dead.
    pub queues: Vec<(String, super::queue::Counts)>,
    /// Process id, host, whether it lives, how many sessions it owns, how many tasks it has claimed.
    pub owners: Vec<(u32, String, bool, i64, i64)>,
}

impl Store {
    /// Looks at the store; `thorough` reads all of it.
    pub(crate) fn condition(&self, thorough: bool) -> Result<Condition> {
        let namespace = self.namespace();
        let mut found = self.read_blocking(move |view| view.condition(namespace, thorough))?;
        if let Some(path) = self.path() {
            let size = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |about| about.len());
            found.bytes = size(path);
            let mut log = path.as_os_str().to_owned();
            log.push("-wal");
            found.log_bytes = size(log.as_ref());
            found.free_bytes = super::open::free_bytes(path);
        }
        Ok(found)
    }
}

impl super::Tx<'_> {
    /// Writes and takes back: whether the store can be written.
    pub(crate) fn probe(&mut self) -> Result<()> {
        // A commit of the same value still goes through the log and its sync.
        self.prepare("UPDATE namespace SET name = name WHERE id = 0")?
            .execute(params![])
            .when("write to the store")?;
        Ok(())
    }
}

impl View<'_> {
    fn condition(&self, namespace: i64, thorough: bool) -> Result<Condition> {
        let what = "look at the store";
        let mut found = Condition { sessions: self.count_sessions(namespace)?, ..Condition::default() };
        let queues: Vec<String> = self
            .0
            .prepare("SELECT name FROM queue WHERE namespace = ?1 ORDER BY name")
            .and_then(|mut queues| queues.query_map([namespace], |row| row.get(0)))
            .when(what)?;
        for queue in queues {
            let counts = self.count_tasks(namespace, &queue)?;
            found.queues.push((queue, counts));
        }
        let (me, now) = (Identity::current(), self.0.moment());
        let held: Vec<(i64, i64)> = self
            .0
            .prepare("SELECT lease, count(*) FROM session WHERE lease IS NOT NULL GROUP BY lease")
            .and_then(|mut held| held.query_map(params![], |row| Ok((row.get(0)?, row.get(1)?))))
            .when(what)?;
        for lease in leases(self.0, None)? {
            let sessions = held.iter().find(|(id, _)| *id == lease.id).map_or(0, |(_, count)| *count);
            let alive = lease.standing(&me, now) != Standing::Dead;
            found.owners.push((lease.owner.pid(), lease.owner.host().to_owned(), alive, sessions, 0));
        }
        let workers = self
            .0
            .prepare("SELECT DISTINCT queue FROM lease WHERE queue IS NOT NULL")
            .and_then(|mut queues| queues.query_map(params![], |row| row.get::<i64>(0)))
            .when(what)?;
        for queue in workers {
            for lease in leases(self.0, Some(queue))? {
                let claimed: i64 = self
                    .0
                    .prepare("SELECT count(*) FROM task WHERE lease = ?1 AND state = 1")
                    .and_then(|mut tasks| tasks.query_row([lease.id], |row| row.get(0)))
                    .when(what)?;
                let alive = !lease.over(&me, now);
                found.owners.push((lease.owner.pid(), lease.owner.host().to_owned(), alive, 0, claimed));
            }
        }
        found.bytes = self.0.size().when(what)?;
        if thorough {
            found.damage = self.0.damage().when(what)?;
        }
        Ok(found)
    }
}
