//! Ctrl-C: the first one asks the operation to stop, the second one ends the process at once.

use std::sync::atomic::{AtomicU32, Ordering};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// What SIGINT does while this lives; what was there before comes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Interrupt {
    #[cfg(unix)]
    before: libc::sighandler_t,
}

#[cfg(unix)]
extern "C" fn count(_: libc::c_int) {
    if COUNT.fetch_add(1, Ordering::SeqCst) > 0 {
        // SAFETY: `_exit` may be called from a signal handler.
        unsafe { libc::_exit(130) };
    }
}

impl Interrupt {
    /// Gives SIGINT back to the system, which ends the process: the host of an interpreter only
    /// takes note of it, and a wait for input would never end.
    #[cfg(unix)]
    pub(crate) fn release() -> Interrupt {
        Interrupt::set(libc::SIG_DFL)
    }

    /// Takes over SIGINT: from now on it is counted.
    #[cfg(unix)]
    pub(crate) fn watch() -> Interrupt {
        COUNT.store(0, Ordering::SeqCst);
        Interrupt::set(count as extern "C" fn(libc::c_int) as libc::sighandler_t)
    }

    /// Sets what SIGINT does, unless it is ignored: a shell's background job must stay one.
    #[cfg(unix)]
    fn set(action: libc::sighandler_t) -> Interrupt {
        // SAFETY: the action is the default or a handler that touches an atomic and `_exit` only,
        // both allowed in a handler.
        let before = unsafe { libc::signal(libc::SIGINT, action) };
        if before == libc::SIG_IGN {
            // SAFETY: puts back what was there.
            unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
        }
        Interrupt { before }
    }

    /// Elsewhere the system's own way stays in force.
    #[cfg(not(unix))]
    pub(crate) fn release() -> Interrupt {
        Interrupt {}
    }

    /// Elsewhere the system's own way stays in force.
    #[cfg(not(unix))]
    pub(crate) fn watch() -> Interrupt {
        Interrupt {}
    }

    /// Whether Ctrl-C was pressed.
    pub(crate) fn pressed(&self) -> bool {
        COUNT.load(Ordering::SeqCst) > 0
    }
}

#[cfg(unix)]
impl Drop for Interrupt {
    fn drop(&mut self) {
        if self.before != libc::SIG_ERR {
            // SAFETY: `before` is what `signal` gave back.
            unsafe { libc::signal(libc::SIGINT, self.before) };
        }
    }
}
