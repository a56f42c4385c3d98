//! Sessions: steps, divergence, ownership, and death at any instant.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use barograph::blocking::wait;
use barograph::surface::door;
use barograph::*;
use serde_json::{Value, json};

use crate::support::{Folder, child, child_args, in_memory, kill, lines, open, until};

fn session(ws: &Workspace, id: &str, resume: bool) -> Result<Session> {
    wait(ws.session().open(SessionOpenArgs { id: id.into(), resume, ..SessionOpenArgs::default() }))
}

fn begin(s: &Session, name: &str) -> Result<StepStart> {
    wait(s.begin(StepBeginArgs { name: name.into(), ..StepBeginArgs::default() }))
}

fn finish(s: &Session, token: Option<String>, value: impl Into<Value>) -> Result<StepFinished> {
    let token = token.expect("a token");
    wait(s.finish(StepFinishArgs { token, result: Some(Payload::json(value)), failure: None }))
}

fn complete(s: &Session, value: impl Into<Value>) -> Result<SessionSummary> {
    wait(s.complete(SessionCompleteArgs { output: Some(Payload::json(value)), failure: None }))
}

#[test]
fn a_step_is_not_run_again_in_the_next_process_life() {
    let folder = Folder::new("again");
    let runs = AtomicU32::new(0);
    for life in 0..3 {
        let ws = folder.open();
        let s = session(&ws, "release-42", true).unwrap();
        for (name, value) in
            [("build", json!({ "file": "a.tar" })), ("test", json!(null)), ("build", json!([1.5]))]
        {
            let start = begin(&s, name).unwrap();
            match start.state {
                StepState::Run => {
                    assert_eq!(life, 0);
                    runs.fetch_add(1, Ordering::Relaxed);
                    finish(&s, start.token, value).unwrap();
                }
                StepState::Done => {
                    assert_eq!(start.result, Some(Payload::json(value)));
                    assert_eq!(start.token, None);
                }
                StepState::Unknown => panic!("no step is of policy once"),
            }
            assert_eq!(start.attempt, 1);
        }
    }
    assert_eq!(runs.into_inner(), 3);
}

#[test]
fn through_the_door_end_to_end() {
    let folder = Folder::new("door");
    let call = |handle: u64, op: &str, args: Value| -> Value {
        let answer = door::call(handle, op, args.to_string().as_bytes(), door::NO_TOKEN).unwrap();
        serde_json::from_slice(&answer).unwrap()
    };
    let store = folder.named();
    let opened = call(door::ROOT, "workspace.open", json!({ "path": folder.path(), "store": store }));
    let ws = opened["handle"].as_u64().unwrap();
    let opened = call(ws, "session.open", json!({ "id": "deploy", "labels": { "env": "test" } }));
    let s = opened["handle"].as_u64().unwrap();
    let start = call(s, "session.begin", json!({ "name": "build", "args": { "target": "x" } }));
    assert_eq!(start["state"], "run");
    let done = call(s, "session.finish", json!({ "token": start["token"], "result": { "json": 7 } }));
    assert!(done["seq"].as_u64().unwrap() > 0);
    let ended = call(s, "session.complete", json!({ "output": { "json": "ok" } }));
    assert_eq!((&ended["status"], &ended["steps_done"]), (&json!("completed"), &json!(1)));
    let shown = call(ws, "session.show", json!({ "id": "deploy" }));
    assert_eq!(shown["steps"][0]["result"]["json"], 7);
    assert_eq!(shown["session"]["labels"]["env"], "test");

    let ids = call(
        ws,
        "queue.enqueue",
        json!({ "queue": "q", "tasks": [{ "name": "t", "payload": { "json": 1 } }] }),
    );
    let worker = call(ws, "worker.open", json!({ "queue": "q" }))["handle"].as_u64().unwrap();
    let batch = call(worker, "worker.next", json!({ "max": 5 }));
    assert_eq!(batch["tasks"][0]["id"], ids["ids"][0]);
    let report = call(
        worker,
        "worker.complete",
        json!({ "tasks": [{ "id": ids["ids"][0], "result": { "json": 2 } }] }),
    );
    assert_eq!(report["accepted"], 1);

    let stream = call(ws, "events.open", json!({}))["handle"].as_u64().unwrap();
    let page = call(stream, "events.next", json!({}));
    let kinds: Vec<_> =
        page["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["session.created", "step.finished", "session.completed", "task.enqueued", "task.completed"]
    );
    assert_eq!(page["ended"], true);
    [stream, worker, s, ws].into_iter().for_each(door::close);
}

