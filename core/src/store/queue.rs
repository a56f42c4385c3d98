//! Queues and their tasks as rows.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::params;
use rusqlite::types::Value;

use super::body::{Body, payload};
use super::fault::Attempt;
use super::lease::leases;
use super::schema::kind;
use super::sql::Optional;
use super::{Tx, View};
use crate::base::value::{Failure, Payload};
use crate::error::Result;

const READY: i64 = 0;
// 1 is a task that a worker has claimed.
const DELAYED: i64 = 2;
pub(super) const DEAD: i64 = 3;

/// A checked task, to be put into a queue.
#[derive(Clone, Debug)]
pub(crate) struct NewRow {
    pub name: String,
    pub body: Body,
    pub key: Option<String>,
    pub priority: i64,
    pub max_attempts: i64,
    pub delay_ms: i64,
}

/// A task that was claimed: the attempt is the epoch of the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub task: i64,
    pub attempt: i64,
}

/// A task as its worker gets it.
#[derive(Clone, Debug)]
pub(crate) struct TaskRow {
    pub claim: Claim,
    pub name: String,
    pub payload: Payload,
}

/// How many tasks of a queue are in which state.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub waiting: i64,
    pub running: i64,
    pub done: i64,
    pub dead: i64,
}

/// What a worker reports of a claimed task.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Completed(Body),
    Failed { failure: Body, retry: bool },
}

/// How many keys or tasks are looked for by one statement.
pub(super) const TOGETHER: usize = 100;

/// The places of a list from `first` on and how many they are: one, or as many as are ever looked for
/// together, so that a database prepares two statements and not a hundred.
pub(super) fn places(first: usize, wanted: usize) -> (String, usize) {
    let count = if wanted == 1 { 1 } else { TOGETHER };
    let places: Vec<String> = (first..first + count).map(|place| format!("?{place}")).collect();
    (places.join(", "), count)
}

