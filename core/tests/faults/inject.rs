//! The disk is full or fails at one call after the other.

use std::collections::BTreeMap;

use barograph::Kind;
use rusqlite::ffi;

use crate::check::{Folder, Progress, ended, fits, goes_on, whole};
use crate::disk::{Disk, Image};
use crate::model::{Seen, difference, expected, observe};
use crate::power::{Loss, left};
use crate::program::{Life, Move, open, program, resume};
use crate::record::{Call, Entry, Fault, Reach, Watch, Which, watch};
use crate::seed::{Budget, Random, seed};

/// What the program does when a call has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// It tries the same again.
    TryAgain,
    /// It closes everything and opens it again.
    OpenAgain,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    fault: Fault,
    after: After,
}

/// Every way in which a call can fail: which call, what SQLite is told, and what is done nevertheless.
const WAYS: &[(Call, i32, Reach)] = &[
    (Call::Write, ffi::SQLITE_FULL, Reach::Nothing),
    (Call::Write, ffi::SQLITE_FULL, Reach::Half),
    (Call::Write, ffi::SQLITE_IOERR_WRITE, Reach::Nothing),
    (Call::Write, ffi::SQLITE_IOERR_WRITE, Reach::Whole),
    (Call::Sync, ffi::SQLITE_IOERR_FSYNC, Reach::Nothing),
    (Call::Truncate, ffi::SQLITE_IOERR_TRUNCATE, Reach::Nothing),
    (Call::Open, ffi::SQLITE_CANTOPEN, Reach::Nothing),
    (Call::Delete, ffi::SQLITE_IOERR_DELETE, Reach::Nothing),
    (Call::Map, ffi::SQLITE_IOERR_SHMSIZE, Reach::Nothing),
    (Call::Read, ffi::SQLITE_IOERR_READ, Reach::Nothing),
];

/// All cases of a program; how often each call is made is counted in a run without faults.
fn cases(moves: &[Move]) -> Vec<Case> {
    let folder = Folder::new("counted");
    let watch = watch(folder.path(), Default::default(), 0);
    Life::new(folder.path(), moves).go(0, &watch).unwrap();
    let mut cases = Vec::new();
    for &(call, answer, reach) in WAYS {
        for nth in 0..watch.count(call) {
            for (lasting, after) in [
                (false, After::TryAgain),
                (false, After::OpenAgain),
                (true, After::TryAgain),
                (true, After::OpenAgain),
            ] {
                // Only what writes can last: a disk that is full is read as before.
                if !lasting || matches!(call, Call::Write | Call::Sync) {
                    cases.push(Case {
                        fault: Fault { call, which: Which::Nth(nth), answer, reach, lasting },
                        after,
                    });
                }
            }
        }
    }
    cases
}

/// The files as they are, without the memory that processes share: what is found when the process is killed.
fn files(folder: &Folder) -> Image {
    let mut image = Image::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().to_string_lossy().into_owned();
        if !name.ends_with("-shm") {
            image.insert(name, std::fs::read(file.path()).unwrap());
        }
    }
    image
}

/// The error must say what is wrong with the disk.
fn clear(error: &barograph::Error, fault: &Fault) -> Result<(), String> {
    let full = fault.answer == ffi::SQLITE_FULL;
    let right = match error.code() {
        "store.full" => full,
        "store.unreachable" => !full || fault.lasting,
        _ => false,
    };
    match right && error.kind() != Kind::Internal {
        true => Ok(()),
        false => Err(format!("answered {error:?}")),
    }
}

/// Runs the program with one fault. `None` where no call was the one to fail.
fn run(moves: &[Move], case: Case) -> Result<Option<&'static str>, String> {
    let (folder, copy) = (Folder::new("inject"), Folder::new("copied"));
    let watch = watch(folder.path(), Default::default(), 0);
    watch.arm(case.fault);
    let mut life = Life::new(folder.path(), moves);
    let mut story = "silent";
    if let Err((at, error)) = life.go(0, &watch) {
        let hit = watch.hit().ok_or_else(|| format!("move {at} failed without a fault: {error:?}"))?;
        let told = |text: String| format!("{:?} ({hit}): {text}", moves[at]);
        clear(&error, &case.fault).map_err(told)?;
        if case.fault.lasting
            && let Err(error) = life.make(at)
        {
            clear(&error, &case.fault).map_err(told)?;
        }
        story = stand(moves, case, at, life, &folder, &copy, &watch).map_err(told)?;
    }
    watch.disarm();
    let Some(hit) = watch.hit() else { return Ok(None) };
    let told = |text: String| format!("({hit}, {story}): {text}");
    if story == "silent" {
        goes_on(folder.path(), moves).map_err(told)?;
    }
    let ws = open(folder.path()).map_err(|error| told(format!("does not open at the end: {error:?}")))?;
    observe(&ws).and_then(|seen| ended(&seen, moves)).map_err(told)?;
    whole(folder.path()).map_err(told)?;
    Ok(Some(story))
}

