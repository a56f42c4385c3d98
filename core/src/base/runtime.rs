//! The one runtime that core owns: tokio for waiting, its blocking pool for work on the processor.
//!
//! After a fork the child has none of the parent's threads. The runtime notices by the process id
//! and starts afresh; what was made before the fork is refused by its owner (`process.forked`).

use std::cell::Cell;
use std::future::Future;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::base::cancel::{CancelOnDrop, CancelToken};
use crate::error::{Error, Result};

/// What belongs to one process: its id and its runtime.
#[derive(Debug)]
pub struct Process {
    pid: u32,
    tokio: tokio::runtime::Runtime,
}

static CURRENT: AtomicPtr<Process> = AtomicPtr::new(std::ptr::null_mut());

impl Process {
    /// This process; made at the first call, and again in a forked child.
    ///
    /// No lock is taken, as a lock that another thread held at the time of the fork stays held.
    pub fn current() -> &'static Process {
        let seen = CURRENT.load(Ordering::Acquire);
        // SAFETY: a non-null pointer comes from `Box::leak` below and is never freed.
        if let Some(process) = unsafe { seen.as_ref() }
            && process.pid == std::process::id()
        {
            return process;
        }
        let fresh: &'static mut Process = Box::leak(Box::new(Process::start()));
        match CURRENT.compare_exchange(seen, fresh, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => fresh,
            // Another thread was first: its runtime serves, ours stays idle.
            // SAFETY: as above.
            Err(other) => unsafe { &*other },
        }
    }

    fn start() -> Process {
        let threads = std::thread::available_parallelism().map_or(2, |count| count.get().clamp(1, 8));
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("barograph")
            .enable_time()
            .build()
            .unwrap_or_else(|error| panic!("no thread could be started: {error}"));
        Process { pid: std::process::id(), tokio }
    }

    /// The process id under which this runtime was made.
    pub fn pid(&self) -> u32 {
        self.pid
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

thread_local! {
    static WAITS: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread does nothing but wait for what is at hand: then it may as well block.
pub fn waits_here() -> bool {
    WAITS.get()
}

/// Runs `work` on a thread that does nothing else meanwhile.
pub fn waiting<T>(work: impl FnOnce() -> T) -> T {
    struct Back(bool);
    impl Drop for Back {
        fn drop(&mut self) {
            WAITS.set(self.0);
        }
    }
    let _back = Back(WAITS.replace(true));
    work()
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
