//! The only place that knows SQL: sessions, queues, events and segments in one SQLite file, or in a schema
//! of a PostgreSQL database.
//!
//! One thread writes (see [`writer`]), a few connections read, and several processes may share the
//! file. What was answered is on disk: WAL with `synchronous = FULL`, checked at opening.

mod backup;
mod blob;
mod body;
mod checkpoint;
mod event;
mod fault;
mod health;
mod job;
mod lease;
mod life;
mod listing;
mod live;
mod log;
mod news;
mod open;
#[cfg(feature = "postgres")]
mod postgres;
mod prune;
mod queue;
mod report;
mod schedule;
mod schema;
mod segments;
mod session;
mod sql;
mod step;
mod tx;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, oneshot};

pub(crate) use body::{Body, encode};
pub(crate) use checkpoint::{CheckpointRow, CheckpointWrite};
pub(crate) use event::Span;
pub(crate) use health::Condition;
pub(crate) use listing::{Filter, SessionRow};
pub(crate) use live::{Halt, Live, Watching};
pub(crate) use prune::Pruning;
pub(crate) use queue::{Claim, NewRow, Outcome, TaskRow};
pub(crate) use schedule::{NewSchedule, ScheduleRow};
pub(crate) use session::{ClaimedRow, Found, NewSession, Phase, lease_lost};
pub(crate) use step::{Arrived, NEVER, StepMark, StepRow, StepWrite, WaitWrite};
pub(crate) use tx::Tx;

use crate::base::clock::Clock;
use crate::base::runtime::{compute, refuse_forked, settled, waiting};
use crate::error::{Error, Result};
use crate::observe::bus::Bus;
use fault::Attempt;
use job::{Job, Pending, Reply, Then};
use lease::{Identity, Keeper};
use live::Owned;
use sql::Conn;
use tx::Around;
use writer::Writer;

/// How long others may hold the file before a call gives up with `store.busy`: on a disk that takes a
/// second for a sync it is long before sixteen writers have had their turn. Half of what a lease lasts, as
/// who cannot write for longer is about to lose what it holds.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long a server may take to answer: one that is there does so at once.
#[cfg(feature = "postgres")]
const SERVER_PATIENCE: Duration = Duration::from_secs(5);

/// At most this many read at once: those behind them get a connection that is open, which on a server is
/// sooner than one of their own.
const READERS: usize = 8;

/// What a commit survives.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// The loss of power.
    #[default]
    Full,
    /// The death of the process, at any instant; the last commits may be lost with the machine.
    Process,
    /// Nothing: everything is in memory.
    None,
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub clock: Clock,
    pub bus: Bus,
    pub durability: Durability,
    /// The namespace that sessions, schedules and queues are in.
    pub namespace: String,
    /// How long an owner keeps its sessions without a sign of life.
    pub lease: Duration,
    /// How long another process may hold the store before a call gives up.
    pub patience: Duration,
}

impl Settings {
    /// The defaults, with this clock and bus.
    pub fn new(clock: Clock, bus: Bus) -> Settings {
        Settings {
            clock,
            bus,
            durability: Durability::Full,
            namespace: "default".to_owned(),
            lease: Duration::from_secs(30),
            patience: PATIENCE,
        }
    }
}

/// Where a store keeps what it is given.
#[derive(Debug)]
enum Place {
    Memory,
    File(PathBuf),
    #[cfg(feature = "postgres")]
    Server(Arc<postgres::Target>),
}

/// The store of a workspace: open until its last user is gone.
pub struct Store {
    place: Place,
    durability: Durability,
    pid: u32,
    patience: Duration,
    around: Around,
    reading: Arc<Semaphore>,
    writer: Arc<Writer>,
    thread: Option<JoinHandle<()>>,
    /// Hears what other processes write.
    #[cfg(feature = "postgres")]
    ear: Option<postgres::Ear>,
    /// Ids of this store's workers count up from its own.
    workers: AtomicI64,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("place", &self.place).finish_non_exhaustive()
    }
}

/// Reads one state of the store.
pub(crate) struct View<'c>(&'c Conn);

