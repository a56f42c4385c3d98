//! Queues and workers: order, claims, death and loss of workers, waiting and waking.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use barograph::blocking::wait;
use barograph::surface::door;
use barograph::*;
use serde_json::json;

use crate::support::{Folder, child, child_args, in_memory, kill, lines, open, until};

fn task(name: &str) -> NewTask {
    NewTask { name: name.into(), max_attempts: 3, ..NewTask::default() }
}

fn enqueue(ws: &Workspace, tasks: Vec<NewTask>) -> Result<Vec<String>> {
    wait(ws.queue().enqueue(EnqueueArgs { queue: "q".into(), tasks })).map(|done| done.ids)
}

fn worker(ws: &Workspace, lease_ms: u64) -> Worker {
    wait(ws.worker().open(WorkerOpenArgs { queue: "q".into(), lease_ms })).unwrap()
}

fn next(worker: &Worker, max: u32, wait_ms: u64) -> Vec<ClaimedTask> {
    wait(worker.next(WorkerNextArgs { max, wait_ms })).unwrap().tasks
}

fn complete(worker: &Worker, ids: &[String]) -> Result<TaskReport> {
    let tasks = ids.iter().map(|id| TaskResult { id: id.clone(), result: Payload::json(1) }).collect();
    wait(worker.complete(WorkerCompleteArgs { tasks }))
}

fn fail(worker: &Worker, id: &str, retry: bool) -> Result<TaskReport> {
    let failure = Failure { message: "no luck".into(), ..Failure::default() };
    wait(worker.fail(WorkerFailArgs { tasks: vec![TaskFailure { id: id.into(), failure, retry }] }))
}

fn counts(ws: &Workspace) -> (u64, u64, u64, u64) {
    let it = wait(ws.queue().show(QueueShowArgs { queue: "q".into() })).unwrap();
    (it.waiting, it.running, it.done, it.dead)
}

#[test]
fn tasks_go_from_waiting_to_done_or_dead() {
    for ws in [in_memory(), Folder::new("states").open()] {
        let ids = enqueue(
            &ws,
            vec![task("a"), NewTask { priority: 5, ..task("b") }, NewTask { max_attempts: 2, ..task("c") }],
        );
        let ids = ids.unwrap();
        assert_eq!(counts(&ws), (3, 0, 0, 0));
        let w = worker(&ws, 30_000);
        let names: Vec<_> = next(&w, 10, 0).into_iter().map(|task| task.name).collect();
        assert_eq!(names, ["b", "a", "c"]);
        assert_eq!(counts(&ws), (0, 3, 0, 0));
        assert_eq!(complete(&w, &ids[..1]).unwrap(), TaskReport { accepted: 1, refused: vec![] });
        assert_eq!(complete(&w, &ids[..1]).unwrap_err().code(), "queue.not_claimed");
        assert_eq!(complete(&w, &[ids[1].clone(), ids[1].clone()]).unwrap_err().code(), "args.invalid");
        assert_eq!(fail(&w, &ids[1], false).unwrap().accepted, 1);
        assert_eq!(fail(&w, &ids[2], true).unwrap().accepted, 1);
        assert_eq!(counts(&ws), (1, 0, 1, 1));
        let again = next(&w, 10, 0);
        assert_eq!((again.len(), again[0].attempt), (1, 2));
        assert_eq!(fail(&w, &ids[2], true).unwrap().accepted, 1, "out of attempts");
        assert_eq!(counts(&ws), (0, 0, 1, 2));
        assert!(next(&w, 1, 0).is_empty());
    }
}

#[test]
fn all_tasks_of_a_call_or_none() {
    let ws = in_memory();
    let key = |key: &str| NewTask { key: Some(key.into()), ..task("a") };
    let bad = NewTask { payload: Payload::json(1u64 << 60), ..task("b") };
    assert_eq!(enqueue(&ws, vec![task("a"), bad]).unwrap_err().code(), "value.not_i_json");
    for wrong in [
        NewTask { priority: 1001, ..task("a") },
        NewTask { max_attempts: 0, ..task("a") },
        NewTask { delay_ms: u64::MAX, ..task("a") },
        task(""),
        key(""),
    ] {
        let error = enqueue(&ws, vec![task("a"), wrong]).unwrap_err();
        assert_eq!(error.code(), "args.invalid");
        assert!(error.message().contains("`tasks[1]."), "{error}");
    }
    assert_eq!(counts(&ws), (0, 0, 0, 0));
    let first = enqueue(&ws, vec![key("k"), key("l"), key("k")]).unwrap();
    assert_eq!(first[0], first[2]);
    assert_eq!(enqueue(&ws, vec![key("l")]).unwrap(), first[1..2]);
    let w = worker(&ws, 30_000);
    next(&w, 10, 0);
    complete(&w, &first[..2]).unwrap();
    assert_eq!(enqueue(&ws, vec![key("k")]).unwrap(), first[..1], "also after it has ended");
    assert_eq!(counts(&ws), (0, 0, 2, 0));
}

