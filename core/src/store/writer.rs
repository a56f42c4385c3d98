//! The one thread that writes: it takes everything that waits, commits it in one transaction with
//! one sync, and answers. A job that is alone does not wait for company.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use rusqlite::params;
use tokio::sync::{Notify, oneshot};

use super::fault::Attempt;
use super::lease::{Identity, Keeper, Moment};
use super::live::{Halt, Owned};
use super::schema::kind;
use super::sql::{Conn, Statement};
use crate::base::clock::{Clock, instant};
use crate::base::runtime::from_panic;
use crate::error::{Error, Result};
use crate::observe::bus::Bus;

/// At most this many jobs share a transaction, so that the first does not wait for ever.
const BATCH: usize = 1024;

/// How often a store that anybody waits on is looked at for what other processes wrote.
const LOOK: Duration = Duration::from_millis(50);

/// What everyone around one store shares with its writer.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    pub clock: Clock,
    pub bus: Bus,
    pub me: Identity,
    /// The id of this store's lease on sessions.
    pub owner: i64,
    pub keeper: Keeper,
    /// How long an owner keeps its sessions without a sign of life.
    pub lease: Duration,
    /// The namespace that this store's sessions and queues are in.
    pub namespace: i64,
    pub owned: Owned,
    /// Tasks may have become ready.
    pub work: Arc<Notify>,
}

/// The transaction that a job writes in.
pub(crate) struct Tx<'c> {
    conn: &'c Conn,
    around: &'c Around,
    /// The time that rows of this transaction carry.
    pub(super) at: i64,
    last: Option<i64>,
    moment: Option<Moment>,
    events: bool,
    work: bool,
    /// What sessions are told after the commit.
    told: Vec<(i64, Told)>,
}

/// What a session is told.
#[derive(Clone, Copy, Debug)]
enum Told {
    Look,
    Halt(Halt),
    GoOn,
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

    pub(super) fn namespace(&self) -> i64 {
        self.around.namespace
    }

    /// This moment, the same for the whole transaction.
    pub(super) fn moment(&mut self) -> Moment {
        *self.moment.get_or_insert_with(Moment::now)
    }