impl Tx<'_> {
    /// The queue's number; made where there is none.
    pub(crate) fn queue(&mut self, name: &str) -> Result<i64> {
        if let Some(&id) = self.queues.get(name) {
            return Ok(id);
        }
        let id = match View(self.conn()).queue(self.namespace(), name)? {
            Some(id) => id,
            None => self.make_queue(name)?,
        };
        self.queues.insert(name.to_owned(), id);
        Ok(id)
    }

    fn make_queue(&mut self, name: &str) -> Result<i64> {
        self.prepare(
            "INSERT INTO queue (id, namespace, name) SELECT coalesce(max(id), 0) + 1, ?1, ?2 FROM queue RETURNING id",
        )?
        .query_row(params![self.namespace(), name], |row| row.get(0))
            .when("make a queue")
    }

    /// The tasks of those keys that the queue has seen before.
    fn known_keys(&self, queue: i64, tasks: &[NewRow]) -> Result<HashMap<String, i64>> {
        let keys: Vec<&String> = tasks.iter().filter_map(|task| task.key.as_ref()).collect();
        let mut known = HashMap::new();
        for keys in keys.chunks(TOGETHER) {
            let (places, count) = places(2, keys.len());
            let sql = format!("SELECT key, task FROM task_key WHERE queue = ?1 AND key IN ({places})");
            let mut values = vec![Value::Integer(queue)];
            values.extend((0..count).map(|at| keys[at.min(keys.len() - 1)].clone().into()));
            let found: Vec<(String, i64)> = self
                .prepare(&sql)?
                .query_map(values.as_slice(), |row| Ok((row.get(0)?, row.get(1)?)))
                .when("look for keys")?;
            known.extend(found);
        }
        Ok(known)
    }

    /// Puts tasks into a queue, and returns an id for each.
    pub(crate) fn enqueue(&mut self, queue: &str, tasks: &[NewRow]) -> Result<Vec<i64>> {
        let what = "put tasks into a queue";
        let queue = self.queue(queue)?;
        let now = self.wall();
        // The event of the batch takes the last number; its tasks have those up to it.
        let last = self.numbers(tasks.len() as i64)?;
        let mut id = last - tasks.len() as i64;
        let mut known = self.known_keys(queue, tasks)?;
        let (mut keys, mut rows) = (Vec::new(), Vec::with_capacity(tasks.len()));
        let mut ids = Vec::with_capacity(tasks.len());
        for task in tasks {
            id += 1;
            if let Some(key) = &task.key {
                if let Some(&first) = known.get(key) {
                    ids.push(first);
                    continue;
                }
                known.insert(key.clone(), id);
                keys.push(vec![queue.into(), key.clone().into(), id.into()]);
            }
            let (state, ready) = match task.delay_ms {
                0 => (READY, None),
                delay => (DELAYED, Some(now + delay)),
            };
            rows.push(vec![
                id.into(),
                queue.into(),
                state.into(),
                task.priority.into(),
                ready.into(),
                task.max_attempts.into(),
                task.name.clone().into(),
                task.body.inline()?,
            ]);
            ids.push(id);
        }
        let made = rows.len() as i64;
        self.conn()
            .execute_many("INSERT INTO task_key (queue, key, task) VALUES (?1, ?2, ?3)", keys)
            .and_then(|()| {
                self.conn().execute_many(
                    "INSERT INTO task (id, queue, state, priority, ready, attempt, max_attempts, name, body)
                     VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8)",
                    rows,
                )
            })
            .when(what)?;
        if made > 0 {
            self.prepare(
                "INSERT INTO event (seq, kind, subject, at, place, nth) VALUES (?1, ?2, ?1, ?3, ?4, ?5)",
            )?
            .execute([last, kind::TASK_ENQUEUED, self.at, queue, made])
            .when(what)?;
            self.wake_listeners();
            self.wake_workers();
        }
        Ok(ids)
    }

    /// Claims up to `max` tasks for the worker `lease`, most urgent first.
    pub(crate) fn claim(
        &mut self,
        lease: i64,
        length: Duration,
        queue: &str,
        max: u32,
    ) -> Result<Vec<TaskRow>> {
        let what = "claim tasks";
        let queue = self.queue(queue)?;
        self.sweep(queue)?;
        let mut statement = self.prepare(
            "UPDATE task SET state = 1, lease = ?3, attempt = attempt + 1
             WHERE id IN (SELECT id FROM task WHERE queue = ?1 AND state = 0 ORDER BY priority DESC, id LIMIT ?2)
             RETURNING id, name, body, attempt, priority",
        )?;
        let mut rows = statement.query([queue, i64::from(max), lease]).when(what)?;
        let mut tasks = Vec::new();
        while let Some(row) = rows.next().when(what)? {
            let claim = Claim { task: row.get(0).when(what)?, attempt: row.get(3).when(what)? };
            let name = row.get(1).when(what)?;
            let payload = payload(row.get_ref(2).when(what)?)?;
            tasks.push((row.get::<i64>(4).when(what)?, TaskRow { claim, name, payload }));
        }
        drop(rows);
        if !tasks.is_empty() {
            // Without a claim there is nothing to keep alive.
            self.hold(lease, Some(queue), length)?;
        }
        tasks.sort_by_key(|(priority, task)| (-priority, task.claim.task));
        Ok(tasks.into_iter().map(|(_, task)| task).collect())
    }

    /// Makes ready what is due, and takes the tasks of workers that are gone back into the queue; those out
    /// of attempts are dead. Once a transaction, as its time stands still.
    fn sweep(&mut self, queue: i64) -> Result<()> {
        if self.swept.contains(&queue) {
            return Ok(());
        }
        let wall = self.wall();
        self.prepare(
            "UPDATE task SET state = 0, ready = NULL WHERE queue = ?1 AND state = 2 AND ready <= ?2",
        )?
        .execute([queue, wall])
        .when("make tasks ready")?;
        let now = self.moment();
        for lease in leases(self.conn(), Some(queue))? {
            // A worker of this process has its own lease; only time tells that it is stuck.
            if lease.over(self.me(), now) {
                self.lose_all(lease.id, queue)?;
                self.drop_lease(lease.id)?;
            }
        }
        self.swept.push(queue);
        Ok(())
    }

    fn lose_all(&mut self, lease: i64, queue: i64) -> Result<()> {
        let what = "take back the tasks of a worker that is gone";
        let spent: Vec<(i64, i64, String)> = self
            .prepare("SELECT id, attempt, name FROM task WHERE lease = ?1 AND state = 1 AND attempt >= max_attempts")?
            .query_map([lease], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .when(what)?;
        let failure = Body::failure(&Failure {
            message: "the worker was gone before it reported, at the last attempt".to_owned(),
            ..Failure::default()
        })?;
        for (task, attempt, name) in spent {
            self.bury(Claim { task, attempt }, queue, name, &failure)?;
        }
        let back = self
            .prepare("UPDATE task SET state = 0, lease = NULL WHERE lease = ?1 AND state = 1")?
            .execute([lease])
            .when(what)?;
        if back > 0 {
            self.wake_workers();
        }
        Ok(())
    }

    /// Puts claimed tasks back that nobody has begun: the attempt does not count.
    pub(crate) fn give_back(&mut self, lease: i64, claims: &[Claim]) -> Result<()> {
        let rows = claims.iter().map(|claim| vec![claim.task.into(), lease.into(), claim.attempt.into()]);
        self.conn()
            .execute_many(
                "UPDATE task SET state = 0, lease = NULL, attempt = attempt - 1
                 WHERE id = ?1 AND state = 1 AND lease = ?2 AND attempt = ?3",
                rows.collect(),
            )
            .when("give tasks back")?;
        self.wake_workers();
        Ok(())
    }

    /// Puts back everything that a worker has claimed and not reported, and ends its lease.
    pub(crate) fn close_worker(&mut self, lease: i64) -> Result<()> {
        self.give_back_all(lease)?;
        self.drop_lease(lease)
    }

    pub(super) fn give_back_all(&mut self, lease: i64) -> Result<()> {
        let back = self
            .prepare("UPDATE task SET state = 0, lease = NULL, attempt = attempt - 1 WHERE lease = ?1 AND state = 1")?
            .execute([lease])
            .when("give tasks back")?;
        if back > 0 {
            self.wake_workers();
        }
        Ok(())
    }
}