#[test]
fn another_plan_is_told_with_what_was_recorded_and_what_is_asked() {
    let ws = in_memory();
    let first = session(&ws, "plan", false).unwrap();
    let args =
        |name: &str, args: Value| StepBeginArgs { name: name.into(), args, ..StepBeginArgs::default() };
    for (name, value) in [("fetch", json!({ "b": 1, "a": [1.0] })), ("build", json!(null))] {
        let start = wait(first.begin(args(name, value))).unwrap();
        finish(&first, start.token, 1).unwrap();
    }
    let again = || session(&ws, "plan", true).unwrap();
    // The same value, written in another way.
    let same = wait(again().begin(args("fetch", json!({ "a": [1], "b": 1.0 })))).unwrap();
    assert_eq!(same.state, StepState::Done);
    let once = StepBeginArgs { policy: StepPolicy::Once, ..args("fetch", json!({ "b": 1, "a": [1] })) };
    for (asked, wanted) in [
        (args("fetch", json!({ "b": 2, "a": [1] })), "arguments of SHA-256"),
        (args("fetch", json!(null)), "(none)"),
        (args("deploy", json!(null)), "step `fetch` was recorded here, now a new step `deploy` is asked for"),
        (args("build", json!(null)), "step `fetch` was recorded here, now step `build` is asked for"),
        (once, "policy `retry`, now it is `once`"),
    ] {
        let error = wait(again().begin(asked)).unwrap_err();
        assert_eq!((error.code(), error.kind()), ("session.diverged", Kind::Conflict));
        assert!(error.message().contains(wanted), "{error}");
        assert_eq!(error.context()["position"], "0");
    }
}

#[test]
fn the_newest_handle_of_a_process_owns_the_session() {
    let folder = Folder::new("newest");
    let ws = folder.open();
    let old = session(&ws, "s", false).unwrap();
    let held = begin(&old, "a").unwrap();
    let new = session(&ws, "s", true).unwrap();
    for error in [
        begin(&old, "b").unwrap_err(),
        finish(&old, held.token, 1).unwrap_err(),
        complete(&old, 1).unwrap_err(),
    ] {
        assert_eq!((error.code(), error.retryable()), ("session.lease_lost", false));
    }
    // The old handle's end takes nothing from the new one, nor does its token work there.
    drop(old);
    let start = begin(&new, "a").unwrap();
    finish(&new, start.token, 1).unwrap();
    // A second workspace of the same process counts as the same process.
    let other = folder.open();
    let third = session(&other, "s", true).unwrap();
    assert_eq!(finish(&new, begin(&new, "b").unwrap().token, 1).unwrap_err().code(), "session.lease_lost");
    assert_eq!(begin(&third, "a").unwrap().state, StepState::Done);
}

