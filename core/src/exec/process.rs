//! The only place that starts processes.

use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::base::cancel::CancelToken;
use crate::error::{Error, Result};

/// How often a running process is looked at.
const POLL: Duration = Duration::from_millis(10);

/// At most this much of what a process says is kept: its end.
const KEEP: usize = 16 << 10;

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// The end of what it wrote to its standard error stream.
    pub stderr: String,
}

/// Runs `program` in `folder` to its end, with no input and its output thrown away; once the token
/// is set the process is killed.
///
/// Errors: `std::io::Error` where it cannot be started or waited for, as the `Ok` of the outer
/// result; `call.cancelled`.
pub(crate) fn run(
    program: &str,
    arguments: &[&str],
    folder: &Path,
    environment: &[(&str, &str)],
    cancel: &CancelToken,
) -> Result<std::io::Result<Ended>> {
    cancel.check()?;
    let started = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return Ok(Err(error)),
    };
    let pipe = child.stderr.take();
    // Read on a thread of its own: a full pipe would stop the process.
    let reader = std::thread::spawn(move || pipe.map(read_end).unwrap_or_default());
    loop {
        match child.try_wait() {
            Ok(None) if cancel.is_cancelled() => {
                let _ = child.kill();
                let _ = child.wait();
                // Not joined: a grandchild may hold the pipe open.
                return Err(Error::cancelled());
            }
            Ok(None) => std::thread::sleep(POLL),
            Ok(Some(status)) => {
                let stderr = reader.join().unwrap_or_default();
                return Ok(Ok(Ended { status, stderr }));
            }
            Err(error) => {
                let _ = child.kill();
                return Ok(Err(error));
            }
        }
    }
}

fn read_end(mut pipe: impl Read) -> String {
    let mut kept = Vec::new();
    let mut block = [0u8; 4096];
    while let Ok(count @ 1..) = pipe.read(&mut block) {
        kept.extend_from_slice(&block[..count]);
        if kept.len() > 2 * KEEP {
            kept.drain(..kept.len() - KEEP);
        }
    }
    let from = kept.len().saturating_sub(KEEP);
    String::from_utf8_lossy(&kept[from..]).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_says_and_how_it_ends_is_seen() {
        let here = Path::new(".");
        let ended =
            run("sh", &["-c", "echo $WORD >&2; cat; exit 3"], here, &[("WORD", "no")], &CancelToken::new());
        let ended = ended.unwrap().unwrap();
        assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(3), "no"));
        assert!(run("no-such-program-here", &[], here, &[], &CancelToken::new()).unwrap().is_err());
    }

    #[test]
    fn a_cancelled_process_is_killed() {
        let token = CancelToken::new();
        let other = token.clone();
        let started = std::time::Instant::now();
        let thread = std::thread::spawn(move || run("sleep", &["30"], Path::new("."), &[], &other));
        std::thread::sleep(Duration::from_millis(50));
        token.cancel();
        assert_eq!(thread.join().unwrap().unwrap_err().code(), "call.cancelled");
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}
