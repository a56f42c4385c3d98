//! Signals, timers, checkpoints, forks, patches and the log of a session.

use std::time::Duration;

use barograph::blocking::wait;
use barograph::*;
use serde_json::{Value, json};

use crate::support::{Folder, child, child_args, in_memory, kill, lines, open, until};

fn resume(ws: &Workspace, id: &str) -> Result<Session> {
    wait(ws.session().open(SessionOpenArgs { id: id.into(), resume: true, ..Default::default() }))
}

fn step(s: &Session, name: &str, value: impl Into<Value>) -> Result<Value> {
    let value = value.into();
    wait(s.step(name, || async { Ok::<_, Error>(value) }))
}

fn signal(ws: &Workspace, id: &str, name: &str, value: impl Into<Value>, key: Option<&str>) -> SignalSent {
    let payload = Some(Payload::json(value));
    let args = SignalArgs { id: id.into(), name: name.into(), payload, key: key.map(str::to_owned) };
    wait(ws.session().signal(args)).unwrap()
}

fn take(s: &Session, name: &str, timeout_ms: Option<u64>, wait_ms: Option<u64>) -> Result<SignalReceived> {
    wait(s.wait_signal(WaitSignalArgs { name: name.into(), timeout_ms, wait_ms, ..Default::default() }))
}

fn claim(ws: &Workspace) -> Vec<String> {
    let batch = wait(ws.session().claim(SessionClaimArgs { max: 10, ..Default::default() })).unwrap();
    batch.sessions.into_iter().map(|session| session.id).collect()
}

#[test]
fn signals_are_taken_once_in_their_order_and_answered_again_from_the_record() {
    let folder = Folder::new("signals");
    let ws = folder.open();
    let s = resume(&ws, "s").unwrap();
    assert!(signal(&ws, "s", "go", 1, Some("k")).created);
    assert!(!signal(&ws, "s", "go", 99, Some("k")).created);
    signal(&ws, "s", "other", "x", None);
    signal(&ws, "s", "go", 2, None);
    let json = |received: SignalReceived| received.value.unwrap().json;
    assert_eq!(json(take(&s, "go", None, None).unwrap()), json!(1));
    assert_eq!(json(take(&s, "go", None, None).unwrap()), json!(2));
    assert!(take(&s, "go", Some(0), None).unwrap().timed_out);
    drop(s);
    let s = resume(&ws, "s").unwrap();
    assert_eq!(json(take(&s, "go", None, None).unwrap()), json!(1));
    assert_eq!(json(take(&s, "go", None, None).unwrap()), json!(2));
    assert!(take(&s, "go", Some(0), None).unwrap().timed_out);
    assert_eq!(json(take(&s, "other", None, None).unwrap()), json!("x"));
    wait(s.complete(Default::default())).unwrap();
    let args = SignalArgs { id: "s".into(), name: "go".into(), payload: None, key: None };
    assert_eq!(wait(ws.session().signal(args)).unwrap_err().code(), "session.finished");
}

#[test]
fn a_signal_of_another_process_wakes_a_wait() {
    let folder = Folder::new("wake");
    let (a, b) = (folder.open(), folder.open());
    let s = resume(&a, "s").unwrap();
    let waiting = std::thread::spawn(move || take(&s, "go", None, None).unwrap());
    std::thread::sleep(Duration::from_millis(150));
    signal(&b, "s", "go", json!({ "by": "b" }), None);
    assert_eq!(waiting.join().unwrap().value.unwrap().json, json!({ "by": "b" }));
}

#[test]
fn a_session_that_waits_is_nobodys_until_its_signal_is_there() {
    let folder = Folder::new("parked");
    let ws = folder.open();
    let s = resume(&ws, "s").unwrap();
    step(&s, "ask", 1).unwrap();
    let error = take(&s, "approved", None, Some(20)).unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("session.waiting", true));
    drop(s);
    assert!(claim(&ws).is_empty());
    let shown = wait(ws.session().show(SessionIdArgs { id: "s".into() })).unwrap();
    assert_eq!(shown.steps[1].status, StepStatus::Waiting);
    signal(&ws, "s", "approved", true, None);
    assert_eq!(claim(&ws), ["s"]);
    let s = resume(&ws, "s").unwrap();
    step(&s, "ask", 2).unwrap();
    assert_eq!(take(&s, "approved", None, None).unwrap().value.unwrap().json, json!(true));
    // A call that is left begins the same wait again, and not a second one.
    for _ in 0..3 {
        assert_eq!(take(&s, "second", None, Some(5)).unwrap_err().code(), "session.waiting");
    }
    signal(&ws, "s", "second", 2, None);
    assert_eq!(take(&s, "second", None, None).unwrap().value.unwrap().json, json!(2));
    assert_eq!(step(&s, "end", 3).unwrap(), json!(3));
}