#[test]
fn tokens_results_and_ends_are_checked() {
    let ws = in_memory();
    let s = session(&ws, "s", false).unwrap();
    let other = session(&ws, "other", false).unwrap();
    assert_eq!(session(&ws, "s", false).unwrap_err().code(), "session.exists");
    let token = begin(&s, "a").unwrap().token;
    assert_eq!(finish(&other, token.clone(), 1).unwrap_err().code(), "session.token");
    assert_eq!(finish(&s, Some("x".into()), 1).unwrap_err().code(), "session.token");
    assert_eq!(finish(&s, token.clone(), 1u64 << 53).unwrap_err().code(), "value.not_i_json");
    let both = StepFinishArgs {
        token: token.clone().unwrap(),
        result: Some(Payload::default()),
        failure: Some(Failure::default()),
    };
    assert_eq!(wait(s.finish(both)).unwrap_err().code(), "args.invalid");
    let seq = finish(&s, token.clone(), 1).unwrap();
    assert_eq!(finish(&s, token.clone(), 1).unwrap(), seq, "the same outcome again is the same answer");
    assert_eq!(finish(&s, token, 2).unwrap_err().code(), "session.token");
    let beyond = StepBeginArgs { name: "b".into(), args: json!([1u64 << 60]), ..StepBeginArgs::default() };
    assert_eq!(wait(s.begin(beyond)).unwrap_err().code(), "value.not_i_json");
    for name in ["", &"x".repeat(201)] {
        assert_eq!(begin(&s, name).unwrap_err().code(), "args.invalid");
    }
    let open = begin(&s, "late").unwrap();
    assert_eq!(complete(&s, "done").unwrap().output, Some(Payload::json("done")));
    assert_eq!(complete(&s, "done").unwrap().status, SessionStatus::Completed);
    for error in [
        complete(&s, "other").unwrap_err(),
        begin(&s, "c").unwrap_err(),
        finish(&s, open.token, 1).unwrap_err(),
    ] {
        assert_eq!(error.code(), "session.finished");
    }
}

#[test]
fn the_sugar_runs_each_step_once_and_records_failures() {
    let folder = Folder::new("sugar");
    let ws = folder.open();
    let runs = AtomicU32::new(0);
    for life in 0..2 {
        let s = session(&ws, "s", true).unwrap();
        let value: Vec<f64> = wait(s.step("count", || async {
            runs.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Error>(vec![0.1 + 0.2])
        }))
        .unwrap();
        assert_eq!(value, [0.1 + 0.2]);
        let fails = wait(s.step::<(), _, _, _>("fails", || async { Err(std::io::Error::other("no luck")) }));
        let error = fails.unwrap_err();
        assert_eq!((error.code(), error.causes()[0].as_str()), ("task.raised", "no luck"));
        let shown = wait(ws.session().show(SessionIdArgs { id: "s".into() })).unwrap();
        assert_eq!(shown.steps[1].attempts, life + 1);
        assert_eq!(shown.steps[1].failure.as_ref().unwrap().message, "no luck");
    }
    assert_eq!(runs.into_inner(), 1);
}

#[test]
fn large_and_odd_results_come_back_as_they_were() {
    let folder = Folder::new("large");
    let ws = folder.open();
    let values = [
        Payload::json("x".repeat(3_000_000)),
        Payload::json(json!({ "\u{0}\u{1f600}": [1e-320, -0.5, 9007199254740991u64, null, {}] })),
        Payload::bytes(vec![0xff; 100_000], "application/x-tar"),
        Payload::default(),
    ];
    let s = session(&ws, "s", true).unwrap();
    for value in &values {
        let token = begin(&s, "v").unwrap().token.unwrap();
        wait(s.finish(StepFinishArgs { token, result: Some(value.clone()), failure: None })).unwrap();
    }
    drop(s);
    let again = session(&folder.open(), "s", true).unwrap();
    for value in &values {
        assert_eq!(begin(&again, "v").unwrap().result.as_ref(), Some(value));
    }
}

// What a child process does; see `support::child`.

const STEPS: usize = 12;

/// Goes through twelve steps, every fourth of policy `once`; each writes its effect and, once
/// answered, its acknowledgement to one synced log. Dies by itself at the point that `die` names.
fn program(folder: &Path, die: &str) {
    let mut log = std::fs::OpenOptions::new().append(true).create(true).open(folder.join("log")).unwrap();
    let mut note = |text: String| {
        log.write_all(text.as_bytes()).unwrap();
        log.sync_data().unwrap();
    };
    let reached = |point: String| {
        if point == die {
            kill(std::process::id(), "KILL");
            std::thread::sleep(Duration::from_secs(60));
        }
    };
    let ws = open(folder).unwrap();
    let s = session(&ws, "r", true).unwrap();
    for step in 0..STEPS {
        let policy = if step % 4 == 3 { StepPolicy::Once } else { StepPolicy::Retry };
        reached(format!("{step}.before"));
        let args = StepBeginArgs { name: format!("step {step}"), policy, ..StepBeginArgs::default() };
        let start = wait(s.begin(args)).unwrap();
        reached(format!("{step}.begun"));
        match start.state {
            StepState::Done => {
                assert_eq!(start.result, Some(Payload::json(step)));
                continue;
            }
            StepState::Unknown => note(format!("unknown {step}\n")),
            StepState::Run => note(format!("effect {step}\n")),
        }
        reached(format!("{step}.effect"));
        finish(&s, start.token, step).unwrap();
        reached(format!("{step}.finished"));
        note(format!("ack {step}\n"));
    }
    complete(&s, "end").unwrap();
    note("end\n".to_owned());
}

