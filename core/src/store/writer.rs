//! The one place where the store is written: whatever waits is committed in one transaction with one
//! sync, and answered.
//!
//! A thread does it. A caller that waits anyway commits its own job where nobody else is at it, as handing
//! it over and back costs more than the rest of a commit. A job that is alone does not wait for company.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::fault::Attempt;
use super::job::{Job, Pending, Reply};
use super::log::{abandon, shorten};
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
    /// The thread wants the desk: whoever comes meanwhile stands in line, or it might never get it.
    wanted: AtomicBool,
    /// Whether any thread may use the connection.
    anywhere: bool,
}

/// Who has it, writes.
struct Desk {
    /// `None` once the file cannot be vouched for.
    conn: Option<Conn>,
    news: News,
    /// How many jobs the last transaction had.
    size: usize,
    /// How many others waited when those were answered.
    beside: usize,
    /// How long a commit takes about.
    pace: Duration,
}

/// What waits to be written.
#[derive(Default)]
struct Line {
    jobs: Vec<Box<dyn Job>>,
    /// Something changed when the thread is needed next: it looks anew.
    poked: bool,
    /// The thread sleeps, until this time or until it is woken.
    asleep: Option<Option<Instant>>,
    /// The thread waits for so many jobs.
    wanted: Option<usize>,
    closed: bool,
}

