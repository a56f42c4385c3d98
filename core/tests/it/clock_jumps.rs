//! A wall clock that jumps by a day, in either direction: no live owner loses its session by it, and
//! no dead one keeps it.
//!
//! libfaketime (Debian package `faketime`) moves the wall clock of a running process by the offset
//! in a file, and leaves the monotonic clock alone, as the operator of a machine would.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use barograph::blocking::wait;
use barograph::*;

use crate::support::{Folder, child_args, child_in, kill, lines, note, open_with, until};

const LEASE_MS: u64 = 1_000;

fn library() -> Option<PathBuf> {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    let found = folders.iter().map(|folder| Path::new(folder).join("faketime/libfaketimeMT.so.1"));
    let found = found.into_iter().find(|path| path.exists());
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "CI must have the package `faketime`");
    if found.is_none() {
        eprintln!("skipped: the package `faketime` is not installed");
    }
    found
}

fn wall() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

fn session(folder: &Path) -> Result<(Workspace, Session)> {
    let ws = open_with(folder, OpenArgs { lease_ms: LEASE_MS, ..OpenArgs::default() })?;
    let open = SessionOpenArgs { id: "s".into(), resume: true, ..SessionOpenArgs::default() };
    let s = wait(ws.session().open(open))?;
    Ok((ws, s))
}

fn tick(s: &Session) -> Result<()> {
    let start = wait(s.begin(StepBeginArgs { name: "tick".into(), ..StepBeginArgs::default() }))?;
    let token = start.token.unwrap_or_default();
    if start.state == StepState::Run {
        wait(s.finish(StepFinishArgs { token, ..StepFinishArgs::default() }))?;
    }
    Ok(())
}

/// Writes steps until it is told to stop, or loses the session. Each line of its log has its wall
/// clock and the longest time in which it wrote nothing.
#[test]
#[ignore = "a child process of other tests"]
fn child_ticks() {
    let Some((folder, _)) = child_args() else { return };
    let (_ws, s) = session(&folder).unwrap();
    let (mut longest, mut last) = (0, Instant::now());
    while !folder.join("enough").exists() {
        if let Err(error) = tick(&s) {
            return note(&folder, error.code());
        }
        longest = longest.max(last.elapsed().as_millis());
        last = Instant::now();
        note(&folder, &format!("tick {} {longest}", wall()));
        std::thread::sleep(Duration::from_millis(20));
    }
    wait(s.complete(SessionCompleteArgs::default())).unwrap();
    note(&folder, "completed");
}

#[test]
#[ignore = "a child process of other tests"]
fn child_asks() {
    let Some((folder, _)) = child_args() else { return };
    let code = session(&folder).map_or_else(|error| error.code().to_owned(), |_| "got it".to_owned());
    note(&folder, &format!("asked {} {code}", wall()));
}

/// An owner whose wall clock can be moved.
struct Owner {
    folder: Folder,
    life: Child,
    library: PathBuf,
}

impl Owner {
    fn start(library: &Path) -> Owner {
        let folder = Folder::new("clock");
        std::fs::write(folder.path().join("offset"), "+0").unwrap();
        let life = fake(library, "clock_jumps::child_ticks", folder.path());
        let owner = Owner { folder, life, library: library.to_owned() };
        until("the owner writes", || owner.ticks() > 2);
        owner
    }

    fn log(&self) -> Vec<Vec<String>> {
        let log = lines(&self.folder.path().join("log"));
        log.iter().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
    }

    fn ticks(&self) -> usize {
        self.log().iter().filter(|words| words[0] == "tick").count()
    }

    /// Moves its wall clock, and waits until it has seen that.
    fn jump(&self, days: i64) {
        // Moved into place: the library must not read half of it.
        std::fs::write(self.folder.path().join("new"), format!("{days:+}d")).unwrap();
        std::fs::rename(self.folder.path().join("new"), self.folder.path().join("offset")).unwrap();
        until("the owner's clock has jumped", || {
            let log = self.log();
            let last = log.iter().rfind(|words| words[0] == "tick").unwrap();
            (last[1].parse::<i64>().unwrap() - wall() - days * 86_400).abs() < 43_200
        });
    }

    /// What somebody is told who asks for the session, with a clock of the same offset.
    fn asked(&self) -> String {
        let before = self.log().iter().filter(|words| words[0] == "asked").count();
        let mut life = fake(&self.library, "clock_jumps::child_asks", self.folder.path());
        assert!(life.wait().unwrap().success());
        self.log().iter().filter(|words| words[0] == "asked").nth(before).unwrap()[2..].join(" ")
    }

    /// Whether it wrote so regularly that its lease was renewed in time.
    fn was_regular(&self) -> bool {
        let log = self.log();
        let last = log.iter().rfind(|words| words[0] == "tick").unwrap();
        last[2].parse::<u64>().unwrap() < LEASE_MS / 3
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.life.kill();
        let _ = self.life.wait();
    }
}

fn fake(library: &Path, test: &str, folder: &Path) -> Child {
    let environment = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", &folder.join("offset").display().to_string()),
        ("FAKETIME_NO_CACHE", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ];
    child_in(&environment, test, folder, &[])
}

/// Jumps, and for three leases asks for the session: with the same clock and with the real one.
/// `false` where the machine was too slow for the owner to renew its lease in time.
fn keeps_through_jumps(library: &Path) -> bool {
    let mut owner = Owner::start(library);
    for days in [1, -1] {
        owner.jump(days);
        let ticks = owner.ticks();
        let end = Instant::now() + Duration::from_millis(LEASE_MS * 3);
        while Instant::now() < end || owner.ticks() < ticks + 20 {
            for answer in [
                session(owner.folder.path())
                    .map_or_else(|error| error.code().to_owned(), |_| "got it".to_owned()),
                owner.asked(),
            ] {
                if answer != "session.owned" {
                    assert!(!owner.was_regular(), "{answer} after a jump to {days:+} days");
                    return false;
                }
            }
        }
    }
    std::fs::write(owner.folder.path().join("enough"), "").unwrap();
    assert!(owner.life.wait().unwrap().success());
    assert_eq!(owner.log().last().unwrap().join(" "), "completed");
    true
}

#[test]
fn a_live_owner_keeps_its_session_through_jumps_of_a_day() {
    let Some(library) = library() else { return };
    assert!((0..5).any(|_| keeps_through_jumps(&library)), "the machine is too slow for a lease of 1 s");
}

#[test]
fn a_dead_or_stopped_owner_keeps_nothing_by_a_jump_of_a_day() {
    let Some(library) = library() else { return };
    for days in [1, -1] {
        let mut killed = Owner::start(&library);
        killed.jump(days);
        kill(killed.life.id(), "KILL");
        killed.life.wait().unwrap();
        session(killed.folder.path()).unwrap();

        // Alive, and silent for a lease: its clock has jumped since it took the session, and jumps back.
        let mut stopped = Owner::start(&library);
        stopped.jump(days);
        let ticks = stopped.ticks();
        until("the owner has renewed its lease", || stopped.ticks() > ticks + 20);
        kill(stopped.life.id(), "STOP");
        let mut taken = None;
        until("the session is free", || {
            taken = session(stopped.folder.path()).ok();
            taken.is_some()
        });
        kill(stopped.life.id(), "CONT");
        assert!(stopped.life.wait().unwrap().success());
        assert_eq!(stopped.log().last().unwrap().join(" "), "session.lease_lost");
        tick(&taken.unwrap().1).unwrap();
    }
}
