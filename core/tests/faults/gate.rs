//! What a failed sync has left behind is never taken for safe: not by a later sync, not by the next
//! process. The system reports a failed sync once and takes its pages for clean from then on.

use std::path::Path;

use barograph::blocking::wait;
use barograph::*;
use rusqlite::{Connection, ffi};

use crate::check::{Folder, whole};
use crate::disk::Disk;
use crate::model::{difference, observe};
use crate::power::{Loss, left, places, recorded};
use crate::program::{open, program};
use crate::record::{Call, Entry, Fault, Reach, Watch, Which, watch};
use crate::seed::{Budget, Random, seed};

/// Losses that are tried at one place.
const LOSSES: [Loss; 5] = [Loss::All, Loss::None, Loss::Chance(1), Loss::Chance(2), Loss::Chance(4)];

/// A process is killed between a write and its sync; the next one opens the store, shows what it found, and
/// then the power is lost.
#[test]
fn what_an_opening_shows_is_on_disk() {
    let moves = program(2);
    let log = recorded(&moves, false);
    let (folder, copy) = (Folder::new("opened"), Folder::new("copied"));
    let mut places: Vec<usize> =
        places(&log).into_iter().filter(|place| !Disk::after(&log[..*place]).loose().is_empty()).collect();
    let all = places.len();
    Random(seed()).shuffle(&mut places);
    let budget = Budget::of(40);
    let mut done = 0;
    for place in places {
        if budget.is_spent(done) {
            break;
        }
        let mut disk = Disk::after(&log[..place]);
        folder.hold(&left(&disk, Loss::None, 0));
        let watch = watch(folder.path(), disk.seen_names(), disk.next_file());
        let ws = open(folder.path()).unwrap();
        let shown = observe(&ws).unwrap();
        watch.log().iter().for_each(|entry| disk.apply(entry));
        for loss in LOSSES {
            copy.hold(&left(&disk, loss, place as u64));
            let seen = observe(&open(copy.path()).unwrap()).unwrap();
            assert!(
                seen == shown,
                "place {place} of {}, {loss:?}: {}; seed {}",
                log.len(),
                difference(&seen, &shown),
                seed()
            );
            whole(copy.path()).unwrap();
        }
        done += 1;
    }
    eprintln!("killed, opened, power lost: {done} of {all} places, {} losses at each", LOSSES.len());
}

/// The next sync of the store's file fails; its log's do not.
fn file_sync_fails(watch: &Watch) {
    watch.arm(Fault {
        call: Call::Sync,
        which: Which::NextTo("s.db"),
        answer: ffi::SQLITE_IOERR_FSYNC,
        reach: Reach::Nothing,
        lasting: false,
    });
}

/// A reader elsewhere that holds on to what it sees: the log can only be moved up to there.
fn holding(folder: &Path) -> Connection {
    let reader = Connection::open(folder.join("s.db")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema").unwrap();
    reader.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).unwrap();
    reader
}

/// The log is moved in part, without a sync; then the rest is, and the sync that should make sure of both
/// fails. SQLite would move only the rest again.
#[test]
fn a_log_that_could_not_be_moved_is_moved_again_from_its_beginning() {
    let (folder, copy) = (Folder::new("moved"), Folder::new("copied"));
    let watch = watch(folder.path(), Default::default(), 0);
    let mut ws = Some(open(folder.path()).unwrap());
    let result = |at: usize| Payload::json(format!("{at} {}", "x".repeat(1_300_000)));
    let take_up = |ws: &Workspace| {
        wait(ws.session().open(SessionOpenArgs { id: "s".into(), resume: true, ..Default::default() }))
    };
    let step = |session: &Session, at: usize| -> Result<()> {
        let key = Some(at.to_string());
        let args = StepBeginArgs { name: "part".into(), key, ..StepBeginArgs::default() };
        match wait(session.begin(args))?.token {
            None => Ok(()),
            Some(token) => {
                let args = StepFinishArgs { token, result: Some(result(at)), failure: None };
                wait(session.finish(args)).map(|_| ())
            }
        }
    };
    let mut session = Some(take_up(ws.as_ref().unwrap()).unwrap());
    let mut reader = None;
    let mut refused = 0;
    for at in 0..8 {
        match at {
            3 => reader = Some(holding(folder.path())),
            4 => {
                drop(reader.take());
                file_sync_fails(&watch);
            }
            _ => {}
        }
        if let Err(error) = step(session.as_ref().unwrap(), at) {
            assert_eq!(error.code(), "store.unreachable", "{error:?}");
            refused += 1;
            (session, ws) = (None, None);
            let again = ws.insert(open(folder.path()).unwrap());
            step(session.insert(take_up(again).unwrap()), at).unwrap();
        }
    }
    assert!(watch.hit().is_some(), "the log was not moved");
    assert_eq!(refused, 1, "a store whose file could not be synced must say so");
    let disk = Disk::after(&watch.log());
    for loss in LOSSES {
        copy.hold(&left(&disk, loss, 0));
        let told = |text: String| -> ! { panic!("{loss:?}: {text}; seed {}", seed()) };
        let ws = open(copy.path()).unwrap_or_else(|error| told(format!("{error:?}")));
        let shown = wait(ws.session().show(SessionIdArgs { id: "s".into() }))
            .unwrap_or_else(|error| told(format!("{error:?}")));
        let results: Vec<_> = shown.steps.into_iter().filter_map(|step| step.result).collect();
        assert!(results == (0..8).map(result).collect::<Vec<_>>(), "{loss:?}: {} results", results.len());
        whole(copy.path()).unwrap_or_else(|text| told(text));
    }
}