impl Line {
    /// Whether the thread is to be woken for one more job.
    fn enough(&self) -> bool {
        match self.wanted {
            Some(wanted) => self.jobs.len() >= wanted,
            None => self.asleep.is_some(),
        }
    }
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
        let desk = Desk { conn: Some(conn), news, size: 1, beside: 0, pace: Duration::ZERO };
        Writer {
            around,
            desk: Mutex::new(desk),
            line: Mutex::default(),
            arrived: Condvar::new(),
            wanted: AtomicBool::new(false),
            anywhere,
        }
    }

    /// Has a job done: here and now where the caller waits and nobody else writes.
    pub fn give(&self, job: Box<dyn Job>) {
        if self.anywhere
            && waits_here()
            && job.attach().is_none()
            && !self.wanted.load(Ordering::Acquire)
            && let Ok(mut desk) = self.desk.try_lock()
            && desk.size <= 1
        {
            let mut jobs = std::mem::take(&mut locked(&self.line).jobs);
            jobs.push(job);
            desk.write(jobs, &self.around, &self.line);
            drop(desk);
            return self.wake_in_time();
        }
        let mut line = locked(&self.line);
        line.jobs.push(job);
        if line.enough() {
            drop(line);
            self.arrived.notify_one();
        }
    }

    /// When the thread is needed next, whoever else writes.
    fn due(&self) -> Option<Instant> {
        let look = self.around.owned.watched().then(|| instant() + LOOK);
        [self.around.keeper.due(), look].into_iter().flatten().min()
    }

    /// After a commit on another thread: it may have given the writer's own one something to wake for.
    fn wake_in_time(&self) {
        let due = self.due();
        let mut line = locked(&self.line);
        let soon_enough = match (line.asleep, due) {
            (None, _) | (_, None) => true,
            (Some(None), Some(_)) => false,
            (Some(Some(until)), Some(due)) => until <= due,
        };
        if !soon_enough {
            line.poked = true;
            self.arrived.notify_one();
        }
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
            let Some(mut jobs) = self.wait(self.due()) else { break };
            self.wanted.store(true, Ordering::Release);
            let mut desk = locked(&self.desk);
            self.wanted.store(false, Ordering::Release);
            if !jobs.is_empty() {
                self.linger(&desk, &mut jobs);
            }
            let due = self.around.keeper.due().is_some_and(|due| due <= instant());
            if !jobs.is_empty() || due {
                desk.write(jobs, &self.around, &self.line);
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
            desk.write(vec![Box::new(release)], &self.around, &self.line);
        }
        if let Some(conn) = desk.conn.take() {
            conn.retire();
        }
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
            line.asleep = Some(due);
            line = match due {
                None => self.arrived.wait(line).unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let left = due.saturating_duration_since(instant());
                    if left.is_zero() {
                        line.asleep = None;
                        return Some(Vec::new());
                    }
                    self.arrived.wait_timeout(line, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
            line.asleep = None;
        }
    }

    /// Callers that come back as soon as they are answered fall into groups that take turns. Where there
    /// was company, those who were answered last are waited for, for no longer than a commit takes: to
    /// share one is worth that.
    fn linger(&self, desk: &Desk, jobs: &mut Vec<Box<dyn Job>>) {
        let likely = (desk.size + desk.beside).min(BATCH);
        if likely < 2 {
            return;
        }
        let until = instant() + desk.pace.min(LINGER);
        let mut line = locked(&self.line);
        loop {
            let room = BATCH.saturating_sub(jobs.len()).min(line.jobs.len());
            jobs.extend(line.jobs.drain(..room));
            let left = until.saturating_duration_since(instant());
            if jobs.len() >= likely || left.is_zero() || line.closed {
                break;
            }
            line.wanted = Some(likely - jobs.len());
            line = self.arrived.wait_timeout(line, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        line.wanted = None;
    }
}

impl Desk {
    /// Commits the jobs, those that read a file beside the store apart from the others, and answers them.
    fn write(&mut self, jobs: Vec<Box<dyn Job>>, around: &Around, line: &Mutex<Line>) {
        let Some(conn) = &self.conn else {
            let error = around.sound().err().unwrap_or_else(|| {
                Error::new("store.unreachable", "the store's writer has ended; open the workspace again")
            });
            return jobs.into_iter().for_each(|job| job.answer(Err(error.clone())));
        };
        let (beside, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.attach().is_some());
        self.size = jobs.len();
        let began = instant();
        if !jobs.is_empty() || beside.is_empty() {
            commit(conn, jobs, around, || {
                self.pace = (self.pace * 7 + began.elapsed()) / 8;
                self.beside = locked(line).jobs.len();
            });
        }
        beside.into_iter().for_each(|job| commit_beside(conn, job, around));
        if let Err(error) = shorten(conn) {
            // What is in the log is for the next opening.
            let _ = around.broken.set(error);
            around.readers().drain(..).chain(self.conn.take()).for_each(abandon);
        }
    }
}

/// Runs `jobs` in one transaction and answers them, after a call of `done`.
fn commit(conn: &Conn, mut jobs: Vec<Box<dyn Job>>, around: &Around, done: impl FnOnce()) {
    let mut tx = Tx::new(conn, around);
    let mut outcomes: Vec<Result<()>> = Vec::with_capacity(jobs.len());
    let committed = conn
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
            true => {
                let (events, work) = tx.news();
                conn.commit(events, work).when("commit")
            }
        });
    done();
    if let Err(error) = committed {
        if conn.in_transaction() {
            // Nothing can be done where even this fails; the next BEGIN reports it.
            let _ = conn.rollback();
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
            commit(conn, vec![job], around, || {});
            let _ = conn.batch("DETACH DATABASE backup");
        }
    }
}

/// Runs one job such that its failure undoes nothing but itself. The outer error means that the
/// whole transaction is lost.
fn step(tx: &mut Tx<'_>, job: &mut dyn Job, alone: bool) -> Result<Result<()>> {
    if !alone {
        tx.conn().begin_part().when("write")?;
    }
    let told = tx.told();
    tx.held = false;
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| job.run(tx)))
        .unwrap_or_else(|panic| Err(from_panic(panic.as_ref())));
    if outcome.is_err() {
        tx.undo(told);
        if tx.held {
            // The keeper counts on a row that is undone here.
            tx.keeper().renew_next();
        }
    }
    match outcome {
        // The database gave the transaction up (disk full, connection lost): nothing of it is left.
        Err(error) if !tx.conn().in_transaction() => Err(error),
        Err(error) if alone => {
            tx.conn().rollback().when("write")?;
            Ok(Err(error))
        }
        Err(error) => {
            tx.conn().end_part(false).when("write")?;
            Ok(Err(error))
        }
        Ok(()) if alone => Ok(Ok(())),
        Ok(()) => {
            tx.conn().end_part(true).when("write")?;
            Ok(Ok(()))
        }
    }
}
