//! The one place where the store is written: whatever waits is committed in one transaction with one
//! sync, and answered.
//!
//! A thread does it. A caller that waits anyway commits its own job where nobody else is at it, as handing
//! it over and back costs more than the rest of a commit. A job that is alone does not wait for company.

use std::panic::AssertUnwindSafe;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::fault::Attempt;
use super::job::{Job, Pending, Reply};
use super::log::shorten;
use super::news::{LOOK, News};
use super::sql::Conn;
use super::tx::{Around, Tx};
use crate::base::clock::instant;
use crate::base::runtime::{from_panic, waits_here};
use crate::error::{Error, Result};

/// At most this many jobs share a transaction, so that the first does not wait for ever.
const BATCH: usize = 1024;

/// The longest wait for jobs that are likely to come.
const LINGER: Duration = Duration::from_micros(500);

/// What one store's writing is done with.
pub(super) struct Writer {
    pub around: Around,
    desk: Mutex<Desk>,
    line: Mutex<Line>,
    arrived: Condvar,
    /// Whether any thread may use the connection.
    anywhere: bool,
}

/// Who has it, writes.
struct Desk {
    /// `None` once the file cannot be vouched for.
    conn: Option<Conn>,
    news: News,
    /// How many jobs the last two transactions had, the newer one first.
    sizes: [usize; 2],
    /// How long a commit takes about.
    pace: Duration,
}