#[test]
#[ignore = "started by the test of the same story"]
fn waits_for_ever() {
    let Some((folder, _)) = child_args() else { return };
    let s = resume(&open(&folder).unwrap(), "s").unwrap();
    std::fs::write(folder.join("waiting"), "yes\n").unwrap();
    let _ = take(&s, "go", Some(3_600_000), None);
}

#[test]
fn a_wait_survives_the_death_of_its_process() {
    let folder = Folder::new("wait-killed");
    let ws = folder.open();
    let mut waiting = child("session_wait::waits_for_ever", folder.path(), &[]);
    until("the session is as it should be", || lines(&folder.path().join("waiting")) == ["yes"]);
    let show = || wait(ws.session().show(SessionIdArgs { id: "s".into() })).unwrap();
    until("the session is as it should be", || show().steps.len() == 1);
    kill(waiting.id(), "KILL");
    waiting.wait().unwrap();
    assert!(claim(&ws).is_empty(), "what waits needs nobody");
    assert!(show().session.waits_until.is_some());
    signal(&ws, "s", "go", 5, None);
    assert_eq!(claim(&ws), ["s"]);
    let s = resume(&ws, "s").unwrap();
    assert_eq!(take(&s, "go", Some(3_600_000), None).unwrap().value.unwrap().json, json!(5));
}

#[test]
fn a_timer_counts_from_its_first_begin() {
    let folder = Folder::new("timer");
    let ws = folder.open();
    let sleep = |s: &Session, duration_ms, wait_ms| {
        wait(s.sleep(SleepArgs { duration_ms, wait_ms, ..Default::default() }))
    };
    let s = resume(&ws, "s").unwrap();
    assert_eq!(sleep(&s, 300, Some(1)).unwrap_err().code(), "session.waiting");
    drop(s);
    assert!(claim(&ws).is_empty());
    until("the session is as it should be", || claim(&ws) == ["s"]);
    let s = resume(&ws, "s").unwrap();
    // Were it counted anew this would wait for an hour.
    sleep(&s, 3_600_000, None).unwrap();
    wait(s.complete(Default::default())).unwrap();
}

#[test]
fn a_checkpoint_keeps_a_state_and_the_session_goes_back_to_it() {
    let folder = Folder::new("restore");
    let ws = folder.open();
    let s = resume(&ws, "s").unwrap();
    step(&s, "a", 1).unwrap();
    let large = json!("z".repeat(100_000));
    let state = Some(Payload::json(large.clone()));
    let point = wait(s.checkpoint(CheckpointArgs { name: "after a".into(), state })).unwrap();
    assert_eq!(point.position, 1);
    step(&s, "b", 2).unwrap();
    wait(s.complete(Default::default())).unwrap();
    let list = CheckpointsArgs { id: "s".into(), states: true, ..Default::default() };
    let listed = wait(ws.session().checkpoints(list)).unwrap().checkpoints;
    assert_eq!((listed.len(), listed[0].id.as_str()), (1, point.id.as_str()));
    let args = SessionRestoreArgs { id: "s".into(), checkpoint: point.id.clone(), again_once: false };
    let restored = wait(ws.session().restore(args.clone())).unwrap();
    assert_eq!(restored.state.unwrap().json, large);
    let s = resume(&ws, "s").unwrap();
    assert_eq!(step(&s, "a", 10).unwrap(), json!(1));
    assert_eq!(step(&s, "b", 20).unwrap(), json!(20));
    drop(s);
    let s = resume(&ws, "s").unwrap();
    step(&s, "a", 0).unwrap();
    assert_eq!(step(&s, "b", 0).unwrap(), json!(20));
    let publish = StepBeginArgs { name: "publish".into(), policy: StepPolicy::Once, ..Default::default() };
    wait(s.step_with(publish, || async { Ok::<_, Error>(1) })).unwrap();
    drop(s);
    until("the session is as it should be", || {
        wait(ws.session().get(SessionIdArgs { id: "s".into() })).unwrap().owner.is_none()
    });
    let listed =
        wait(ws.session().checkpoints(CheckpointsArgs { id: "s".into(), ..Default::default() })).unwrap();
    let automatic = &listed.checkpoints[0];
    assert_eq!(
        (automatic.name.as_str(), automatic.automatic, automatic.position),
        ("before:publish", true, 2)
    );
    assert_eq!(wait(ws.session().restore(args.clone())).unwrap_err().code(), "session.once_behind");
    wait(ws.session().restore(SessionRestoreArgs { again_once: true, ..args })).unwrap();
    let wrong = SessionRestoreArgs { id: "s".into(), checkpoint: "77".into(), again_once: true };
    assert_eq!(wait(ws.session().restore(wrong)).unwrap_err().code(), "checkpoint.missing");
}

