//! Sessions: steps, divergence, ownership, and death at any instant.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use barograph::blocking::wait;
use barograph::surface::door;
use barograph::*;
use serde_json::{Value, json};

use crate::support::{Folder, child, child_args, in_memory, open};

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
    let store = folder.store().display().to_string();
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
