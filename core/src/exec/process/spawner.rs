//! The thread that all commands of a process are children of.
//!
//! The kernel kills a child when the *thread* that started it ends, so this one lives as long as its
//! process. On Linux it also has a table of open files of its own, empty at first: the pipes of
//! commands and the line to the guard then stay out of the host's table, from where a fork would copy
//! them into a child that keeps them open after its parent's death. In return nothing with an open
//! file may pass between these threads and others, which also means that whoever waits for an answer
//! of theirs is woken without one: a task of our own runtime.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::oneshot;

use super::child::{Group, accompany};
use super::guard::{MARK, Watch, enlist};
use super::{Ended, Order};
use crate::base::id::random;
use crate::base::runtime::PerProcess;

/// A command that runs.
#[derive(Debug)]
pub(super) struct Running {
    /// To end it early.
    pub group: Arc<Group>,
    /// How it ended; comes when nothing of it is left.
    pub ended: oneshot::Receiver<Ended>,
}

struct Request {
    order: Order,
    reply: oneshot::Sender<io::Result<Running>>,
}

/// Starts commands, on a thread of its own.
pub(super) struct Spawner(Sender<Request>);

static SPAWNER: PerProcess<Spawner> = PerProcess::new();

impl Spawner {
    /// This process's spawner.
    pub fn current() -> &'static Spawner {
        SPAWNER.get(|| {
            let (requests, waiting) = channel();
            // Without the thread every request fails, which its caller is told.
            let _ =
                std::thread::Builder::new().name("barograph-spawn".to_owned()).spawn(move || serve(&waiting));
            Spawner(requests)
        })
    }

    /// Starts a command. To be awaited on our own runtime.
    ///
    /// Errors: those of starting it.
    pub async fn start(&self, order: Order) -> io::Result<Running> {
        let (reply, started) = oneshot::channel();
        let gone = || io::Error::other("no thread could be started to run commands");
        self.0.send(Request { order, reply }).map_err(|_| gone())?;
        started.await.map_err(|_| gone())?
    }
}

fn serve(requests: &Receiver<Request>) {
    block_signals();
    #[cfg(target_os = "linux")]
    own_files();
    let watch = Watch::default();
    for Request { order, reply } in requests {
        if let Err(Ok(unwanted)) = reply.send(start(order, &watch)) {
            unwanted.group.kill();
        }
    }
}

fn start(mut order: Order, watch: &Watch) -> io::Result<Running> {
    let input = order.stdin.take();
    let mark = random();
    let mut watched = watch.lock();
    let mut spawned = spawn(&order, input.is_some(), &mark, watched.line()?);
    if spawned.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::EPIPE)) {
        // Somebody has killed the guard.
        watched.renew()?;
        spawned = spawn(&order, input.is_some(), &mark, watched.line()?);
    }
    let mut child = spawned.inspect_err(|_| watched.ended(&mark))?;
    let id = child.id() as i32;
    watched.began(&mark, id);
    drop(watched);
    let group = Arc::new(Group::new(id, mark));
    let ended = accompany(&mut child, input, &group, watch)?;
    Ok(Running { group, ended })
}

fn spawn(order: &Order, input: bool, mark: &str, line: i32) -> io::Result<std::process::Child> {
    let mut command = Command::new(&order.program);
    command
        .args(&order.arguments)
        .envs(order.environment.iter().map(|(name, value)| (name, value)))
        .env(MARK, mark)
        .current_dir(&order.folder)
        .stdin(if input { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let (owner, mark) = (std::process::id(), mark.as_bytes().to_owned());
    // SAFETY: what is called is made for the time between fork and exec.
    unsafe { command.pre_exec(move || enlist(owner, line, &mark)) };
    command.spawn()
}

/// The host's handlers run on the host's threads, and a write to a command that reads no more is an
/// error and not a signal.
fn block_signals() {
    // SAFETY: the set is made here and read by the call alone.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, std::ptr::null_mut());
    }
}

/// Gives this thread, and those that it starts, a table of open files of their own. Where the system
/// refuses, all share the host's; only a host that forks notices.
#[cfg(target_os = "linux")]
fn own_files() {
    use std::os::fd::IntoRawFd;

    // SAFETY: takes numbers only. The table that is emptied is this thread's, which holds nothing.
    let done = unsafe {
        libc::syscall(libc::SYS_close_range, 0 as libc::c_uint, libc::c_uint::MAX, libc::CLOSE_RANGE_UNSHARE)
    };
    if done == 0 {
        // The low numbers stay taken. A pipe that had one of the first three would be closed on the way to
        // a command's own three; and a fork runs the host's own fork handlers, which close the numbers
        // that they know from the host's table (libuv does so with the pipe of its signals).
        let Ok(nothing) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null") else {
            return;
        };
        let nothing = nothing.into_raw_fd();
        // SAFETY: takes numbers only; the copies are closed with the table.
        while (0..TAKEN).contains(&unsafe { libc::fcntl(nothing, libc::F_DUPFD_CLOEXEC, 0) }) {}
    }
}

/// How many of the lowest file numbers commands leave alone: a quarter of what most systems allow.
#[cfg(target_os = "linux")]
const TAKEN: libc::c_int = 256;
