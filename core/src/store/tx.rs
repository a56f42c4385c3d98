//! The transaction that jobs write in, and what everyone around one store shares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rusqlite::params;
use tokio::sync::Notify;

use super::fault::Attempt;
use super::lease::{Identity, Keeper, Moment};
use super::live::{Halt, Owned};
use super::sql::{Conn, Statement};
use crate::base::clock::Clock;
use crate::error::{Error, Result};
use crate::observe::bus::Bus;

/// What everyone around one store shares with its writer.
#[derive(Clone)]
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
    /// Connections that wait for readers.
    pub readers: Arc<Mutex<Vec<Conn>>>,
    /// Why nobody may go on with this store.
    pub broken: Arc<OnceLock<Error>>,
}

impl Around {
    /// Refuses a store that nobody may go on with.
    pub fn sound(&self) -> Result<()> {
        self.broken.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Connections that wait for readers.
    pub fn readers(&self) -> MutexGuard<'_, Vec<Conn>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    /// The job at hand has taken or renewed a lease.
    pub(super) held: bool,
    /// Queues that were looked up, by name.
    pub(super) queues: HashMap<String, i64>,
    /// Queues in which everything that is due was made ready.
    pub(super) swept: Vec<i64>,
}

/// What a session is told.
#[derive(Clone, Copy, Debug)]
enum Told {
    Look,
    Halt(Halt),
    GoOn,
}

impl<'c> Tx<'c> {
    /// A transaction that begins now.
    pub(super) fn new(conn: &'c Conn, around: &'c Around) -> Tx<'c> {
        Tx {
            conn,
            around,
            at: around.clock.now_ms(),
            last: None,
            moment: None,
            events: false,
            work: false,
            told: Vec::new(),
            held: false,
            queues: HashMap::new(),
            swept: Vec::new(),
        }
    }

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
        *self.moment.get_or_insert_with(|| self.conn.moment())
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

    /// Whether there are new events, and new work for workers.
    pub(super) fn news(&self) -> (bool, bool) {
        (self.events, self.work)
    }

    /// How much sessions are to be told so far.
    pub(super) fn told(&self) -> usize {
        self.told.len()
    }

    /// A job has failed and is undone: sessions are not told what it wanted them to be, and nothing that it
    /// may have made is known any more.
    pub(super) fn undo(&mut self, told: usize) {
        self.told.truncate(told);
        self.queues.clear();
        self.swept.clear();
    }

    /// Tells sessions and listeners what is on disk now; whether workers are to be woken.
    pub(super) fn tell(self) -> bool {
        for (session, told) in self.told {
            match told {
                Told::Look => self.around.owned.wake(session),
                Told::Halt(halt) => self.around.owned.tell(session, Some(halt)),
                Told::GoOn => self.around.owned.tell(session, None),
            }
        }
        if self.events {
            self.around.bus.wake();
        }
        self.work
    }
}
