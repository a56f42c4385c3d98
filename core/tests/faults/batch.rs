//! Many callers at once: what shares a transaction stands or falls together.

use std::collections::{BTreeMap, BTreeSet};

use barograph::blocking::wait;
use barograph::*;
use rusqlite::{Connection, ffi};

use crate::check::{Folder, whole};
use crate::disk::Disk;
use crate::power::{Loss, left};
use crate::program::{QUEUE, open};
use crate::record::{Call, Fault, Reach, Which, watch};
use crate::seed::{Budget, Random, seed};

const CALLERS: usize = 8;
const ROUNDS: usize = 3;

fn enqueue(ws: &Workspace, caller: usize, round: usize) -> Result<String> {
    let name = format!("{caller}.{round}");
    let task = NewTask {
        name: name.clone(),
        payload: Payload::json("x".repeat(caller * 400)),
        max_attempts: 1,
        ..NewTask::default()
    };
    wait(ws.queue().enqueue(EnqueueArgs { queue: QUEUE.to_owned(), tasks: vec![task] })).map(|_| name)
}

/// The names of all tasks, by taking them.
fn taken(ws: &Workspace) -> BTreeSet<String> {
    let worker =
        wait(ws.worker().open(WorkerOpenArgs { queue: QUEUE.to_owned(), lease_ms: 30_000 })).unwrap();
    let tasks = wait(worker.next(WorkerNextArgs { max: 1000, wait_ms: 0 })).unwrap().tasks;
    tasks.into_iter().map(|task| task.name).collect()
}

/// Lets many callers write at once while a call fails, and says which of them were answered.
fn run(fault: Fault) -> std::result::Result<bool, String> {
    let (folder, copy) = (Folder::new("batch"), Folder::new("copied"));
    let watch = watch(folder.path(), Default::default(), 0);
    let ws = open(folder.path()).map_err(|error| format!("{error:?}"))?;
    enqueue(&ws, CALLERS, 0).map_err(|error| format!("{error:?}"))?;
    let before = watch.count(fault.call);
    let Which::Nth(nth) = fault.which else { return Err("a number is needed".to_owned()) };
    watch.arm(Fault { which: Which::Nth(before + nth), ..fault });
    let (mut answered, mut refused) = (BTreeSet::from([format!("{CALLERS}.0")]), 0);
    for round in 1..=ROUNDS {
        // Holds the writer up, so that the others gather behind the first.
        let holder = Connection::open(folder.path().join("s.db")).unwrap();
        holder.execute_batch("PRAGMA wal_autocheckpoint = 0; BEGIN IMMEDIATE").unwrap();
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let ws = ws.clone();
                std::thread::spawn(move || enqueue(&ws, caller, round))
            })
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(5));
        holder.execute_batch("ROLLBACK").unwrap();
        for caller in callers {
            match caller.join().unwrap() {
                Ok(name) => drop(answered.insert(name)),
                Err(error) if matches!(error.code(), "store.full" | "store.unreachable") => refused += 1,
                Err(error) => return Err(format!("answered {error:?}")),
            }
        }
    }
    let hit = watch.hit().is_some();
    watch.disarm();
    if hit && refused == 0 && fault.call != Call::Delete {
        // Only what nobody waits for may fail unseen: here that is nothing.
        return Err("a failed call that nobody was told of".to_owned());
    }
    let disk = Disk::after(&watch.log());
    let known = |found: BTreeSet<String>, which: &str| {
        let lost: Vec<_> = answered.difference(&found).cloned().collect();
        match lost.is_empty() && found.len() <= answered.len() + refused {
            true => Ok(()),
            false => Err(format!("{which}: {lost:?} are lost, {} are there", found.len())),
        }
    };
    for loss in [Loss::All, Loss::None, Loss::Chance(1)] {
        copy.hold(&left(&disk, loss, nth));
        known(taken(&open(copy.path()).map_err(|error| format!("{error:?}"))?), &format!("{loss:?}"))?;
        whole(copy.path())?;
    }
    let shown = wait(ws.queue().show(QueueShowArgs { queue: QUEUE.to_owned() }))
        .map_err(|error| format!("{error:?}"))?;
    if shown.waiting != answered.len() as u64 {
        return Err(format!("{} are shown, {} were answered", shown.waiting, answered.len()));
    }
    drop(ws);
    known(taken(&open(folder.path()).map_err(|error| format!("{error:?}"))?), "opened again")?;
    Ok(hit)
}

#[test]
fn callers_that_share_a_transaction_stand_or_fall_together() {
    let ways = [
        (Call::Write, ffi::SQLITE_FULL, Reach::Nothing),
        (Call::Write, ffi::SQLITE_IOERR_WRITE, Reach::Half),
        (Call::Sync, ffi::SQLITE_IOERR_FSYNC, Reach::Nothing),
    ];
    let mut faults = Vec::new();
    for (call, answer, reach) in ways {
        let most = if call == Call::Sync { 8 } else { 60 };
        faults.extend((0..most).map(|nth| Fault {
            call,
            which: Which::Nth(nth),
            answer,
            reach,
            lasting: false,
        }));
    }
    let all = faults.len();
    Random(seed()).shuffle(&mut faults);
    let budget = Budget::of(25);
    let mut stories: BTreeMap<bool, usize> = BTreeMap::new();
    let mut done = 0;
    for fault in faults {
        if budget.is_spent(done) {
            break;
        }
        let met = run(fault).unwrap_or_else(|text| panic!("{fault:?}: {text}; seed {}", seed()));
        *stories.entry(met).or_default() += 1;
        done += 1;
    }
    eprintln!("callers at once: {done} of {all} faults, seed {}, met: {stories:?}", seed());
}
