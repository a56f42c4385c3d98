//! The only place that starts processes.
//!
//! A command is a tree of processes that must not outlive its owner. Each has a session and process
//! group of its own, all are children of one thread that lives as long as the owner (see
//! [`spawner`]), and three things end them: the kernel kills the first process when the owner ends;
//! the [`guard`] then kills the group, and what has left it; and while the owner lives it does both
//! itself, when it is told to stop or the first process has ended. A process escapes only if it leaves
//! its group *and* clears its environment.

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod guard;
#[cfg(unix)]
mod spawner;
#[cfg(unix)]
mod streams;
mod tail;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) use tail::Tail;

use super::worker::sleep;
use crate::base::cancel::{CancelOnDrop, CancelToken};
use crate::base::runtime::Process;

/// At most this much of each stream is kept: its end, in bytes.
pub(crate) const KEEP: usize = 64 << 10;

/// How long a command that was asked to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// What is to be run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    /// A path, or a name that is looked for in `PATH`.
    pub program: String,
    pub arguments: Vec<String>,
    /// The working folder; a program with a relative path lies below it.
    pub folder: PathBuf,
    /// Added to the environment of this process.
    pub environment: Vec<(String, String)>,
    /// The whole standard input; `None` for an empty one.
    pub stdin: Option<Vec<u8>>,
    /// How long it may run.
    pub timeout: Option<Duration>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit status; `None` where a signal ended it.
    pub status: Option<i32>,
    /// The signal that ended it. Neither is known where another part of the host took the status.
    pub signal: Option<i32>,
    pub stdout: Tail,
    pub stderr: Tail,
    pub took: Duration,
}

/// Who may end a command early.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    /// It is asked to end, and killed after two seconds.
    pub gently: CancelToken,
    /// It is killed at once.
    pub at_once: CancelToken,
}

/// Why a command was ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Gently,
    AtOnce,
    TimedOut,
}

/// Runs a command to its end, and says whether it was ended early; dropping the future ends it gently.
/// When this returns, nothing of its group is left.
///
/// Errors: those of starting it.
pub(crate) async fn run(order: Order, stop: Stop) -> io::Result<(Ended, Option<Cut>)> {
    let dropped = CancelToken::new();
    let _guard = CancelOnDrop(dropped.clone());
    // A task of its own, so that an end that has begun is carried through whether or not anyone waits.
    let task = Process::current().runtime().spawn(accompanied(order, stop, dropped));
    task.await.unwrap_or_else(|_| Err(lost()))
}

#[cfg(unix)]
async fn accompanied(order: Order, stop: Stop, dropped: CancelToken) -> io::Result<(Ended, Option<Cut>)> {
    let timeout = order.timeout;
    let spawner::Running { group, mut ended } = spawner::Spawner::current().start(order).await?;
    let late = async {
        match timeout {
            Some(timeout) => sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    let cut = tokio::select! {
        biased;
        ended = &mut ended => return Ok((ended.map_err(|_| lost())?, None)),
        () = stop.at_once.cancelled() => Cut::AtOnce,
        () = stop.gently.cancelled() => Cut::Gently,
        () = dropped.cancelled() => Cut::Gently,
        () = late => Cut::TimedOut,
    };
    if cut != Cut::AtOnce {
        group.terminate();
        tokio::select! {
            ended = &mut ended => return Ok((ended.map_err(|_| lost())?, Some(cut))),
            () = stop.at_once.cancelled() => {}
            () = sleep(GRACE) => {}
        }
    }
    group.kill();
    Ok((ended.await.map_err(|_| lost())?, Some(cut)))
}

#[cfg(not(unix))]
async fn accompanied(_: Order, _: Stop, _: CancelToken) -> io::Result<(Ended, Option<Cut>)> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "on this system no process can be made to end with its owner",
    ))
}

fn lost() -> io::Error {
    io::Error::other("a thread that accompanied the command ended before it")
}

#[cfg(all(test, unix))]
mod tests;