impl Store {
    /// Opens what a user has named: a file, or the URL of a PostgreSQL database.
    pub fn named(name: &str, settings: &Settings) -> Result<Store> {
        if !name.starts_with("postgres://") && !name.starts_with("postgresql://") {
            return Store::open(Path::new(name), settings);
        }
        #[cfg(feature = "postgres")]
        return Store::open_server(name, settings);
        #[cfg(not(feature = "postgres"))]
        Err(Error::new(
            "store.unsupported",
            "this build has no PostgreSQL; build it with the feature `postgres`, or name a file",
        ))
    }

    /// Opens a schema on a server, and makes its tables where there are none.
    ///
    /// Errors: `args.invalid` for a URL that cannot be read, `store.unreachable`, `store.unsupported` where
    /// the server cannot keep what is asked of it, `store.not_a_store`, `store.newer`, `store.read_only`.
    #[cfg(feature = "postgres")]
    pub fn open_server(url: &str, settings: &Settings) -> Result<Store> {
        let target = Arc::new(postgres::Target::parse(
            url,
            settings.durability,
            settings.patience.min(SERVER_PATIENCE),
        )?);
        let conn = Conn::Postgres(postgres::writer(&target, fresh_number())?);
        // Several processes may make the same one at the same time.
        conn.begin_write().when("open a namespace")?;
        open::namespace(&conn, &settings.namespace)?;
        conn.commit(false, false).when("open a namespace")?;
        Store::start(conn, Place::Server(target), settings)
    }

    /// Opens the file, and makes it where there is none.
    ///
    /// Errors: `store.not_a_store`, `store.newer`, `store.read_only`, `store.busy` where another
    /// process held it for 15 s, `store.full`, `store.unreachable`.
    pub fn open(path: &Path, settings: &Settings) -> Result<Store> {
        let conn = open::writer(path, settings.durability, settings.patience)?;
        // Absolute, as readers open it later and the process may change its folder.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Store::start(conn, Place::File(path), settings)
    }

    /// A store that keeps everything in memory: nothing outlives it.
    pub fn in_memory(settings: &Settings) -> Result<Store> {
        Store::start(open::memory()?, Place::Memory, settings)
    }

    fn start(conn: Conn, place: Place, settings: &Settings) -> Result<Store> {
        let namespace = open::namespace(&conn, &settings.namespace)?;
        let around = Around {
            clock: settings.clock.clone(),
            bus: settings.bus.clone(),
            me: Identity::current(),
            owner: fresh_number(),
            keeper: Keeper::default(),
            lease: settings.lease,
            namespace,
            owned: Owned::default(),
            work: Arc::new(Notify::new()),
            readers: Arc::default(),
            broken: Arc::default(),
        };
        #[cfg(feature = "postgres")]
        let hearing = match &conn {
            Conn::Sqlite(..) => None,
            Conn::Postgres(link) => Some(link.hearing()),
        };
        let writer = Arc::new(Writer::new(conn, around.clone()));
        #[cfg(feature = "postgres")]
        let ear = hearing.map(|hearing| {
            let (around, writer) = (around.clone(), writer.clone());
            postgres::Ear::open(hearing, move || {
                around.bus.wake();
                around.work.notify_waiters();
                // The writer looks for what was said to its sessions.
                writer.poke();
            })
        });
        #[cfg(feature = "postgres")]
        let ear = ear.transpose().map_err(no_thread)?;
        let writing = writer.clone();
        let thread = std::thread::Builder::new()
            .name("barograph-store".to_owned())
            .spawn(move || writing.run())
            .map_err(no_thread)?;
        let durability = if matches!(place, Place::Memory) { Durability::None } else { settings.durability };
        Ok(Store {
            place,
            durability,
            pid: std::process::id(),
            patience: settings.patience,
            around,
            reading: Arc::new(Semaphore::new(READERS)),
            writer,
            thread: Some(thread),
            #[cfg(feature = "postgres")]
            ear,
            workers: AtomicI64::new(0),
        })
    }

