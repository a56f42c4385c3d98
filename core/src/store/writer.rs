//! The one thread that writes: it takes everything that waits, commits it in one transaction with
//! one sync, and answers. A job that is alone does not wait for company.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::params;
use tokio::sync::{Notify, oneshot};

use super::fault::Attempt;
use super::lease::{Identity, Keeper};
use super::sql::{Conn, Statement};
use crate::base::cancel::CancelToken;
use crate::base::clock::{Clock, instant};
use crate::base::runtime::from_panic;
use crate::error::{Error, Result};
use crate::observe::bus::Bus;

/// At most this many jobs share a transaction, so that the first does not wait for ever.
const BATCH: usize = 1024;

/// What everyone around one store shares with its writer.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    pub clock: Clock,
    pub bus: Bus,
    pub me: Identity,
    /// The id of this store's lease on sessions.
    pub owner: i64,
    pub keeper: Keeper,
    /// Sessions that this store owns: the newest handle's epoch, and what tells it that it owns no more.
    pub sessions: Arc<Mutex<HashMap<i64, (i64, CancelToken)>>>,
    /// Tasks may have become ready.
    pub work: Arc<Notify>,
}

impl Around {
    /// Whether no session is owned.
    pub fn idle(&self) -> bool {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// The transaction that a job writes in.
pub(crate) struct Tx<'c> {
    conn: &'c Conn,
    around: &'c Around,
    /// The time that rows of this transaction carry.
    pub(super) at: i64,
    last: Option<i64>,
    events: bool,
    work: bool,
}

impl<'c> Tx<'c> {
    pub(super) fn conn(&self) -> &'c Conn {
        self.conn
    }

    pub(super) fn around(&self) -> &'c Around {
        self.around
    }

    pub(super) fn me(&self) -> &'c Identity {
        &self.around.me
    }

    pub(super) fn owner(&self) -> i64 {
        self.around.owner
    }

    pub(super) fn keeper(&self) -> &'c Keeper {
        &self.around.keeper
    }

    pub(super) fn prepare(&self, sql: &str) -> Result<Statement<'c>> {
        self.conn.prepare(sql).when("prepare a statement")
    }

    /// Gives out `count` numbers and returns the last. Only the holder of the write lock is here, so
    /// numbers grow in the order of commits, over all processes.
    pub(super) fn numbers(&mut self, count: i64) -> Result<i64> {
        let last = match self.last {
            Some(last) => last,
            None => self
                .prepare("SELECT coalesce(max(seq), 0) FROM event")?
                .query_row(params![], |row| row.get(0))
                .when("read the last event")?,
        };
        self.last = Some(last + count);
        Ok(last + count)
    }

    /// Listeners to events are woken after the commit.
    pub(super) fn wake_listeners(&mut self) {
        self.events = true;
    }

    /// Workers are woken after the commit.
    pub(super) fn wake_workers(&mut self) {
        self.work = true;
    }
}

/// Who gets the answer of a job.
pub(super) enum Reply<T> {
    Future(oneshot::Sender<Result<T>>),
    Thread(std::sync::mpsc::SyncSender<Result<T>>),
    Nobody,
}

pub(super) type Then<T> = Box<dyn FnOnce(&Result<T>) + Send>;

/// Something to be done in a transaction.
pub(super) trait Job: Send {
    /// Whether anyone still waits for it.
    fn wanted(&self) -> bool;
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<()>;
    /// Called once, when the transaction has ended one way or the other.
    fn answer(self: Box<Self>, outcome: Result<()>);
}

pub(super) struct Pending<T, W> {
    pub work: Option<W>,
    pub value: Option<T>,
    pub then: Option<Then<T>>,
    pub reply: Reply<T>,
}