/// A move has failed: what was answered must stand, here and for whoever opens the store again.
fn stand(
    moves: &[Move],
    case: Case,
    at: usize,
    mut life: Life,
    folder: &Folder,
    copy: &Folder,
    watch: &Watch,
) -> Result<&'static str, String> {
    // A disk that goes on failing does so until everything is closed, or until it is tried again.
    let until_closed = case.fault.lasting && case.after == After::OpenAgain;
    if !until_closed {
        watch.disarm();
    }
    let before = expected(&moves[..at]);
    // Where nothing of the failing write is there, nothing of its transaction can be. Other moves are
    // more than one transaction.
    let one = !matches!(moves[at], Move::Open | Move::OpenSession | Move::End | Move::Close);
    let undone = one && case.fault.call == Call::Write && case.fault.reach != Reach::Whole;
    let progress = Progress { stood: at, began: if undone { at } else { at + 1 } };
    copy.hold(&files(folder));
    seen_in(copy, moves, progress).map_err(|text| format!("killed: {text}"))?;
    let live = life.ws.as_ref().map(observe);
    if let Some(Ok(seen)) = &live {
        let same = *seen == before || (moves[at] == Move::End && fits(seen, moves, progress).is_ok());
        if !same {
            return Err(format!("shown though not answered: {}", difference(seen, &before)));
        }
    }
    if case.after == After::TryAgain {
        match life.go(at, watch) {
            Ok(()) => {
                let seen = observe(&open(folder.path()).map_err(|error| format!("{error:?}"))?)?;
                if seen != expected(moves) {
                    return Err(format!("tried again: {}", difference(&seen, &expected(moves))));
                }
                lost(copy, watch, moves)?;
                return Ok("tried again");
            }
            // It may refuse, if it says so.
            Err((_, error)) if error.code() == "store.unreachable" => {}
            Err((later, error)) => return Err(format!("then {:?} answered {error:?}", moves[later])),
        }
    }
    life.close();
    drop(life);
    watch.disarm();
    let seen = seen_in(folder, moves, progress).map_err(|text| format!("opened again: {text}"))?;
    // What may have reached a disk that then failed to the end is found out by opening it again.
    if let Some(Ok(live)) = live
        && live != seen
        && !(until_closed && !undone)
    {
        return Err(format!("another sight when opened again: {}", difference(&seen, &live)));
    }
    let life = resume(folder.path(), moves).map_err(|error| format!("cannot go on: {error:?}"))?;
    let seen = observe(life.ws.as_ref().expect("opened by resume"))?;
    ended(&seen, moves)?;
    lost_then(copy, &watch.log(), &seen)?;
    Ok(if case.after == After::TryAgain { "refused, opened again" } else { "opened again" })
}

fn seen_in(folder: &Folder, moves: &[Move], progress: Progress) -> Result<Seen, String> {
    let seen = {
        let ws = open(folder.path()).map_err(|error| format!("does not open: {error:?}"))?;
        observe(&ws)?
    };
    fits(&seen, moves, progress)?;
    whole(folder.path())?;
    Ok(seen)
}

/// What was answered after the fault must survive a loss of power, whatever became of what a failed sync
/// has left behind.
fn lost(copy: &Folder, watch: &Watch, moves: &[Move]) -> Result<(), String> {
    let log = watch.log();
    let failed = log.iter().position(|entry| matches!(entry, Entry::SyncFailed { .. })).unwrap_or(log.len());
    let answers: BTreeMap<usize, usize> = log
        .iter()
        .enumerate()
        .skip(failed)
        .filter_map(|(at, entry)| if let Entry::Stood(count) = entry { Some((*count, at + 1)) } else { None })
        .collect();
    for (count, place) in answers {
        lost_then(copy, &log[..place], &expected(&moves[..count]))?;
    }
    Ok(())
}

fn lost_then(copy: &Folder, log: &[Entry], wanted: &Seen) -> Result<(), String> {
    if !log.iter().any(|entry| matches!(entry, Entry::SyncFailed { .. })) {
        // Without a failed sync this is what the loss of power is tested for.
        return Ok(());
    }
    let disk = Disk::after(log);
    for loss in [Loss::All, Loss::None, Loss::Chance(1), Loss::Chance(2)] {
        copy.hold(&left(&disk, loss, log.len() as u64));
        let told = |text: String| format!("then the power is lost ({loss:?}): {text}");
        let ws = open(copy.path()).map_err(|error| told(format!("{error:?}")))?;
        let seen = observe(&ws).map_err(told)?;
        if seen != *wanted {
            return Err(told(difference(&seen, wanted)));
        }
        whole(copy.path()).map_err(told)?;
    }
    Ok(())
}

fn go_through(name: &str, moves: &[Move], part: usize) {
    let mut cases = cases(moves);
    let all = cases.len();
    Random(seed()).shuffle(&mut cases);
    let budget = Budget::of(part);
    let mut stories: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut done, mut failures) = (0, Vec::new());
    for case in cases {
        if budget.is_spent(done) {
            break;
        }
        match run(moves, case) {
            Ok(story) => *stories.entry(story.unwrap_or("not met")).or_default() += 1,
            Err(text) => failures.push(format!("{case:?}: {text}")),
        }
        done += 1;
    }
    eprintln!("{name}: {done} of {all} cases, seed {}: {stories:?}", seed());
    assert!(failures.is_empty(), "{} of {done} cases:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn a_disk_that_fails_at_any_call_loses_nothing_answered() {
    go_through("faults", &program(2), 150);
}

/// One result is so large that SQLite's log is moved into its file by itself.
#[test]
fn a_disk_that_fails_while_the_log_is_moved_loses_nothing_answered() {
    let moves = [
        Move::Open,
        Move::OpenSession,
        Move::Step { name: "fetch", bytes: 20 },
        Move::Step { name: "archive", bytes: 4_200_000 },
        Move::Step { name: "sign", bytes: 300 },
        Move::Step { name: "announce", bytes: 20 },
        Move::End,
        Move::Close,
    ];
    go_through("faults in a large log", &moves, 40);
}
