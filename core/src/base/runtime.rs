//! The one runtime that core owns: tokio for waiting, its blocking pool for work on the processor.
//!
//! After a fork the child has none of the parent's threads. The runtime notices by the process id
//! and starts afresh; what was made before the fork is refused by its owner (`process.forked`).

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::task::Poll;

use crate::base::cancel::{CancelOnDrop, CancelToken};
use crate::error::{Error, Result};

/// One `T` per process: made at the first call, and again in a forked child.
///
/// No lock is taken, as a lock that another thread held at the time of the fork stays held.
#[derive(Debug)]
pub struct PerProcess<T>(AtomicPtr<(u32, T)>);

impl<T: Send + Sync + 'static> PerProcess<T> {
    /// One that is made by nobody yet.
    pub const fn new() -> Self {
        PerProcess(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// This process's `T`. Where two threads make one at once the first serves, and the other is
    /// never used.
    pub fn get(&self, make: impl FnOnce() -> T) -> &'static T {
        let seen = self.0.load(Ordering::Acquire);
        // SAFETY: a non-null pointer comes from `Box::leak` below and is never freed.
        if let Some((pid, found)) = unsafe { seen.as_ref() }
            && *pid == std::process::id()
        {
            return found;
        }
        let fresh: &'static mut (u32, T) = Box::leak(Box::new((std::process::id(), make())));
        match self.0.compare_exchange(seen, fresh, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => &fresh.1,
            // SAFETY: as above.
            Err(other) => unsafe { &(*other).1 },
        }
    }
}

/// What belongs to one process: its runtime.
#[derive(Debug)]
pub struct Process {
    tokio: tokio::runtime::Runtime,
}

static CURRENT: PerProcess<Process> = PerProcess::new();

impl Process {
    /// This process; made at the first call, and again in a forked child.
    pub fn current() -> &'static Process {
        CURRENT.get(Process::start)
    }

    fn start() -> Process {
        let threads = std::thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 8));
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("barograph")
            .enable_time()
            .build()
            .unwrap_or_else(|error| panic!("no thread could be started: {error}"));
        Process { tokio }
    }

    /// The handle to spawn onto.
    pub fn runtime(&self) -> &tokio::runtime::Runtime {
        &self.tokio
    }
}

/// An error of code `process.forked` where `pid` is not this process.
pub fn refuse_forked(pid: u32, what: &str) -> Result<()> {
    if pid == std::process::id() {
        return Ok(());
    }
    Err(Error::new(
        "process.forked",
        format!(
            "this {what} was opened before the process forked; open a new one in the child, or start workers with spawn"
        ),
    ))
}

/// Runs `work` on a thread for processor-bound or blocking work; dropping the future cancels the
/// token that `work` got. A panic in `work` is an error of code `bug.panic`.
pub async fn compute<T: Send + 'static>(
    work: impl FnOnce(&CancelToken) -> Result<T> + Send + 'static,
) -> Result<T> {
    let token = CancelToken::new();
    let _guard = CancelOnDrop(token.clone());
    let task = Process::current().runtime().spawn_blocking(move || work(&token));
    match task.await {
        Ok(result) => result,
        Err(error) if error.is_panic() => Err(from_panic(error.into_panic().as_ref())),
        Err(_) => Err(Error::cancelled()),
    }
}

/// How much time the calling thread has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// It polls others too.
    Shared,
    /// It does nothing but wait for what is at hand: it may as well block.
    Waits,
    /// It is the host's only one, and has to go on at once.
    Hurries,
}

thread_local! {
    static PACE: Cell<Pace> = const { Cell::new(Pace::Shared) };
}

fn at<T>(pace: Pace, work: impl FnOnce() -> T) -> T {
    struct Back(Pace);
    impl Drop for Back {
        fn drop(&mut self) {
            PACE.set(self.0);
        }
    }
    let _back = Back(PACE.replace(pace));
    work()
}

/// Whether the calling thread does nothing but wait for what is at hand: then it may as well block.
pub fn waits_here() -> bool {
    PACE.get() == Pace::Waits
}

/// Runs `work` on a thread that does nothing else meanwhile.
pub fn waiting<T>(work: impl FnOnce() -> T) -> T {
    at(Pace::Waits, work)
}

/// Polls on a thread that must go on at once: work that would block stops at [`settled`], and is to be
/// polled again elsewhere.
pub fn hurrying<T>(poll: impl FnOnce() -> T) -> T {
    at(Pace::Hurries, poll)
}

/// Goes on where the calling thread does not hurry.
pub async fn settled() {
    poll_fn(|_| if PACE.get() == Pace::Hurries { Poll::Pending } else { Poll::Ready(()) }).await;
}

/// Runs `work` on the runtime, on a thread that may block for as long as a commit takes.
pub fn spawn_waiting(work: impl Future<Output = ()> + Send + 'static) {
    Process::current().runtime().spawn(async move {
        let mut work = std::pin::pin!(work);
        poll_fn(|context| waiting(|| work.as_mut().poll(context))).await;
    });
}

/// Waits for `future` on the calling thread; must not be called from inside the runtime.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    waiting(|| Process::current().runtime().block_on(future))
}

/// The error for a caught panic.
pub fn from_panic(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    Error::new("bug.panic", format!("a defect of the library: {text}; please report it with this message"))
}