    /// Now in milliseconds since the Unix epoch, for whatever is due at a real time.
    pub(super) fn wall(&mut self) -> i64 {
        self.moment().wall()
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

    /// Looks at the table again before it gives out the next number.
    pub(super) fn forget_numbers(&mut self) {
        self.last = None;
    }

    /// Listeners to events are woken after the commit.
    pub(super) fn wake_listeners(&mut self) {
        self.events = true;
    }

    /// Workers are woken after the commit.
    pub(super) fn wake_workers(&mut self) {
        self.work = true;
    }

    /// The session's owner, where it is this process, looks at its messages after the commit.
    pub(super) fn wake_session(&mut self, session: i64) {
        self.told.push((session, Told::Look));
    }

    /// The session's owner, where it is this process, stops after the commit.
    pub(super) fn halt_session(&mut self, session: i64, halt: Halt) {
        self.told.push((session, Told::Halt(halt)));
    }

    /// The session's owner, where it is this process, may go on after the commit.
    pub(super) fn free_session(&mut self, session: i64) {
        self.told.push((session, Told::GoOn));
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
    /// The file that it reads beside the store.
    fn attach(&self) -> Option<&str>;
    /// Whether anyone still waits for it.
    fn wanted(&self) -> bool;
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<()>;
    /// Called once, when the transaction has ended one way or the other.
    fn answer(self: Box<Self>, outcome: Result<()>);
}

pub(super) struct Pending<T, W> {
    /// A file whose tables the job reads as `backup`: it then has a transaction of its own.
    pub attach: Option<String>,
    pub work: Option<W>,
    pub value: Option<T>,
    pub then: Option<Then<T>>,
    pub reply: Reply<T>,
}

impl<T: Send, W: FnOnce(&mut Tx<'_>) -> Result<T> + Send> Job for Pending<T, W> {
    fn attach(&self) -> Option<&str> {
        self.attach.as_deref()
    }

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

/// The writer's loop; ends when the store and all its jobs are gone. `None` among the jobs says only
/// that somebody begins to watch.
pub(super) fn run(conn: &Conn, jobs: &Receiver<Option<Box<dyn Job>>>, around: &Around) {
    let mut news = News::default();
    // From the start, so that nothing that is said to a session that is opened later is missed.
    let _ = news.tell(conn, around);
    loop {
        let now = instant();
        let look = around.owned.watched().then(|| now + LOOK);
        let next = [around.keeper.due(), look].into_iter().flatten().min();
        let first = match next {
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => jobs.recv_timeout(due.saturating_duration_since(now)),
        };
        let mut batch = match first {
            Ok(job) => Vec::from_iter(job),
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        while batch.len() < BATCH
            && let Ok(job) = jobs.try_recv()
        {
            batch.extend(job);
        }
        let due = around.keeper.due().is_some_and(|due| due <= instant());
        let (alone, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(|job| job.attach().is_some());
        if !batch.is_empty() || due {
            commit(conn, batch, around);
        }
        alone.into_iter().for_each(|job| commit_beside(conn, job, around));
        if around.owned.watched() {
            news.look(conn, around);
        }
    }
    // The last word: others need not wait for this owner's time to run out.
    if around.keeper.due().is_some() {
        let release = Pending {
            attach: None,
            work: Some(|tx: &mut Tx<'_>| tx.release_all()),
            value: None,
            then: None,
            reply: Reply::Nobody,
        };
        commit(conn, vec![Box::new(release)], around);
    }
}

/// What other processes have written since the last look.
#[derive(Default)]
struct News {
    /// When the store was last looked at.
    looked: Option<std::time::Instant>,
    /// The newest event that was seen.
    seen: Option<i64>,
}

impl News {
    /// Wakes whoever waits for what other processes have written. A look that fails is made again.
    fn look(&mut self, conn: &Conn, around: &Around) {
        let now = instant();
        if self.looked.is_some_and(|looked| now < looked + LOOK / 2) {
            return;
        }
        self.looked = Some(now);
        if let Ok(true) = conn.changed_by_others() {
            let _ = self.tell(conn, around);
            around.bus.wake();
            around.work.notify_waiters();
        }
    }

    fn tell(&mut self, conn: &Conn, around: &Around) -> Result<()> {
        let what = "look for what other processes wrote";
        let last: i64 = conn
            .prepare("SELECT coalesce(max(seq), 0) FROM event")
            .and_then(|mut found| found.query_row(params![], |row| row.get(0)))
            .when(what)?;
        if let Some(seen) = self.seen {
            let said: Vec<(i64, i64)> = conn
                .prepare(
                    "SELECT subject, kind FROM event WHERE seq > ?1 AND seq <= ?2 AND kind IN (7, 8, 9, 10, 13) ORDER BY seq",
                )
                .and_then(|mut found| found.query_map([seen, last], |row| Ok((row.get(0)?, row.get(1)?))))
                .when(what)?;
            // The last word about a session counts: it may have been cancelled and restored since.
            let mut halts = HashMap::new();
            for (session, said) in said {
                match said {
                    kind::SESSION_CANCELLED => drop(halts.insert(session, Some(Halt::Cancelled))),
                    kind::SESSION_PAUSED => drop(halts.insert(session, Some(Halt::Paused))),
                    kind::SIGNAL => around.owned.wake(session),
                    _ => drop(halts.insert(session, None)),
                }
            }
            halts.into_iter().for_each(|(session, halt)| around.owned.tell(session, halt));
        }
        self.seen = Some(last);
        Ok(())
    }
}

/// Runs `jobs` in one transaction and answers them.
fn commit(conn: &Conn, mut jobs: Vec<Box<dyn Job>>, around: &Around) {
    let mut tx = Tx {
        conn,
        around,
        at: around.clock.now_ms(),
        last: None,
        moment: None,
        events: false,
        work: false,
        told: Vec::new(),
    };
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
    let (events, work, told) = (tx.events, tx.work, tx.told);
    for (session, told) in told {
        match told {
            Told::Look => around.owned.wake(session),
            Told::Halt(halt) => around.owned.tell(session, Some(halt)),
            Told::GoOn => around.owned.tell(session, None),
        }
    }
    if events {
        around.bus.wake();
    }
    jobs.into_iter().zip(outcomes).for_each(|(job, outcome)| job.answer(outcome));
    if work {
        around.work.notify_waiters();
    }
}

/// Runs a job that reads another file beside the store.
fn commit_beside(conn: &Conn, job: Box<dyn Job>, around: &Around) {
    let file = job.attach().unwrap_or_default().to_owned();
    let attached = conn
        .prepare("ATTACH DATABASE ?1 AS backup")
        .and_then(|mut attach| attach.execute([file]))
        .when("read a file beside the store");
    match attached {
        Err(error) => job.answer(Err(error)),
        Ok(_) => {
            commit(conn, vec![job], around);
            let _ = conn.batch("DETACH DATABASE backup");
        }
    }
}

/// Runs one job such that its failure undoes nothing but itself. The outer error means that the
/// whole transaction is lost.
fn step(tx: &mut Tx<'_>, job: &mut dyn Job, alone: bool) -> Result<Result<()>> {
    let sql = |statement: &str| tx_sql(tx.conn, statement);
    if !alone {
        sql("SAVEPOINT job")?;
    }
    let told = tx.told.len();
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| job.run(tx)))
        .unwrap_or_else(|panic| Err(from_panic(panic.as_ref())));
    if outcome.is_err() {
        tx.told.truncate(told);
    }
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