/// The same with SQLite alone: the model must see the loss that the product is guarded against.
#[test]
fn the_model_sees_what_sqlite_alone_would_lose() {
    let (folder, copy) = (Folder::new("alone"), Folder::new("copied"));
    let watch = watch(folder.path(), Default::default(), 0);
    let conn = Connection::open(folder.path().join("s.db")).unwrap();
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    conn.execute_batch("PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)")
        .unwrap();
    let mut reader = None;
    for at in 0..8 {
        match at {
            3 => reader = Some(holding(folder.path())),
            4 => {
                drop(reader.take());
                file_sync_fails(&watch);
            }
            _ => {}
        }
        conn.execute("INSERT INTO t (body) VALUES (?1)", [format!("{at} {}", "x".repeat(1_300_000))])
            .unwrap();
    }
    assert!(watch.hit().is_some(), "the log was not moved");
    let disk = Disk::after(&watch.log());
    copy.hold(&left(&disk, Loss::All, 0));
    let whole = whole(copy.path());
    assert!(whole.is_err(), "nothing was lost");
}

/// A disk that answers a sync and does not do it: whatever was answered is lost, and the checks must say so.
#[test]
fn a_disk_that_lies_is_found_out() {
    let moves = program(2);
    let log = recorded(&moves, true);
    let copy = Folder::new("copied");
    let stood = |place: usize| log[..place].iter().filter(|entry| matches!(entry, Entry::Stood(_))).count();
    let mut count = 0;
    for place in places(&log).into_iter().filter(|place| stood(*place) >= 2).step_by(7) {
        let progress = crate::power::progress(&log[..place]);
        copy.hold(&left(&Disk::after(&log[..place]), Loss::All, 0));
        let verdict = crate::check::stands(copy.path(), &moves, progress);
        assert!(verdict.is_err(), "place {place}: the loss of everything was not seen");
        count += 1;
    }
    assert!(count > 10);
}

/// A single write of the log that got lost although it was synced.
#[test]
fn a_single_lost_write_is_found_out() {
    let moves = program(2);
    let log = recorded(&moves, true);
    let copy = Folder::new("copied");
    // The last answer of the first life, when all of its log was needed.
    let place = log.iter().position(|entry| matches!(entry, Entry::Stood(11))).unwrap() + 1;
    let disk = Disk::after(&log[..place]);
    let progress = crate::power::progress(&log[..place]);
    let wal = disk.seen_names()["s.db-wal"];
    let writes =
        log[..place].iter().filter(|entry| matches!(entry, Entry::Write { file, .. } if *file == wal));
    let writes = writes.count();
    let all = disk.loose().len();
    let found = (0..all).filter(|lost| {
        copy.hold(&left(&disk, Loss::One(*lost), 0));
        crate::check::stands(copy.path(), &moves, progress).is_err()
    });
    let found = found.count();
    eprintln!("a single lost write: {found} of {all} are missed, {writes} of them are of the log");
    assert!(writes > 50 && found >= writes, "{found} of {writes}");
}