/// What waits to be written.
#[derive(Default)]
struct Line {
    jobs: Vec<Box<dyn Job>>,
    /// Somebody begins to watch: the thread looks when it is due next.
    poked: bool,
    closed: bool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer {
    /// A writer on this connection; [`run`](Self::run) is for a thread of its own.
    pub fn new(conn: Conn, around: Around) -> Writer {
        let mut news = News::default();
        // From the start, so that nothing that is said to a session that is opened later is missed.
        let _ = news.tell(&conn, &around);
        let anywhere = conn.is_local();
        let desk = Desk { conn: Some(conn), news, sizes: [1, 1], pace: Duration::ZERO };
        Writer { around, desk: Mutex::new(desk), line: Mutex::default(), arrived: Condvar::new(), anywhere }
    }

    /// Has a job done: here and now where the caller waits and nobody else writes.
    pub fn give(&self, job: Box<dyn Job>) {
        if self.anywhere
            && waits_here()
            && job.attach().is_none()
            && let Ok(mut desk) = self.desk.try_lock()
            && desk.sizes[0] <= 1
        {
            let mut jobs = std::mem::take(&mut locked(&self.line).jobs);
            jobs.push(job);
            return desk.write(jobs, &self.around);
        }
        locked(&self.line).jobs.push(job);
        self.arrived.notify_one();
    }

    /// Has the thread look when it is due next.
    pub fn poke(&self) {
        locked(&self.line).poked = true;
        self.arrived.notify_one();
    }

    /// No job comes any more.
    pub fn close(&self) {
        locked(&self.line).closed = true;
        self.arrived.notify_one();
    }

    /// The thread: writes what waits, renews leases, looks for what other processes write, until it is
    /// closed and all is done.
    pub fn run(&self) {
        loop {
            let watched = self.around.owned.watched();
            let look = watched.then(|| instant() + LOOK);
            let due = [self.around.keeper.due(), look].into_iter().flatten().min();
            let Some(mut jobs) = self.wait(due) else { break };
            let mut desk = locked(&self.desk);
            if !jobs.is_empty() {
                self.linger(&desk, &mut jobs);
            }
            let due = self.around.keeper.due().is_some_and(|due| due <= instant());
            if !jobs.is_empty() || due {
                desk.write(jobs, &self.around);
            }
            let Desk { conn: Some(conn), news, .. } = &mut *desk else { continue };
            if self.around.owned.watched() {
                news.look(conn, &self.around);
            }
        }
        // The last word: others need not wait for this owner's time to run out.
        let mut desk = locked(&self.desk);
        if self.around.keeper.due().is_some() {
            let release = Pending {
                attach: None,
                work: Some(|tx: &mut Tx<'_>| tx.release_all()),
                value: None,
                then: None,
                reply: Reply::Nobody,
            };
            desk.write(vec![Box::new(release)], &self.around);
        }
        desk.conn = None;
    }

    /// Waits for jobs; none where it is time for something else, `None` once it is closed.
    fn wait(&self, due: Option<Instant>) -> Option<Vec<Box<dyn Job>>> {
        let mut line = locked(&self.line);
        loop {
            if !line.jobs.is_empty() {
                let most = line.jobs.len().min(BATCH);
                return Some(line.jobs.drain(..most).collect());
            }
            if line.closed {
                return None;
            }
            if std::mem::take(&mut line.poked) {
                return Some(Vec::new());
            }
            line = match due {
                None => self.arrived.wait(line).unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let left = due.saturating_duration_since(instant());
                    if left.is_zero() {
                        return Some(Vec::new());
                    }
                    self.arrived.wait_timeout(line, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Callers that come back as soon as they are answered fall into groups that take turns. Where there
    /// was company lately, the rest of it is waited for, a fraction of what a commit takes.
    fn linger(&self, desk: &Desk, jobs: &mut Vec<Box<dyn Job>>) {
        let likely = desk.sizes[0] + desk.sizes[1];
        if desk.sizes.iter().any(|&size| size < 2) {
            return;
        }
        let until = instant() + (desk.pace / 4).min(LINGER);
        let mut line = locked(&self.line);
        loop {
            let room = BATCH.saturating_sub(jobs.len()).min(line.jobs.len());
            jobs.extend(line.jobs.drain(..room));
            let left = until.saturating_duration_since(instant());
            if jobs.len() >= likely.min(BATCH) || left.is_zero() || line.closed {
                return;
            }
            line = self.arrived.wait_timeout(line, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Desk {
    /// Commits the jobs, those that read a file beside the store apart from the others, and answers them.
    fn write(&mut self, jobs: Vec<Box<dyn Job>>, around: &Around) {
        let Some(conn) = &self.conn else {
            let error = around.sound().err().unwrap_or_else(|| {
                Error::new("store.unreachable", "the store's writer has ended; open the workspace again")
            });
            return jobs.into_iter().for_each(|job| job.answer(Err(error.clone())));
        };
        let (beside, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.attach().is_some());
        self.sizes = [jobs.len(), self.sizes[0]];
        let began = instant();
        if !jobs.is_empty() || beside.is_empty() {
            commit(conn, jobs, around);
        }
        self.pace = (self.pace * 7 + began.elapsed()) / 8;
        beside.into_iter().for_each(|job| commit_beside(conn, job, around));
        if let Err(error) = shorten(conn) {
            // What is in the log is for the next opening.
            let _ = around.broken.set(error);
            around.readers().clear();
            self.conn = None;
        }
    }
}

/// Runs `jobs` in one transaction and answers them.
fn commit(conn: &Conn, mut jobs: Vec<Box<dyn Job>>, around: &Around) {
    let mut tx = Tx::new(conn, around);
    let mut outcomes: Vec<Result<()>> = Vec::with_capacity(jobs.len());
    let done = conn
        .begin_write()
        .when("begin to write")
        .and_then(|()| tx.renew())
        .and_then(|()| {
            // A job that fails must not take back what was renewed.
            let alone = jobs.len() == 1 && !tx.held;
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
    let work = tx.tell();
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
    let sql = |statement: &str| tx_sql(tx.conn(), statement);
    if !alone {
        sql("SAVEPOINT job")?;
    }
    let told = tx.told();
    tx.held = false;
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| job.run(tx)))
        .unwrap_or_else(|panic| Err(from_panic(panic.as_ref())));
    if outcome.is_err() {
        tx.untell(told);
        if tx.held {
            // The keeper counts on a row that is undone here.
            tx.keeper().renew_next();
        }
    }
    let sql = |statement: &str| tx_sql(tx.conn(), statement);
    match outcome {
        // SQLite itself gave the transaction up (disk full, out of memory): nothing of it is left.
        Err(error) if !tx.conn().in_transaction() => Err(error),
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
