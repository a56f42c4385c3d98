//! The store's file: what is refused and why, and many processes at once.

use std::path::Path;
use std::time::{Duration, Instant};

use barograph::blocking::wait;
use barograph::*;
use rusqlite::Connection;

use crate::support::{Folder, child, child_args, open};

fn refused(path: &Path) -> Error {
    let args = OpenArgs {
        path: std::env::temp_dir().display().to_string(),
        store: Some(path.display().to_string()),
        ..OpenArgs::default()
    };
    wait(Workspace::open(args)).unwrap_err()
}

fn session(ws: &Workspace, id: &str) -> Result<Session> {
    wait(ws.session().open(SessionOpenArgs { id: id.into(), resume: true, ..Default::default() }))
}

#[test]
fn files_of_others_are_refused_and_left_as_they_were() {
    let folder = Folder::new("others");
    let path = folder.store();
    for garbage in [
        vec![0x55u8; 40_000],
        vec![0x55; 600],
        vec![0; 512],
        b"SQLite format 3\0 but no more".to_vec(),
        b"x".to_vec(),
    ] {
        std::fs::write(&path, &garbage).unwrap();
        let error = refused(&path);
        assert_eq!((error.code(), error.kind()), ("store.not_a_store", Kind::Corrupt), "{error:?}");
        assert_eq!(std::fs::read(&path).unwrap(), garbage);
    }
    std::fs::remove_file(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE mine (x); INSERT INTO mine VALUES (1)").unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = refused(&path);
    assert_eq!(error.code(), "store.not_a_store");
    assert!(error.message().contains("another program"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before, "not even the journal mode");
    assert_eq!(refused(folder.path()).code(), "store.not_a_store");
}

#[test]
fn a_newer_store_is_refused_by_number() {
    let folder = Folder::new("newer");
    drop(folder.open());
    Connection::open(folder.store()).unwrap().execute_batch("PRAGMA user_version = 77").unwrap();
    let error = refused(&folder.store());
    assert_eq!((error.code(), error.kind()), ("store.newer", Kind::Unsupported));
    assert_eq!(error.context()["version"], "77");
    assert!(error.message().contains("77"), "{error}");
}

#[test]
fn a_store_that_cannot_be_written_or_made_says_why() {
    // Not even the superuser can make files here.
    let error = refused(Path::new("/sys/barograph.db"));
    assert_eq!((error.code(), error.kind()), ("store.read_only", Kind::Unavailable), "{error:?}");
    let error = refused(Path::new("/no/such/folder/s.db"));
    assert_eq!(error.code(), "store.unreachable");
    assert!(error.message().contains("/no/such/folder"), "{error}");
    // A file without the right to write; the superuser has it anyway.
    let folder = Folder::new("mode");
    drop(folder.open());
    let mut mode = std::fs::metadata(folder.store()).unwrap().permissions();
    mode.set_readonly(true);
    std::fs::set_permissions(folder.store(), mode).unwrap();
    if std::fs::OpenOptions::new().append(true).open(folder.store()).is_err() {
        assert_eq!(refused(&folder.store()).code(), "store.read_only");
    }
}

#[test]
fn a_store_that_another_holds_is_busy_and_then_goes_on() {
    let folder = Folder::new("busy");
    let ws = folder.open();
    let fresh = folder.path().join("fresh.db");
    let (holder, other) = (Connection::open(folder.store()).unwrap(), Connection::open(&fresh).unwrap());
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // Both at once, as each takes the whole of the store's patience.
    let opening = std::thread::spawn(move || refused(&fresh));
    let start = Instant::now();
    let error = session(&ws, "s").unwrap_err();
    assert_eq!((error.code(), error.kind(), error.retryable()), ("store.busy", Kind::Timeout, true));
    assert!(start.elapsed() >= Duration::from_secs(4));
    assert_eq!(opening.join().unwrap().code(), "store.busy");
    holder.execute_batch("COMMIT").unwrap();
    session(&ws, "s").unwrap();
}

#[test]
#[ignore = "a child process of other tests"]
fn child_opens() {
    let Some((folder, args)) = child_args() else { return };
    let ws = open(&folder).unwrap();
    for at in 0..5 {
        session(&ws, &format!("{}-{at}", args[0])).unwrap();
    }
}

#[test]
fn many_processes_make_one_store() {
    let folder = Folder::new("race");
    let children: Vec<_> =
        (0..8).map(|at| child("store::child_opens", folder.path(), &[&at.to_string()])).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let ws = folder.open();
    let all = wait(ws.session().list(SessionListArgs { limit: 1000, ..Default::default() })).unwrap();
    assert_eq!(all.sessions.len(), 40);
}

/// Closing any handle of a file drops all locks that the process has on it (POSIX), and SQLite's lock is
/// what tells other processes that the store is in use.
#[cfg(target_os = "linux")]
#[test]
fn opening_a_store_again_keeps_the_lock_of_the_first() {
    let folder = Folder::new("locks");
    let _first = folder.open();
    let inode = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(folder.store()).unwrap());
    let locked = || {
        let locks = std::fs::read_to_string("/proc/locks").unwrap();
        locks.lines().filter(|line| line.contains(&format!(":{inode} "))).count()
    };
    assert_eq!(locked(), 1);
    let _second = folder.open();
    assert_eq!(locked(), 1, "the second opening took the lock away");
}

#[test]
fn a_file_is_as_durable_as_it_says_and_stays_small() {
    let folder = Folder::new("small");
    let ws = folder.open();
    assert_eq!(wait(ws.info(NoArgs {})).unwrap().durability, Durability::Full);
    let s = session(&ws, "s").unwrap();
    let size = || {
        let other = Connection::open(folder.store()).unwrap();
        other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        std::fs::metadata(folder.store()).unwrap().len()
    };
    let before = size();
    let steps = 2_000u64;
    for _ in 0..steps {
        let token = wait(s.begin(StepBeginArgs { name: "noop".into(), ..Default::default() })).unwrap().token;
        wait(s.finish(StepFinishArgs { token: token.unwrap(), ..Default::default() })).unwrap();
    }
    let each = (size() - before) / steps;
    assert!(each <= 90, "{each} bytes on disk for each step");
}