#[test]
fn a_waiting_worker_is_woken() {
    let ws = in_memory();
    let w = worker(&ws, 30_000);
    let start = Instant::now();
    assert!(next(&w, 1, 60).is_empty());
    assert!(start.elapsed() >= Duration::from_millis(60));
    let waiting = std::thread::spawn({
        let w = w.clone();
        move || next(&w, 1, 20_000)
    });
    std::thread::sleep(Duration::from_millis(20));
    enqueue(&ws, vec![task("a")]).unwrap();
    let start = Instant::now();
    assert_eq!(waiting.join().unwrap().len(), 1);
    assert!(start.elapsed() < Duration::from_secs(5));
    enqueue(&ws, vec![NewTask { delay_ms: 80, ..task("late") }]).unwrap();
    assert!(next(&w, 1, 0).is_empty());
    assert_eq!(counts(&ws), (1, 1, 0, 0));
    assert_eq!(next(&w, 1, 20_000)[0].name, "late");
}

#[test]
fn a_cancelled_wait_has_claimed_nothing() {
    let ws = door::call(door::ROOT, "workspace.open", br#"{"in_memory": true}"#, door::NO_TOKEN).unwrap();
    let handle =
        |json: &[u8]| serde_json::from_slice::<serde_json::Value>(json).unwrap()["handle"].as_u64().unwrap();
    let ws = handle(&ws);
    let w = handle(&door::call(ws, "worker.open", br#"{"queue": "q"}"#, door::NO_TOKEN).unwrap());
    let token = door::token();
    let waiting = std::thread::spawn(move || door::call(w, "worker.next", br#"{"wait_ms": 20000}"#, token));
    std::thread::sleep(Duration::from_millis(30));
    door::cancel(token);
    assert_eq!(waiting.join().unwrap().unwrap_err().code(), "call.cancelled");
    door::release(token);
    // Cancelled at any instant, a task is either answered or still to be had.
    let tasks = json!({ "queue": "q", "tasks": (0..40).map(|at| json!({ "name": at.to_string() })).collect::<Vec<_>>() });
    door::call(ws, "queue.enqueue", tasks.to_string().as_bytes(), door::NO_TOKEN).unwrap();
    let mut got = 0;
    for round in 0..40u64 {
        let token = door::token();
        let call = std::thread::spawn(move || door::call(w, "worker.next", b"", token));
        std::thread::sleep(Duration::from_micros(round * 10));
        door::cancel(token);
        got += usize::from(call.join().unwrap().is_ok());
        door::release(token);
    }
    let rest = door::call(w, "worker.next", br#"{"max": 100}"#, door::NO_TOKEN).unwrap();
    let rest: TaskBatch = serde_json::from_slice(&rest).unwrap();
    assert_eq!(got + rest.tasks.len(), 40);
    assert!(rest.tasks.iter().all(|task| task.attempt == 1), "a claim that nobody got counts as no attempt");
    [w, ws].into_iter().for_each(door::close);
}

#[test]
fn what_a_closed_worker_held_goes_back() {
    let ws = in_memory();
    enqueue(&ws, vec![task("a"), task("b")]).unwrap();
    let first = worker(&ws, 30_000);
    assert_eq!(next(&first, 2, 0).len(), 2);
    drop(first);
    let second = worker(&ws, 30_000);
    let back = next(&second, 2, 5_000);
    assert_eq!(back.iter().map(|task| task.attempt).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn claims_are_kept_alive_past_their_lease() {
    let folder = Folder::new("alive");
    let ws = folder.open();
    enqueue(&ws, vec![task("a")]).unwrap();
    let slow = worker(&ws, 100);
    let held = next(&slow, 1, 0);
    let other = worker(&ws, 100);
    assert!(next(&other, 1, 400).is_empty(), "taken from a live worker");
    assert_eq!(complete(&slow, &[held[0].id.clone()]).unwrap().accepted, 1);
}

// Children; see `support::child`.

#[test]
#[ignore = "a child process of other tests"]
fn child_claims() {
    let Some((folder, args)) = child_args() else { return };
    let ws = open(&folder).unwrap();
    let w = worker(&ws, args[0].parse().unwrap());
    let tasks = next(&w, 3, 5_000);
    std::fs::write(folder.join("claimed"), "").unwrap();
    // Long enough to be killed or stopped in.
    std::thread::sleep(Duration::from_millis(args[1].parse().unwrap()));
    let ids: Vec<_> = tasks.into_iter().map(|task| task.id).collect();
    let report = complete(&w, &ids).unwrap();
    std::fs::write(folder.join("report"), format!("{} {}", report.accepted, report.refused.len())).unwrap();
}

#[test]
fn tasks_of_a_killed_worker_come_back_at_once() {
    let folder = Folder::new("killed");
    let ws = folder.open();
    let mut tasks: Vec<_> = (0..4).map(|_| task("t")).collect();
    tasks[0].max_attempts = 1;
    enqueue(&ws, tasks).unwrap();
    let mut dies = child("queue::child_claims", folder.path(), &["30000", "60000"]);
    until("the child has claimed", || folder.path().join("claimed").exists());
    let w = worker(&ws, 30_000);
    assert_eq!(next(&w, 10, 0).len(), 1);
    kill(dies.id(), "KILL");
    dies.wait().unwrap();
    let back = next(&w, 10, 20_000);
    assert_eq!(back.iter().map(|task| task.attempt).collect::<Vec<_>>(), [2, 2]);
    // The one that had a single attempt is not tried again: it may be what killed the worker.
    assert_eq!(counts(&ws), (0, 3, 0, 1));
}

#[test]
fn a_worker_that_was_stopped_past_its_lease_is_refused() {
    let folder = Folder::new("stopped");
    let ws = folder.open();
    enqueue(&ws, (0..3).map(|_| task("t")).collect()).unwrap();
    let mut stopped = child("queue::child_claims", folder.path(), &["200", "300"]);
    until("the child has claimed", || folder.path().join("claimed").exists());
    kill(stopped.id(), "STOP");
    let w = worker(&ws, 30_000);
    assert!(next(&w, 10, 0).is_empty(), "its lease is still in force");
    let taken = next(&w, 10, 20_000);
    assert_eq!(taken.len(), 3);
    kill(stopped.id(), "CONT");
    assert!(stopped.wait().unwrap().success());
    assert_eq!(lines(&folder.path().join("report")), ["0 3"]);
    let ids: Vec<_> = taken.into_iter().map(|task| task.id).collect();
    assert_eq!(complete(&w, &ids).unwrap().accepted, 3);
    assert_eq!(counts(&ws), (0, 0, 3, 0));
}

#[test]
#[ignore = "a child process of other tests"]
fn child_drains() {
    let Some((folder, _)) = child_args() else { return };
    drain(&open(&folder).unwrap());
}

fn drain(ws: &Workspace) {
    let w = worker(ws, 30_000);
    loop {
        let ids: Vec<_> = next(&w, 7, 300).into_iter().map(|task| task.id).collect();
        if ids.is_empty() {
            return;
        }
        assert_eq!(complete(&w, &ids).unwrap().accepted, ids.len() as u64);
    }
}

#[test]
fn many_workers_in_many_processes_do_each_task_once() {
    let folder = Folder::new("many");
    let ws = folder.open();
    let mut children: Vec<_> = (0..2).map(|_| child("queue::child_drains", folder.path(), &[])).collect();
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let ws = ws.clone();
            std::thread::spawn(move || drain(&ws))
        })
        .collect();
    for _ in 0..10 {
        enqueue(&ws, (0..40).map(|_| task("t")).collect()).unwrap();
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    drain(&ws);
    assert_eq!(counts(&ws), (0, 0, 400, 0));
    let stream = wait(ws.events().open(EventsOpenArgs::default())).unwrap();
    let page = wait(stream.next(EventsNextArgs { max: 10_000, wait_ms: 0 })).unwrap();
    let mut ends = BTreeMap::new();
    for event in page.events.iter().filter(|event| event.kind == "task.completed") {
        *ends.entry(event.subject.clone()).or_insert(0) += 1;
    }
    assert_eq!((ends.len(), ends.values().max()), (400, Some(&1)));
}