impl View<'_> {
    fn queue(&self, namespace: i64, name: &str) -> Result<Option<i64>> {
        self.0
            .prepare("SELECT id FROM queue WHERE namespace = ?1 AND name = ?2")
            .and_then(|mut statement| {
                statement.query_row(params![namespace, name], |row| row.get(0)).optional()
            })
            .when("read a queue")
    }

    /// Whether a claim may find something: a look that holds nobody up.
    pub(crate) fn has_work(&self, namespace: i64, name: &str) -> Result<bool> {
        let what = "look into a queue";
        let Some(queue) = self.queue(namespace, name)? else { return Ok(false) };
        let ready: bool = self
            .0
            .prepare(
                "SELECT EXISTS (SELECT 1 FROM task WHERE queue = ?1 AND state = 0)
                     OR EXISTS (SELECT 1 FROM task WHERE queue = ?1 AND state = 2 AND ready <= ?2)",
            )
            .and_then(|mut statement| statement.query_row([queue, self.0.moment().wall()], |row| row.get(0)))
            .when(what)?;
        if ready {
            return Ok(true);
        }
        let me = super::lease::Identity::current();
        let moment = self.0.moment();
        Ok(leases(self.0, Some(queue))?.iter().any(|lease| lease.over(&me, moment)))
    }

    /// How many tasks of a queue are in which state.
    pub(crate) fn count_tasks(&self, namespace: i64, name: &str) -> Result<Counts> {
        let what = "count the tasks of a queue";
        let Some(queue) = self.queue(namespace, name)? else { return Ok(Counts::default()) };
        let mut counts = self
            .0
            .prepare(
                "SELECT (SELECT count(*) FROM task WHERE queue = ?1 AND state = 0)
                      + (SELECT count(*) FROM task WHERE queue = ?1 AND state = 2), completed, dead
                 FROM queue WHERE id = ?1",
            )
            .and_then(|mut statement| {
                statement.query_row([queue], |row| {
                    Ok(Counts { waiting: row.get(0)?, running: 0, done: row.get(1)?, dead: row.get(2)? })
                })
            })
            .when(what)?;
        let me = super::lease::Identity::current();
        let moment = self.0.moment();
        for lease in leases(self.0, Some(queue))? {
            let claimed: i64 = self
                .0
                .prepare("SELECT count(*) FROM task WHERE lease = ?1 AND state = 1")
                .and_then(|mut statement| statement.query_row([lease.id], |row| row.get(0)))
                .when(what)?;
            match lease.over(&me, moment) {
                true => counts.waiting += claimed,
                false => counts.running += claimed,
            }
        }
        Ok(counts)
    }
}