    /// What a commit survives.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    pub(crate) fn namespace(&self) -> i64 {
        self.around.namespace
    }

    /// Keeps the store looking for what other processes write, as long as the answer lives.
    pub(crate) fn watch(&self) -> Watching {
        let watching = self.around.owned.watch();
        // The writer's thread may sleep without a limit.
        self.writer.poke();
        watching
    }

    /// The store's file; `None` in memory and on a server.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            _ => None,
        }
    }

    /// Where it is, for people: a file, or a URL without its password; `None` in memory.
    pub fn shown(&self) -> Option<String> {
        match &self.place {
            Place::Memory => None,
            Place::File(path) => Some(path.display().to_string()),
            #[cfg(feature = "postgres")]
            Place::Server(target) => Some(target.shown().to_owned()),
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.around.clock
    }

    /// Told when tasks may have become ready in this process.
    pub(crate) fn work(&self) -> &Arc<Notify> {
        &self.around.work
    }

    /// An id for a new worker.
    pub(crate) fn worker_id(&self) -> i64 {
        // Random numbers leave the low 20 bits free.
        self.around.owner + 1 + (self.workers.fetch_add(1, Ordering::Relaxed) & 0xF_FFFE)
    }

    /// Notes a session's newest handle, once its claim is on disk.
    pub(crate) fn took_over(&self, session: i64, epoch: i64) -> Arc<Live> {
        self.around.owned.take_over(session, epoch)
    }

    /// Forgets a session's handle, unless a newer one has taken over.
    pub(crate) fn let_go(&self, session: i64, epoch: i64) {
        self.around.owned.let_go(session, epoch);
    }

    /// Looks whether the session still has this owner, and tells it where not. The writer learns so by
    /// itself, but for a second store of this process on the same file, which counts as the same owner.
    ///
    /// Errors: `store.*` where nothing can be said.
    pub(crate) async fn look_for_owner(self: &Arc<Self>, session: i64, epoch: i64) -> Result<()> {
        let owner = self.around.owner;
        if !self.read(move |view| view.owned_by(session, epoch, owner)).await? {
            self.around.owned.lose(session, epoch);
        }
        Ok(())
    }

    /// Lets a worker's lease run out.
    pub(crate) fn forget_lease(&self, lease: i64) {
        self.around.keeper.forget(lease);
    }

    fn submit<T, W>(&self, work: W, then: Option<Then<T>>, reply: Reply<T>) -> Result<()>
    where
        T: Send + 'static,
        W: FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    {
        let job = Box::new(Pending { attach: None, work: Some(work), value: None, then, reply });
        self.send(job)
    }

    fn send(&self, job: Box<dyn Job>) -> Result<()> {
        refuse_forked(self.pid, "store")?;
        self.writer.give(job);
        Ok(())
    }

    /// Runs `work` in the next transaction; the answer comes after its commit. Dropping the future
    /// before the job has begun undoes it, later not.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        settled().await;
        let (reply, answer) = oneshot::channel();
        self.submit(work, None, Reply::Future(reply))?;
        answer.await.unwrap_or_else(|_| Err(Error::new("bug.store", "the store's writer gave no answer")))
    }

    /// As [`write`](Self::write); `then` learns the outcome on the writer's thread, also where the
    /// future was dropped meanwhile.
    pub(crate) async fn write_then<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
        then: impl FnOnce(&Result<T>) + Send + 'static,
    ) -> Result<T> {
        settled().await;
        let (reply, answer) = oneshot::channel();
        self.submit(work, Some(Box::new(then)), Reply::Future(reply))?;
        answer.await.unwrap_or_else(|_| Err(Error::new("bug.store", "the store's writer gave no answer")))
    }

    /// Runs `work` in the next transaction and waits on the calling thread.
    pub(crate) fn write_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = sync_channel(1);
        waiting(|| self.submit(work, None, Reply::Thread(reply)))?;
        answer.recv().unwrap_or_else(|_| Err(Error::new("bug.store", "the store's writer gave no answer")))
    }

    /// As [`write_blocking`](Self::write_blocking), in a transaction of its own that reads `file` as `backup`.
    pub(crate) fn write_beside<T: Send + 'static>(
        &self,
        file: &Path,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = sync_channel(1);
        let attach = Some(file.to_string_lossy().into_owned());
        self.send(Box::new(Pending {
            attach,
            work: Some(work),
            value: None,
            then: None,
            reply: Reply::Thread(reply),
        }))?;
        answer.recv().unwrap_or_else(|_| Err(Error::new("bug.store", "the store's writer gave no answer")))
    }

    /// Runs `work` in one of the next transactions; nobody waits for it.
    pub(crate) fn cast(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<()> + Send + 'static) {
        // Nobody could be told: a lease that is not released runs out.
        let _ = self.submit(work, None, Reply::Nobody);
    }

    /// Reads on a thread for blocking work.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&View<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if matches!(self.place, Place::Memory) {
            return self.write(move |tx| work(&View(tx.conn()))).await;
        }
        refuse_forked(self.pid, "store")?;
        let turn = self.reading.clone().acquire_owned().await;
        let store = self.clone();
        compute(move |_| {
            let read = store.read_blocking(work);
            // Kept until here, whoever still waits for the answer.
            drop(turn);
            read
        })
        .await
    }

    /// Reads on the calling thread.
    pub(crate) fn read_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&View<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if matches!(self.place, Place::Memory) {
            return self.write_blocking(move |tx| work(&View(tx.conn())));
        }
        refuse_forked(self.pid, "store")?;
        self.around.sound()?;
        let kept = self.around.readers().pop();
        let conn = kept.map_or_else(|| self.reader(), Ok)?;
        // One transaction, so that everything that `work` sees belongs together.
        let begun = conn.begin_read().when("begin to read");
        let result = begun.and_then(|()| work(&View(&conn)));
        if conn.rollback().is_err() && conn.in_transaction() {
            // Not to be used again; the next reader opens its own.
            return result;
        }
        let mut readers = self.around.readers();
        match self.around.sound() {
            Err(_) => log::abandon(conn),
            Ok(()) if readers.len() < READERS => readers.push(conn),
            Ok(()) => {}
        }
        result
    }

    fn reader(&self) -> Result<Conn> {
        match &self.place {
            Place::File(path) => open::reader(path, self.patience),
            // What is in memory is read by its one connection.
            Place::Memory => Err(Error::new("bug.store", "a store in memory has no second connection")),
            #[cfg(feature = "postgres")]
            Place::Server(target) => Ok(Conn::Postgres(postgres::reader(target)?)),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let readers = std::mem::take(&mut *self.around.readers());
        let thread = self.thread.take();
        #[cfg(feature = "postgres")]
        let ear = self.ear.take();
        if self.pid != std::process::id() {
            // A forked child has neither the thread nor a right to the parent's connections.
            std::mem::forget((readers, thread, self.writer.clone()));
            #[cfg(feature = "postgres")]
            std::mem::forget(ear);
            return;
        }
        drop(readers);
        #[cfg(feature = "postgres")]
        drop(ear);
        self.writer.close();
        // The writer finishes what waits, then closes the file. It may itself hold the last
        // reference, through a job: then it must not wait for itself.
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

fn no_thread(error: std::io::Error) -> Error {
    Error::new("store.unreachable", "no thread could be started for the store").because(&error)
}

/// A random positive number whose low 20 bits are zero, for leases.
fn fresh_number() -> i64 {
    let id = crate::base::id::random();
    let bits = u64::from_str_radix(&id[..16], 16).unwrap_or(1);
    (bits >> 1) as i64 & !0xF_FFFF
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use rusqlite::params;

    use super::*;

    fn settings() -> Settings {
        Settings::new(Clock::fixed(0), Bus::default())
    }

    fn in_memory() -> Store {
        Store::in_memory(&settings()).unwrap()
    }

    fn count(store: &Store) -> i64 {
        store
            .write_blocking(|tx| {
                tx.prepare("SELECT count(*) FROM queue")?.query_row(params![], |row| row.get(0)).when("count")
            })
            .unwrap()
    }

    #[test]
    fn jobs_of_one_transaction_fail_alone() {
        let store = Arc::new(in_memory());
        // Holds the writer up until the others wait behind it.
        let (go, held) = channel::<()>();
        store.cast(move |_| held.recv().map_err(|_| Error::cancelled()));
        let threads: Vec<_> = (0..9)
            .map(|at| {
                let store = store.clone();
                std::thread::spawn(move || {
                    store.write_blocking(move |tx| {
                        tx.queue(&format!("q{at}"))?;
                        match at % 3 {
                            0 => Ok(at),
                            1 => Err(Error::new("args.invalid", "refused after it wrote")),
                            _ => panic!("after it wrote"),
                        }
                    })
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(50));
        go.send(()).unwrap();
        let mut codes: Vec<String> = threads
            .into_iter()
            .map(|thread| {
                thread.join().unwrap().map_or_else(|error| error.code().to_owned(), |_| "ok".to_owned())
            })
            .collect();
        codes.sort();
        assert_eq!(codes, [["args.invalid"; 3], ["bug.panic"; 3], ["ok"; 3]].concat());
        assert_eq!(count(&store), 3);
    }

    #[test]
    fn a_full_disk_is_told_and_survived() {
        let path = std::env::temp_dir().join(format!("barograph-full-{}.db", std::process::id()));
        let store = Store::open(&path, &settings()).unwrap();
        let limit = |pages: i64| {
            store.write_blocking(move |tx| {
                let sql = format!("PRAGMA max_page_count = {pages}");
                tx.prepare(&sql)?.query_row(params![], |row| row.get::<i64>(0)).when("limit the file")
            })
        };
        let used = limit(1).unwrap();
        let large = || Body::Inline(rusqlite::types::Value::Blob(vec![0; 500_000]));
        let task = move || NewRow {
            name: "t".into(),
            body: large(),
            key: None,
            priority: 0,
            max_attempts: 1,
            delay_ms: 0,
        };
        let enqueue = || store.write_blocking(move |tx| tx.enqueue("q", &[task()]));
        let error = enqueue().unwrap_err();
        assert_eq!((error.code(), error.retryable()), ("store.full", true));
        limit(used + 10_000).unwrap();
        enqueue().unwrap();
        assert_eq!(count(&store), 1);
        drop(store);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_is_opened_with_full_durability() {
        let path = std::env::temp_dir().join(format!("barograph-durable-{}.db", std::process::id()));
        let store = Store::open(&path, &settings()).unwrap();
        let pragma = |name: &str| {
            let sql = format!("PRAGMA {name}");
            store
                .write_blocking(move |tx| {
                    tx.prepare(&sql)?
                        .query_row(params![], |row| row.get::<rusqlite::types::Value>(0))
                        .when("ask")
                })
                .unwrap()
        };
        assert_eq!(pragma("journal_mode"), rusqlite::types::Value::Text("wal".into()));
        assert_eq!(pragma("synchronous"), rusqlite::types::Value::Integer(2));
        assert_eq!(pragma("foreign_keys"), rusqlite::types::Value::Integer(1));
        drop(store);
        // The last one out has moved the log into the file.
        assert!(!path.with_extension("db-wal").exists());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_job_that_fails_takes_no_lease_with_it() {
        let store = in_memory();
        let leases = || {
            store
                .write_blocking(|tx| {
                    let sql = "SELECT count(*) FROM lease";
                    tx.prepare(sql)?.query_row(params![], |row| row.get::<i64>(0)).when("count")
                })
                .unwrap()
        };
        let open = |name: &'static str| {
            store.write_blocking(move |tx| tx.open_session(name, false, &Default::default()))
        };
        let refused = || Error::new("args.invalid", "refused after it wrote");
        // The first job of a store takes its lease, and is undone.
        let undone = store.write_blocking(move |tx| {
            tx.open_session("a", false, &Default::default())?;
            Err::<(), _>(refused())
        });
        assert_eq!(undone.unwrap_err().code(), "args.invalid");
        let found = open("b").unwrap();
        store.took_over(found.id, found.epoch);
        assert_eq!(leases(), 1);
        // A renewal that falls into the transaction of a job that fails.
        store
            .write_blocking(|tx| {
                tx.drop_lease(tx.owner())?;
                tx.keeper().renew_next();
                Ok(())
            })
            .unwrap();
        assert_eq!(open("b").unwrap_err().code(), "session.exists");
        store.around.keeper.forget(store.around.owner);
        assert_eq!(leases(), 1);
    }

    #[test]
    fn a_store_gives_everything_back_when_it_ends() {
        let path = std::env::temp_dir().join(format!("barograph-ends-{}.db", std::process::id()));
        let store = Store::open(&path, &settings()).unwrap();
        store.write_blocking(|tx| tx.open_session("s", false, &NewSession::default())).unwrap();
        drop(store);
        let store = Store::open(&path, &settings()).unwrap();
        let left: i64 = store
            .read_blocking(|view| {
                let sql = "SELECT (SELECT count(*) FROM lease) + (SELECT count(lease) FROM session)";
                view.0
                    .prepare(sql)
                    .and_then(|mut found| found.query_row(params![], |row| row.get(0)))
                    .when("count")
            })
            .unwrap();
        assert_eq!(left, 0);
        drop(store);
        std::fs::remove_file(&path).unwrap();
    }
}
