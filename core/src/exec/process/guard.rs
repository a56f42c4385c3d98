//! The guard: a shell that outlives its owner for as long as it takes to kill what the owner ran.
//!
//! The kernel kills a child with its parent where asked to, but not the children of that child. So one
//! small process per owner reads what runs, and at the end of its input kills whatever still does.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The variable in a command's environment that tells its processes from all others.
pub(super) const MARK: &str = "BAROGRAPH_COMMAND";

const SCRIPT: &str = include_str!("guard.sh");

/// The longest line that a child says of itself: word, mark, process id.
const LINE: usize = 64;

/// What runs and who watches over it, shared by the threads of one owner.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch(Arc<Mutex<Watched>>);

#[derive(Debug, Default)]
pub(super) struct Watched {
    guard: Option<Guard>,
    /// Process groups that have not ended, by mark.
    live: BTreeMap<String, i32>,
}

#[derive(Debug)]
struct Guard {
    process: Child,
    socket: UnixStream,
}

impl Watch {
    /// The guard's line must stay as it is while a child is on its way, so a spawn holds this.
    pub fn lock(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    /// Where a child says that it runs; starts a guard where there is none.
    pub fn line(&mut self) -> io::Result<RawFd> {
        if self.guard.is_none() {
            self.renew()?;
        }
        match &self.guard {
            Some(guard) => Ok(guard.socket.as_raw_fd()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Puts a new guard in the place of one that does not read any more.
    pub fn renew(&mut self) -> io::Result<()> {
        if let Some(mut old) = self.guard.take() {
            let _ = old.process.kill();
            let _ = old.process.wait();
        }
        let guard = start()?;
        for (mark, group) in &self.live {
            say(guard.socket.as_raw_fd(), format!("run {mark} {group}\n").as_bytes())?;
        }
        self.guard = Some(guard);
        Ok(())
    }

    /// A child has told the guard of itself and runs.
    pub fn began(&mut self, mark: &str, group: i32) {
        self.live.insert(mark.to_owned(), group);
    }

    /// Nothing of the command is left, or it never ran.
    pub fn ended(&mut self, mark: &str) {
        self.live.remove(mark);
        let told = self
            .guard
            .as_ref()
            .map(|guard| say(guard.socket.as_raw_fd(), format!("end {mark}\n").as_bytes()));
        // A guard that cannot be told might kill a stranger in the end: another takes its place, now or
        // with the next command.
        if let Some(Err(_)) = told {
            let _ = self.renew();
        }
    }
}

fn start() -> io::Result<Guard> {
    let (socket, input) = UnixStream::pair()?;
    #[cfg(not(target_os = "linux"))]
    no_signal(&socket)?;
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", SCRIPT])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir("/")
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(input)))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // SAFETY: both calls are safe between fork and exec.
    unsafe { command.pre_exec(|| unmask().and_then(|()| leave_terminal())) };
    let process = command.spawn().map_err(|error| {
        io::Error::new(error.kind(), format!("/bin/sh, which watches over commands, did not start: {error}"))
    })?;
    Ok(Guard { process, socket })
}

/// What a child does between fork and exec: it makes sure that it will not outlive `owner`, then
/// says its group and mark to the guard, so that it is known before it is anything else.
///
/// Everything here is safe between fork and exec: no memory is asked for, no lock taken.
pub(super) fn enlist(owner: u32, line: RawFd, mark: &[u8]) -> io::Result<()> {
    unmask()?;
    #[cfg(target_os = "linux")]
    {
        // SAFETY: takes numbers only.
        if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    // The owner may have ended before the line above: then nobody will send that signal.
    // SAFETY: takes nothing.
    if unsafe { libc::getppid() } as u32 != owner {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    leave_terminal()?;
    let mut text = [0u8; LINE];
    let mut length = 0;
    let mut digits = [0u8; 10];
    let mut first = digits.len();
    let mut rest = std::process::id();
    while rest > 0 {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    for part in [b"run ", mark, b" ", &digits[first..], b"\n"] {
        text[length..length + part.len()].copy_from_slice(part);
        length += part.len();
    }
    say(line, &text[..length])
}

/// A session of its own: one process group to kill, and no terminal to be stopped by.
fn leave_terminal() -> io::Result<()> {
    // SAFETY: takes nothing.
    if unsafe { libc::setsid() } < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Signals arrive as they would anywhere: our threads block them all, and a child inherits that.
fn unmask() -> io::Result<()> {
    // SAFETY: the set is made here and read by the call alone.
    let failed = unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::pthread_sigmask(libc::SIG_SETMASK, &none, std::ptr::null_mut())
    };
    if failed == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(failed)) }
}

/// Writes one line whole, never waiting: a guard that does not read is as good as none.
fn say(line: RawFd, text: &[u8]) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    const FLAGS: libc::c_int = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    #[cfg(not(target_os = "linux"))]
    const FLAGS: libc::c_int = libc::MSG_DONTWAIT;
    // SAFETY: the bytes live until the call returns.
    let sent = unsafe { libc::send(line, text.as_ptr().cast(), text.len(), FLAGS) };
    // One number stands for whatever failed, as a number is all that a child can tell its parent.
    if sent == text.len() as isize { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::EPIPE)) }
}

/// Where a send has no flag for it, the socket itself is told to raise no signal.
#[cfg(not(target_os = "linux"))]
fn no_signal(socket: &UnixStream) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the number lives until the call returns.
    let failed = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NOSIGPIPE,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if failed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
