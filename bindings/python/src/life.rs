//! The life of the process: what is under way, its end, and its children.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use barograph::Error;
use barograph::surface::door;
use pyo3::prelude::*;

use crate::error::border;

/// Calls under way in this process.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
/// Whether this process has made a call: a forked child that made none must start nothing at its end.
static USED: AtomicBool = AtomicBool::new(false);
/// How many forks lie between this process and the one that loaded the library: what a call compares, as it
/// costs less than to ask the system who one is.
static FORKS: AtomicU32 = AtomicU32::new(0);
/// Whether the interpreter is about to end.
static ENDED: AtomicBool = AtomicBool::new(false);

/// A call under way, counted until it is dropped.
pub(crate) struct Call(u32);

impl Call {
    pub(crate) fn enter() -> Call {
        if !USED.load(Ordering::Relaxed) {
            USED.store(true, Ordering::Relaxed);
        }
        UNDER_WAY.fetch_add(1, Ordering::AcqRel);
        Call(FORKS.load(Ordering::Acquire))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // A call that was under way at a fork is not one of the child's.
        if self.0 == FORKS.load(Ordering::Acquire) {
            UNDER_WAY.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Whether `shutdown` was called: nothing may touch the interpreter from other threads any more.
pub(crate) fn ended() -> bool {
    ENDED.load(Ordering::Acquire)
}

/// A second import, in a fresh interpreter of the same process, starts over.
pub(crate) fn loaded() {
    ENDED.store(false, Ordering::Release);
}

/// What a call answers when the interpreter ends under it.
pub(crate) fn ending() -> Error {
    Error::new("call.cancelled", "the interpreter is about to exit")
}

/// Cancels every call and closes every handle, then waits up to `wait_ms` for the calls to end.
#[pyfunction]
pub(crate) fn shutdown(py: Python<'_>, wait_ms: u64) -> PyResult<()> {
    border(|| {
        if !USED.load(Ordering::Relaxed) {
            return Ok(());
        }
        ENDED.store(true, Ordering::Release);
        py.detach(|| {
            let end = Instant::now() + Duration::from_millis(wait_ms);
            // Closing can wait for a disk, which must not hold up the exit for longer than asked.
            let closing = std::thread::spawn(door::shutdown);
            while Instant::now() < end && !(closing.is_finished() && UNDER_WAY.load(Ordering::Acquire) == 0) {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Ok(())
    })
}

/// Called in a forked child: the parent's calls are not under way here.
#[pyfunction]
pub(crate) fn forked() {
    FORKS.fetch_add(1, Ordering::AcqRel);
    USED.store(false, Ordering::Release);
    UNDER_WAY.store(0, Ordering::Release);
    ENDED.store(false, Ordering::Release);
}