#[test]
fn no_checkpoint_is_made_of_a_failed_state() {
    let ws = in_memory();
    let s = resume(&ws, "s").unwrap();
    let failed = wait(s.step("a", || async { Err::<(), _>(Error::new("task.raised", "no")) }));
    assert_eq!(failed.unwrap_err().code(), "task.raised");
    let args = CheckpointArgs { name: "c".into(), state: None };
    assert_eq!(wait(s.checkpoint(args)).unwrap_err().code(), "session.failed_state");
}

#[test]
fn a_fork_shares_steps_and_goes_its_own_way() {
    let folder = Folder::new("fork");
    let ws = folder.open();
    let s = resume(&ws, "s").unwrap();
    for (name, value) in [("a", 1), ("b", 2), ("c", 3)] {
        step(&s, name, value).unwrap();
    }
    let rows =
        || wait(ws.session().history(SessionHistoryArgs { id: "s".into(), ..Default::default() })).unwrap();
    let before = rows().events.len();
    for at in 0..=3u64 {
        let new_id = format!("f{at}");
        let args =
            SessionForkArgs { id: "s".into(), new_id: new_id.clone(), at: Some(at), ..Default::default() };
        let made = wait(ws.session().fork(args)).unwrap();
        assert_eq!(made.forked_from, Some(ForkPoint { id: "s".into(), position: at }));
        assert_eq!(made.steps_done, at);
        let fork = resume(&ws, &new_id).unwrap();
        for (position, name) in ["a", "b", "c"].into_iter().enumerate() {
            let wanted = if (position as u64) < at { position + 1 } else { 10 + position };
            assert_eq!(step(&fork, name, 10 + position).unwrap(), json!(wanted));
        }
        // A fork of a fork sees through both.
        let args =
            SessionForkArgs { id: new_id.clone(), new_id: format!("{new_id}-2"), ..Default::default() };
        assert_eq!(wait(ws.session().fork(args)).unwrap().steps_done, 3);
        let second = resume(&ws, &format!("{new_id}-2")).unwrap();
        assert_eq!(step(&second, "a", 0).unwrap(), if at > 0 { json!(1) } else { json!(10) });
    }
    assert_eq!(rows().events.len(), before, "a fork wrote to its source");
    let far = SessionForkArgs { id: "s".into(), new_id: "x".into(), at: Some(4), ..Default::default() };
    assert_eq!(wait(ws.session().fork(far)).unwrap_err().code(), "args.invalid");
}

#[test]
fn a_patch_holds_where_it_is_met_first_and_not_where_the_record_went_on() {
    let folder = Folder::new("patch");
    let ws = folder.open();
    let old = resume(&ws, "old").unwrap();
    step(&old, "a", 1).unwrap();
    step(&old, "b", 2).unwrap();
    drop(old);
    let program = |id: &str| -> Result<Vec<bool>> {
        let s = resume(&ws, id)?;
        step(&s, "a", 1)?;
        let first = wait(s.patch(SessionPatchArgs { name: "v2".into() }))?.patched;
        if first {
            step(&s, "new", 0)?;
        }
        step(&s, "b", 2)?;
        let second = wait(s.patch(SessionPatchArgs { name: "v3".into() }))?.patched;
        if second {
            step(&s, "newer", 0)?;
        }
        Ok(vec![first, second])
    };
    for _ in 0..3 {
        assert_eq!(program("old").unwrap(), [false, true]);
        assert_eq!(program("fresh").unwrap(), [true, true]);
    }
    // Without the patch the changed program is told where it leaves the plan, as a diff.
    let s = resume(&ws, "old").unwrap();
    step(&s, "a", 1).unwrap();
    let error = step(&s, "new", 0).unwrap_err();
    assert_eq!(error.code(), "session.diverged");
    assert_eq!(
        error.context()["diff"].lines().collect::<Vec<_>>()[..3],
        ["     0  a", "-    1  b", "-    2  patch (key patch:v3)"]
    );
}

#[test]
fn the_log_of_a_session_is_read_by_cursor() {
    let folder = Folder::new("log");
    let ws = folder.open();
    let s = resume(&ws, "s").unwrap();
    let append = |name: &str, values: &[i64]| {
        let entries = values.iter().map(|&value| Payload::json(value)).collect();
        wait(s.append(AppendArgs { name: name.into(), entries })).unwrap().cursor
    };
    append("message", &[1, 2]);
    let middle = append("progress", &[50]);
    append("message", &[3]);
    let read = |name: Option<&str>, after| {
        let args = EntriesArgs { id: "s".into(), name: name.map(str::to_owned), after, ..Default::default() };
        let page = wait(ws.session().entries(args)).unwrap();
        page.entries.into_iter().map(|entry| entry.value.json.as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(read(None, 0), [1, 2, 50, 3]);
    assert_eq!(read(Some("message"), 0), [1, 2, 3]);
    assert_eq!(read(None, middle), [3]);
    assert_eq!(
        wait(s.append(AppendArgs { name: "m".into(), entries: vec![] })).unwrap_err().code(),
        "args.invalid"
    );
}