impl<T: Send, W: FnOnce(&mut Tx<'_>) -> Result<T> + Send> Job for Pending<T, W> {
    fn wanted(&self) -> bool {
        match &self.reply {
            Reply::Future(sender) => !sender.is_closed(),
            Reply::Thread(_) | Reply::Nobody => true,
        }
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(tx)?);
        }
        Ok(())
    }

    fn answer(mut self: Box<Self>, outcome: Result<()>) {
        let value = self.value.take();
        let result =
            outcome.and_then(|()| value.ok_or_else(|| Error::new("bug.store", "a job gave no answer")));
        if let Some(then) = self.then.take() {
            then(&result);
        }
        // Where nobody waits any more the value is dropped, and its guard undoes what it stands for.
        match self.reply {
            Reply::Future(sender) => drop(sender.send(result)),
            Reply::Thread(sender) => drop(sender.send(result)),
            Reply::Nobody => {}
        }
    }
}

/// The writer's loop; ends when the store and all its jobs are gone.
pub(super) fn run(conn: &Conn, jobs: &Receiver<Box<dyn Job>>, around: &Around) {
    loop {
        let first = match around.keeper.due() {
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => jobs.recv_timeout(due.saturating_duration_since(instant())),
        };
        let mut batch = match first {
            Ok(job) => vec![job],
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        while batch.len() < BATCH
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
        commit(conn, batch, around);
    }
    // The last word: others need not wait for this owner's time to run out.
    if around.keeper.due().is_some() {
        let release = Pending {
            work: Some(|tx: &mut Tx<'_>| tx.release_all()),
            value: None,
            then: None,
            reply: Reply::Nobody,
        };
        commit(conn, vec![Box::new(release)], around);
    }
}

/// Runs `jobs` in one transaction and answers them.
fn commit(conn: &Conn, mut jobs: Vec<Box<dyn Job>>, around: &Around) {
    let mut tx = Tx { conn, around, at: around.clock.now_ms(), last: None, events: false, work: false };
    let mut outcomes: Vec<Result<()>> = Vec::with_capacity(jobs.len());
    let done = conn
        .begin_write()
        .when("begin to write")
        .and_then(|()| tx.renew())
        .and_then(|()| {
            let alone = jobs.len() == 1;
            for job in &mut jobs {
                if !job.wanted() {
                    outcomes.push(Err(Error::cancelled()));
                    continue;
                }
                outcomes.push(step(&mut tx, job.as_mut(), alone)?);
            }
            Ok(())
        })
        .and_then(|()| match conn.in_transaction() {
            // The one job failed and was undone with its transaction.
            false => Ok(()),
            true => conn.statement("COMMIT").when("commit"),
        });
    if let Err(error) = done {
        if conn.in_transaction() {
            // Nothing can be done where even this fails; the next BEGIN reports it.
            let _ = conn.batch("ROLLBACK");
        }
        around.keeper.postpone();
        jobs.into_iter().for_each(|job| job.answer(Err(error.clone())));
        return;
    }
    if tx.events {
        around.bus.wake();
    }
    let work = tx.work;
    jobs.into_iter().zip(outcomes).for_each(|(job, outcome)| job.answer(outcome));
    if work {
        around.work.notify_waiters();
    }
}

/// Runs one job such that its failure undoes nothing but itself. The outer error means that the
/// whole transaction is lost.
fn step(tx: &mut Tx<'_>, job: &mut dyn Job, alone: bool) -> Result<Result<()>> {
    let sql = |statement: &str| tx_sql(tx.conn, statement);
    if !alone {
        sql("SAVEPOINT job")?;
    }
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| job.run(tx)))
        .unwrap_or_else(|panic| Err(from_panic(panic.as_ref())));
    let sql = |statement: &str| tx_sql(tx.conn, statement);
    match outcome {
        // SQLite itself gave the transaction up (disk full, out of memory): nothing of it is left.
        Err(error) if !tx.conn.in_transaction() => Err(error),
        Err(error) if alone => {
            sql("ROLLBACK")?;
            Ok(Err(error))
        }
        Err(error) => {
            sql("ROLLBACK TO job")?;
            sql("RELEASE job")?;
            Ok(Err(error))
        }
        Ok(()) if alone => Ok(Ok(())),
        Ok(()) => {
            sql("RELEASE job")?;
            Ok(Ok(()))
        }
    }
}

fn tx_sql(conn: &Conn, statement: &str) -> Result<()> {
    conn.statement(statement).when("write")
}