#[test]
#[ignore = "a child process of other tests"]
fn child_program() {
    if let Some((folder, args)) = child_args() {
        program(&folder, args.first().map_or("", String::as_str));
    }
}

/// Nothing acknowledged was lost or repeated, nothing `once` happened twice, all came to its end.
fn check_log(folder: &Path) {
    let log = lines(&folder.join("log"));
    for step in 0..STEPS {
        let count = |word: &str| log.iter().filter(|line| **line == format!("{word} {step}")).count();
        let acknowledged = log.iter().position(|line| *line == format!("ack {step}"));
        if let Some(at) = acknowledged {
            let late = log[at..].iter().filter(|line| **line == format!("effect {step}")).count();
            assert_eq!(late, 0, "step {step} was acknowledged and ran again: {log:?}");
        }
        match step % 4 {
            3 => assert!(count("effect") <= 1, "step {step} is `once` and ran twice: {log:?}"),
            _ => assert!(count("effect") >= 1 && count("unknown") == 0, "step {step}: {log:?}"),
        }
        assert!(count("ack") <= 1, "{log:?}");
    }
    assert_eq!(log.last().map(String::as_str), Some("end"), "{log:?}");
    let ws = open(folder).unwrap();
    let shown = wait(ws.session().show(SessionIdArgs { id: "r".into() })).unwrap();
    assert_eq!((shown.session.status, shown.session.steps_done), (SessionStatus::Completed, STEPS as u64));
    let positions: Vec<u64> = shown.steps.iter().map(|step| step.position).collect();
    assert_eq!(positions, (0..STEPS as u64).collect::<Vec<_>>());
}

const PROGRAM: &str = "session::child_program";

#[test]
fn killed_at_every_boundary_of_a_step() {
    let folder = Folder::new("boundary");
    // Each life dies at the next point: one run dies at all of them.
    for step in [0, 2, 3, 7, 11] {
        for point in ["before", "begun", "effect", "finished"] {
            let mut life = child(PROGRAM, folder.path(), &[&format!("{step}.{point}")]);
            let status = life.wait().unwrap();
            // A point is passed by where the step was done before.
            assert!(status.success() || status.code().is_none(), "{status}");
        }
    }
    assert!(child(PROGRAM, folder.path(), &[""]).wait().unwrap().success());
    check_log(folder.path());
    let log = lines(&folder.path().join("log"));
    let effects = |step: usize| log.iter().filter(|line| **line == format!("effect {step}")).count();
    // Killed after `begun`: not yet an effect. After `effect`: one that was repeated. `once`: the
    // intent of step 3 was on disk, so it never ran.
    assert_eq!((effects(0), effects(2), effects(3)), (2, 2, 0), "{log:?}");
}

#[test]
fn killed_at_random_instants() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let (mut lives, mut cut) = (0, 0);
    // A life that nobody cuts short tells how long they last here.
    let whole = Folder::new("whole");
    let began = Instant::now();
    assert!(child(PROGRAM, whole.path(), &[""]).wait().unwrap().success());
    let long = began.elapsed();
    while cut == 0 || lives < 20 {
        assert!(lives < 500, "nothing was ever cut short in {lives} lives");
        let folder = Folder::new("random");
        loop {
            lives += 1;
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let mut life = child(PROGRAM, folder.path(), &[""]);
            std::thread::sleep(long.mul_f64((random % 1_000) as f64 / 1_000.0));
            let _ = life.kill();
            if life.wait().unwrap().success() {
                break;
            }
            cut += usize::from(!lines(&folder.path().join("log")).is_empty());
        }
        // The last life may have been killed after its last line.
        if lines(&folder.path().join("log")).last().map(String::as_str) != Some("end") {
            assert!(child(PROGRAM, folder.path(), &[""]).wait().unwrap().success());
        }
        check_log(folder.path());
    }
    eprintln!("killed {lives} lives, {cut} of them between the first step and the end");
}

