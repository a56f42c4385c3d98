//! One running command: what it reads and writes, how it is ended, how it ends.

use std::io::{self, ErrorKind, PipeWriter};
use std::os::unix::process::ExitStatusExt;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::Ended;
use super::guard::Watch;
use super::streams::Streams;
use crate::base::clock::instant;

/// A command's process group, for as long as its number is its own.
#[derive(Debug)]
pub(super) struct Group {
    id: i32,
    /// What stands in the environment of its processes.
    mark: String,
    /// It was told to end: nothing that carries its mark may go on.
    forced: AtomicBool,
    /// Its first process was waited for: the system may give the number to another.
    gone: Mutex<bool>,
}

impl Group {
    pub fn new(id: i32, mark: String) -> Group {
        Group { id, mark, forced: AtomicBool::new(false), gone: Mutex::new(false) }
    }

    /// Asks every process of the group to end.
    pub fn terminate(&self) {
        self.forced.store(true, Ordering::Release);
        self.signal(libc::SIGTERM);
    }

    /// Ends every process of the group.
    pub fn kill(&self) {
        self.forced.store(true, Ordering::Release);
        self.signal(libc::SIGKILL);
    }

    fn signal(&self, signal: libc::c_int) {
        let gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        if !*gone {
            // SAFETY: takes numbers only. A group without a process left is no failure.
            unsafe { libc::kill(-self.id, signal) };
        }
    }

    /// Waits until the first process has ended, and leaves it as it is: its number stays taken.
    fn wait(&self) {
        loop {
            // SAFETY: the structure is made here, for the call to write.
            let failed = unsafe {
                let mut info: libc::siginfo_t = std::mem::zeroed();
                libc::waitid(libc::P_PID, self.id as libc::id_t, &mut info, libc::WEXITED | libc::WNOWAIT)
            };
            // Where it is not ours to wait for, somebody else has done so: it has ended, too.
            if failed == 0 || io::Error::last_os_error().kind() != ErrorKind::Interrupted {
                return;
            }
        }
    }

    /// Takes the first process's exit status and signal; from then on the number means nothing.
    fn bury(&self) -> (Option<i32>, Option<i32>) {
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        *gone = true;
        let mut raw = 0;
        loop {
            // SAFETY: the number lives until the call returns.
            let found = unsafe { libc::waitpid(self.id, &mut raw, 0) };
            if found == self.id {
                let status = std::process::ExitStatus::from_raw(raw);
                return (status.code(), status.signal());
            }
            if io::Error::last_os_error().kind() != ErrorKind::Interrupted {
                return (None, None);
            }
        }
    }

    /// Ends what has left the group and still carries its mark.
    #[cfg(target_os = "linux")]
    fn kill_strays(&self) {
        let wanted = format!("{}={}", super::guard::MARK, self.mark);
        let marked = |pid: &i32| {
            std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
                environment.split(|&byte| byte == 0).any(|word| word == wanted.as_bytes())
            })
        };
        // Again until none is found, as one may have started another meanwhile; not for ever, as one
        // may hang in the system where no signal reaches it.
        for _ in 0..50 {
            let Ok(processes) = std::fs::read_dir("/proc") else { return };
            let numbers = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
            let found: Vec<i32> = numbers.filter(marked).collect();
            if found.is_empty() {
                return;
            }
            for pid in found {
                // SAFETY: takes numbers only.
                unsafe { libc::kill(pid, libc::SIGKILL) };
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn kill_strays(&self) {}
}

/// Accompanies a command on two threads of its own: one waits in the kernel for its end, one moves its
/// bytes. So nothing is polled and no thread of the runtime is held, on every Unix in the same way.
pub(super) fn accompany(
    child: &mut Child,
    input: Option<Vec<u8>>,
    group: &Arc<Group>,
    watch: &Watch,
) -> io::Result<oneshot::Receiver<Ended>> {
    let begun = instant();
    let (reply, ended) = oneshot::channel();
    let started = Streams::new(child, input).and_then(|mut streams| {
        let (over, ends) = io::pipe()?;
        let waited = group.clone();
        thread(move || end_of(&waited, ends))?;
        let (group, watch) = (group.clone(), watch.clone());
        thread(move || {
            streams.carry(&over);
            let took = begun.elapsed();
            // What is left of the group has nothing more to add to the result.
            group.signal(libc::SIGKILL);
            streams.drain();
            if group.forced.load(Ordering::Acquire) {
                group.kill_strays();
            }
            watch.lock().ended(&group.mark);
            let (status, signal) = group.bury();
            let (stdout, stderr) = streams.into_tails();
            let _ = reply.send(Ended { status, signal, stdout, stderr, took });
        })
    });
    if let Err(error) = started {
        group.kill();
        watch.lock().ended(&group.mark);
        group.bury();
        return Err(error);
    }
    Ok(ended)
}

fn thread(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name("barograph-child".to_owned()).spawn(work).map(drop)
}

/// Closes `ends`, which wakes who reads at its other end, once the command has ended.
fn end_of(group: &Group, ends: PipeWriter) {
    group.wait();
    drop(ends);
}
