//! What a command reads and writes, moved without ever waiting for one stream alone.

use std::io::{self, ErrorKind, PipeReader, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use super::{KEEP, Tail};

/// The three streams of a command, from our side.
#[derive(Debug)]
pub(super) struct Streams {
    stdin: Option<ChildStdin>,
    input: Vec<u8>,
    written: usize,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    out: Tail,
    err: Tail,
}

impl Streams {
    /// Takes the streams from `child`; `input` goes to its standard input.
    pub fn new(child: &mut Child, input: Option<Vec<u8>>) -> io::Result<Streams> {
        let streams = Streams {
            stdin: child.stdin.take(),
            input: input.unwrap_or_default(),
            written: 0,
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
            out: Tail::new(KEEP),
            err: Tail::new(KEEP),
        };
        let [stdin, stdout, stderr] = streams.descriptors();
        [stdin, stdout, stderr].into_iter().filter(|&fd| fd >= 0).try_for_each(never_wait)?;
        Ok(streams)
    }

    /// Our ends; -1, which the system leaves alone, where one is closed.
    fn descriptors(&self) -> [RawFd; 3] {
        [
            self.stdin.as_ref().map_or(-1, AsRawFd::as_raw_fd),
            self.stdout.as_ref().map_or(-1, AsRawFd::as_raw_fd),
            self.stderr.as_ref().map_or(-1, AsRawFd::as_raw_fd),
        ]
    }

    /// Moves bytes until the other end of `over` is closed.
    pub fn carry(&mut self, over: &PipeReader) {
        loop {
            self.write();
            let [stdin, stdout, stderr] = self.descriptors();
            let wanted = [
                (over.as_raw_fd(), libc::POLLIN),
                (stdin, libc::POLLOUT),
                (stdout, libc::POLLIN),
                (stderr, libc::POLLIN),
            ];
            let mut polled = wanted.map(|(fd, events)| libc::pollfd { fd, events, revents: 0 });
            // SAFETY: the array lives until the call returns.
            let ready = unsafe { libc::poll(polled.as_mut_ptr(), polled.len() as libc::nfds_t, -1) };
            if ready < 0 {
                if io::Error::last_os_error().kind() == ErrorKind::Interrupted {
                    continue;
                }
                return;
            }
            let [over, _, stdout, stderr] = polled.map(|polled| polled.revents != 0);
            if stdout {
                read(&mut self.stdout, &mut self.out);
            }
            if stderr {
                read(&mut self.stderr, &mut self.err);
            }
            if over {
                return;
            }
        }
    }

    /// Writes what the command takes now; once it has everything, or wants no more, its input ends.
    fn write(&mut self) {
        let Some(stdin) = &mut self.stdin else { return };
        while self.written < self.input.len() {
            match stdin.write(&self.input[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // It reads no more, which is its own affair.
                Err(_) => break,
            }
        }
        self.stdin = None;
    }

    /// Takes what the command had written when it ended, and no more: a process that has left it may
    /// hold the streams open, and write, for ever.
    pub fn drain(&mut self) {
        drain(&mut self.stdout, &mut self.out);
        drain(&mut self.stderr, &mut self.err);
    }

    /// What was kept of standard output and standard error.
    pub fn into_tails(self) -> (Tail, Tail) {
        (self.out, self.err)
    }
}

/// One read; `stream` is closed at its end.
fn read<S: Read>(stream: &mut Option<S>, tail: &mut Tail) -> usize {
    let Some(open) = stream else { return 0 };
    match tail.read(open) {
        Ok(count) if count > 0 => count,
        Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => 0,
        _ => {
            *stream = None;
            0
        }
    }
}

fn drain<S: Read + AsRawFd>(stream: &mut Option<S>, tail: &mut Tail) {
    let Some(open) = stream else { return };
    let mut left: libc::c_int = 0;
    // SAFETY: the number lives until the call returns.
    if unsafe { libc::ioctl(open.as_raw_fd(), libc::FIONREAD, &mut left) } < 0 {
        return;
    }
    let mut left = left as usize;
    while left > 0 {
        match read(stream, tail) {
            0 => return,
            count => left = left.saturating_sub(count),
        }
    }
}

fn never_wait(fd: RawFd) -> io::Result<()> {
    // SAFETY: takes numbers only.
    let failed = unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        flags < 0 || libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) < 0
    };
    if failed { Err(io::Error::last_os_error()) } else { Ok(()) }
}