#[test]
#[ignore = "a child process of other tests"]
fn child_owner() {
    let Some((folder, _)) = child_args() else { return };
    let ws = open(&folder).unwrap();
    let s = session(&ws, "held", true).unwrap();
    let once = StepBeginArgs { name: "deploy".into(), policy: StepPolicy::Once, ..StepBeginArgs::default() };
    wait(s.begin(once)).unwrap();
    std::fs::write(folder.join("holds"), "").unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn a_live_owner_is_respected_and_a_dead_one_is_not_waited_for() {
    let folder = Folder::new("owner");
    let mut owner = child("session::child_owner", folder.path(), &[]);
    until("the child owns the session", || folder.path().join("holds").exists());
    let ws = folder.open();
    let error = session(&ws, "held", true).unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("session.owned", true));
    assert_eq!(error.context()["pid"], owner.id().to_string());
    kill(owner.id(), "KILL");
    // Not even reaped yet: a zombie owns nothing.
    let s = {
        let mut found = None;
        until("the session is free", || {
            found = session(&ws, "held", true).ok();
            found.is_some()
        });
        found.unwrap()
    };
    owner.wait().unwrap();
    let once =
        || StepBeginArgs { name: "deploy".into(), policy: StepPolicy::Once, ..StepBeginArgs::default() };
    let start = wait(s.begin(once())).unwrap();
    assert_eq!((start.state, start.attempt), (StepState::Unknown, 1));
    let sugar = session(&ws, "held", true).unwrap();
    let error =
        wait(sugar.step_with::<(), Error, _, _>(once(), || async { panic!("must not run") })).unwrap_err();
    assert_eq!(error.code(), "session.unknown");
    let token = error.context()["token"].clone();
    finish(&sugar, Some(token), "it had happened").unwrap();
    assert_eq!(begin(&session(&ws, "held", true).unwrap(), "deploy").unwrap_err().code(), "session.diverged");
}

#[test]
#[ignore = "a child process of other tests"]
fn child_takes() {
    let Some((folder, _)) = child_args() else { return };
    let ws = open(&folder).unwrap();
    let s = session(&ws, "free", true).unwrap();
    assert_eq!(begin(&s, "a").unwrap().state, StepState::Done);
}

#[test]
fn a_dropped_handle_frees_its_session_for_other_processes() {
    let folder = Folder::new("dropped");
    let ws = folder.open();
    let s = session(&ws, "free", false).unwrap();
    let start = begin(&s, "a").unwrap();
    finish(&s, start.token, 1).unwrap();
    assert!(!child("session::child_takes", folder.path(), &[]).wait().unwrap().success());
    drop(s);
    assert!(child("session::child_takes", folder.path(), &[]).wait().unwrap().success());
}

#[test]
fn siblings_that_ran_one_after_the_other_may_come_in_any_order() {
    let ws = in_memory();
    let first = session(&ws, "s", false).unwrap();
    for name in ["a", "b", "c"] {
        let start = begin(&first, name).unwrap();
        finish(&first, start.token, name).unwrap();
    }
    drop(first);
    let s = session(&ws, "s", true).unwrap();
    let step = |name: &'static str| s.step(name, || async { Ok::<_, Error>("again".to_owned()) });
    // Each comes before those that it was recorded behind; `d` is new in its branch.
    let (d, c, b, a) = wait(async { tokio::join!(step("d"), step("c"), step("b"), step("a")) });
    assert_eq!((d.unwrap(), c.unwrap()), ("again".to_owned(), "c".to_owned()));
    assert_eq!((b.unwrap(), a.unwrap()), ("b".to_owned(), "a".to_owned()));
    drop(s);
    // Where nobody comes, it is another plan.
    let s = session(&ws, "s", true).unwrap();
    let error = begin(&s, "c").unwrap_err();
    assert_eq!(error.code(), "session.diverged");
    assert!(error.to_string().contains("if each has a key"), "{error}");
}
