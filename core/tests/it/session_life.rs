//! Sessions from outside: submitted, claimed, cancelled, paused, put away, pruned; and schedules.

use std::collections::BTreeMap;
use std::time::Duration;

use barograph::blocking::wait;
use barograph::*;
use serde_json::json;

use crate::support::{Folder, child, child_args, in_memory, kill, lines, on_server, open, until};

fn resume(ws: &Workspace, id: &str) -> Result<Session> {
    wait(ws.session().open(SessionOpenArgs { id: id.into(), resume: true, ..Default::default() }))
}

fn submit(ws: &Workspace, id: &str) -> SessionSubmitted {
    wait(ws.session().submit(SessionSubmitArgs { id: Some(id.into()), ..Default::default() })).unwrap()
}

fn claim(ws: &Workspace, max: u32) -> Vec<String> {
    let batch = wait(ws.session().claim(SessionClaimArgs { max, ..Default::default() })).unwrap();
    batch.sessions.into_iter().map(|session| session.id).collect()
}

fn get(ws: &Workspace, id: &str) -> SessionSummary {
    wait(ws.session().get(SessionIdArgs { id: id.into() })).unwrap()
}

fn step(s: &Session, name: &str) -> Result<i64> {
    wait(s.step(name, || async { Ok::<_, Error>(7) }))
}

/// Whether the session refuses what is new: a checkpoint is no step, so that asking leaves no trace.
fn halted(s: &Session, code: &str) -> bool {
    wait(s.checkpoint(CheckpointArgs { name: "asked".into(), state: None }))
        .is_err_and(|error| error.code() == code)
}

fn id(id: &str) -> SessionIdArgs {
    SessionIdArgs { id: id.into() }
}

#[test]
fn a_submitted_session_is_claimed_once_and_its_key_makes_no_second() {
    let folder = Folder::new("submit");
    let (a, b) = (folder.open(), folder.open());
    let args = SessionSubmitArgs {
        key: Some("order-7".into()),
        input: Some(Payload::json(json!({ "order": 7 }))),
        labels: BTreeMap::from([("kind".into(), "order".into())]),
        ..Default::default()
    };
    let first = wait(a.session().submit(args.clone())).unwrap();
    assert!(first.created && !first.id.is_empty());
    let again = wait(b.session().submit(args)).unwrap();
    assert_eq!(again, SessionSubmitted { id: first.id.clone(), created: false });
    let other = BTreeMap::from([("kind".into(), "other".into())]);
    let none = wait(a.session().claim(SessionClaimArgs { labels: other, ..Default::default() })).unwrap();
    assert!(none.sessions.is_empty());
    let labels = BTreeMap::from([("kind".into(), "order".into())]);
    let claimed =
        wait(a.session().claim(SessionClaimArgs { labels, max: 10, ..Default::default() })).unwrap().sessions;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].input, Payload::json(json!({ "order": 7 })));
    assert!(claim(&b, 10).is_empty(), "claimed twice");
    let s = resume(&a, &first.id).unwrap();
    step(&s, "pack").unwrap();
    drop(s);
    until("the session is as it should be", || claim(&b, 10) == [first.id.clone()]);
    assert_eq!(get(&b, &first.id).steps_done, 1);
}

#[test]
fn a_delay_and_a_waiting_claim() {
    let folder = Folder::new("delay");
    let (a, b) = (folder.open(), folder.open());
    let late = SessionSubmitArgs { id: Some("late".into()), delay_ms: 60_000_000, ..Default::default() };
    wait(a.session().submit(late)).unwrap();
    assert!(claim(&a, 10).is_empty());
    assert!(get(&a, "late").waits_until.is_some());
    let waiting = std::thread::spawn(move || {
        wait(b.session().claim(SessionClaimArgs { wait_ms: 20_000, ..Default::default() })).unwrap()
    });
    std::thread::sleep(Duration::from_millis(100));
    submit(&a, "now");
    assert_eq!(waiting.join().unwrap().sessions[0].id, "now");
}

#[test]
#[ignore = "started by the test of the same story"]
fn claims_and_hangs() {
    let Some((folder, _)) = child_args() else { return };
    let ws = open(&folder).unwrap();
    let claimed = claim(&ws, 1000);
    let s = resume(&ws, &claimed[0]).unwrap();
    step(&s, "first").unwrap();
    std::fs::write(folder.join("claimed"), format!("{}\n", claimed.len())).unwrap();
    std::thread::sleep(Duration::from_secs(100));
}

#[test]
fn what_a_dead_process_claimed_is_claimed_again_at_once() {
    let folder = Folder::new("reclaim");
    let ws = folder.open();
    for at in 0..50 {
        submit(&ws, &format!("s{at}"));
    }
    let mut owner = child("session_life::claims_and_hangs", folder.path(), &[]);
    until("the session is as it should be", || lines(&folder.path().join("claimed")) == ["50"]);
    assert!(claim(&ws, 100).is_empty(), "owned by a live process");
    let shown = get(&ws, "s0").owner.unwrap();
    assert_eq!((shown.pid, shown.alive), (owner.id(), true));
    kill(owner.id(), "KILL");
    owner.wait().unwrap();
    assert!(!get(&ws, "s0").owner.unwrap().alive);
    let again = claim(&ws, 100);
    assert_eq!(again.len(), 50);
    assert_eq!(again[0], "s0");
    assert_eq!(get(&ws, "s0").steps_done, 1);
}

#[test]
fn a_cancelled_session_takes_no_more_steps_wherever_it_is_open() {
    let folder = Folder::new("cancel");
    let (owner, other) = (folder.open(), folder.open());
    let s = resume(&owner, "s").unwrap();
    step(&s, "a").unwrap();
    let running = wait(s.begin(StepBeginArgs { name: "b".into(), ..Default::default() })).unwrap();
    let reason = Some("not needed any more".to_owned());
    let ended = wait(other.session().cancel(SessionCancelArgs { id: "s".into(), reason })).unwrap();
    assert_eq!(ended.status, SessionStatus::Cancelled);
    assert_eq!(ended.failure.unwrap().message, "not needed any more");
    until("the owner sees the cancel", || halted(&s, "session.cancelled"));
    // What ran then may still say how it ended.
    wait(s.finish(StepFinishArgs { token: running.token.unwrap(), ..Default::default() })).unwrap();
    assert_eq!(get(&other, "s").steps_done, 2);
    assert_eq!(wait(s.complete(Default::default())).unwrap_err().code(), "session.cancelled");
    wait(other.session().cancel(SessionCancelArgs { id: "s".into(), reason: None })).unwrap();
    assert!(claim(&other, 1).is_empty());
    drop(s);
    let again = resume(&owner, "s").unwrap();
    assert_eq!(step(&again, "a").unwrap(), 7);
    wait(again.begin(StepBeginArgs { name: "b".into(), ..Default::default() })).unwrap();
    assert_eq!(step(&again, "x").unwrap_err().code(), "session.cancelled");
}

#[test]
fn a_paused_session_goes_on_when_it_is_resumed() {
    let folder = Folder::new("pause");
    let (owner, other) = (folder.open(), folder.open());
    let s = resume(&owner, "s").unwrap();
    step(&s, "a").unwrap();
    assert_eq!(wait(other.session().pause(id("s"))).unwrap().status, SessionStatus::Paused);
    until("the owner sees the pause", || halted(&s, "session.paused"));
    drop(s);
    let s = resume(&owner, "s").unwrap();
    assert_eq!(step(&s, "a").unwrap(), 7);
    assert_eq!(step(&s, "b").unwrap_err().code(), "session.paused");
    wait(other.session().resume(id("s"))).unwrap();
    until("the session is as it should be", || step(&s, "b").is_ok());
    wait(s.complete(Default::default())).unwrap();
    assert_eq!(wait(other.session().pause(id("s"))).unwrap_err().code(), "session.finished");
}

#[test]
fn a_deadline_ends_a_session_with_and_without_an_owner() {
    let ws = in_memory();
    let args = |id: &str| SessionOpenArgs { id: id.into(), deadline_ms: Some(30), ..Default::default() };
    let s = wait(ws.session().open(args("owned"))).unwrap();
    let t = wait(ws.session().open(args("left"))).unwrap();
    drop(t);
    std::thread::sleep(Duration::from_millis(60));
    assert_eq!(step(&s, "late").unwrap_err().code(), "session.deadline");
    assert!(claim(&ws, 10).is_empty());
    let left = get(&ws, "left");
    assert_eq!(left.status, SessionStatus::Failed);
    assert!(left.failure.unwrap().message.contains("deadline"));
    let failure = Some(Failure { message: "too late".into(), ..Default::default() });
    wait(s.complete(SessionCompleteArgs { failure, ..Default::default() })).unwrap();
}

#[test]
fn archive_and_prune_keep_what_forks_share() {
    let folder = Folder::new("prune");
    let ws = folder.open();
    for name in ["a", "b", "c"] {
        let s = resume(&ws, name).unwrap();
        step(&s, "one").unwrap();
        let large = Payload::json("x".repeat(50_000));
        let start = wait(s.begin(StepBeginArgs { name: "large".into(), ..Default::default() })).unwrap();
        let finish = StepFinishArgs { token: start.token.unwrap(), result: Some(large), failure: None };
        wait(s.finish(finish)).unwrap();
        if name != "c" {
            wait(s.complete(Default::default())).unwrap();
        }
    }
    assert_eq!(wait(ws.session().archive(id("c"))).unwrap_err().code(), "session.open");
    assert!(wait(ws.session().archive(id("a"))).unwrap().archived);
    let listed = |archived| {
        let list = wait(ws.session().list(SessionListArgs { archived, ..Default::default() })).unwrap();
        list.sessions.into_iter().map(|session| session.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(false), ["c", "b"]);
    assert_eq!(listed(true), ["c", "b", "a"]);
    let fork = SessionForkArgs { id: "b".into(), new_id: "b2".into(), ..Default::default() };
    wait(ws.session().fork(fork)).unwrap();
    let prune = |dry_run| {
        let args = SessionPruneArgs { older_than_ms: 0, dry_run, ..Default::default() };
        wait(ws.session().prune(args)).unwrap()
    };
    assert_eq!(prune(true).sessions, 1);
    let pruned = prune(false);
    assert_eq!((pruned.sessions, pruned.kept_for_forks, pruned.large_values), (1, 1, 0));
    assert_eq!(listed(true), ["b2", "c", "b"]);
    assert_eq!(step(&resume(&ws, "b2").unwrap(), "one").unwrap(), 7);
    let young = SessionPruneArgs { status: Some(SessionStatus::Completed), ..Default::default() };
    assert_eq!(wait(ws.session().prune(young)).unwrap().sessions, 0);
    let wrong = SessionPruneArgs { status: Some(SessionStatus::Open), ..Default::default() };
    assert_eq!(wait(ws.session().prune(wrong)).unwrap_err().code(), "args.invalid");
}

#[test]
fn namespaces_see_nothing_of_each_other() {
    let folder = Folder::new("namespaces");
    let within = |namespace: &str| {
        wait(Workspace::open(OpenArgs {
            path: folder.path().display().to_string(),
            store: Some(folder.named()),
            namespace: namespace.into(),
            ..OpenArgs::default()
        }))
        .unwrap()
    };
    let (a, b) = (within("a"), within("b"));
    submit(&a, "same");
    submit(&b, "same");
    let task = NewTask { name: "t".into(), max_attempts: 1, ..Default::default() };
    wait(a.queue().enqueue(EnqueueArgs { queue: "q".into(), tasks: vec![task] })).unwrap();
    let count = |ws: &Workspace| wait(ws.queue().show(QueueShowArgs { queue: "q".into() })).unwrap().waiting;
    assert_eq!((count(&a), count(&b)), (1, 0));
    assert_eq!(claim(&a, 10), ["same"]);
    assert_eq!(claim(&b, 10), ["same"]);
    let events = |ws: &Workspace| {
        let stream = wait(ws.events().open(Default::default())).unwrap();
        let page = wait(stream.next(Default::default())).unwrap();
        page.events.into_iter().map(|event| event.kind).collect::<Vec<_>>()
    };
    assert_eq!(events(&a), ["session.created", "task.enqueued"]);
    assert_eq!(events(&b), ["session.created"]);
    assert!(claim(&within("c"), 10).is_empty());
}

#[test]
fn a_schedule_fires_once_however_many_processes_claim() {
    let folder = Folder::new("schedule");
    let (a, b) = (folder.open(), folder.open());
    let every_minute = ScheduleCreateArgs {
        name: "sweep".into(),
        cron: Some("* * * * *".into()),
        zone: Some("Europe/Berlin".into()),
        input: Some(Payload::json(1)),
        ..Default::default()
    };
    let kept = wait(a.schedule().create(every_minute.clone())).unwrap();
    assert_eq!(kept.cron.as_deref(), Some("* * * * * Europe/Berlin"));
    assert!(claim(&a, 10).is_empty());
    assert_eq!(wait(a.schedule().create(every_minute)).unwrap_err().code(), "schedule.exists");
    let past = ScheduleCreateArgs {
        name: "past".into(),
        at: Some("2020-01-01T00:00:00Z".into()),
        ..Default::default()
    };
    wait(a.schedule().create(past)).unwrap();
    let both = [claim(&a, 10), claim(&b, 10)].concat();
    assert_eq!(both, ["past@2020-01-01T00:00:00.000Z"]);
    let list = wait(b.schedule().list(NoArgs {})).unwrap().schedules;
    assert_eq!((list[0].name.as_str(), list[0].fired, list[0].next.as_deref()), ("past", 1, None));
    assert!(
        wait(b.schedule().pause(SchedulePauseArgs { name: "sweep".into(), paused: true })).unwrap().paused
    );
    wait(b.schedule().delete(ScheduleNameArgs { name: "sweep".into() })).unwrap();
    for (cron, at) in
        [(Some("61 * * * *"), None), (Some("* *"), None), (None, None), (Some("0 0 30 2 *"), None)]
    {
        let args = ScheduleCreateArgs {
            name: "bad".into(),
            cron: cron.map(str::to_owned),
            at: at.map(str::to_owned),
            ..Default::default()
        };
        let code = wait(a.schedule().create(args)).unwrap_err().code().to_owned();
        assert!(code == "schedule.cron" || (cron.is_none() && code == "args.invalid"), "{cron:?}: {code}");
    }
}

#[test]
fn a_backup_is_one_instant_and_comes_back_whole() {
    if on_server("a server has its own tools for backups") {
        return;
    }
    let folder = Folder::new("backup");
    let ws = folder.open();
    let s = resume(&ws, "before").unwrap();
    step(&s, "a").unwrap();
    let file = folder.path().join("copy.db").display().to_string();
    let args = |replace| BackupArgs { path: file.clone(), replace };
    assert!(wait(ws.backup(args(false))).unwrap().bytes > 0);
    assert_eq!(wait(ws.backup(args(false))).unwrap_err().code(), "path.exists");
    wait(ws.backup(args(true))).unwrap();
    step(&s, "b").unwrap();
    drop(s);
    submit(&ws, "after");
    let events = || {
        let stream = wait(ws.events().open(Default::default())).unwrap();
        wait(stream.next(Default::default())).unwrap().cursor
    };
    let newest = events();
    assert_eq!(wait(ws.restore(RestoreArgs { path: file })).unwrap().sessions, 1);
    assert_eq!(get(&ws, "before").steps_done, 1);
    assert!(wait(ws.session().get(id("after"))).is_err());
    assert!(events() > newest, "cursors went back");
    let s = resume(&ws, "before").unwrap();
    step(&s, "a").unwrap();
    step(&s, "c").unwrap();
    let garbage = folder.path().join("garbage");
    std::fs::write(&garbage, vec![7; 9000]).unwrap();
    let refused = wait(ws.restore(RestoreArgs { path: garbage.display().to_string() })).unwrap_err();
    assert_eq!(refused.code(), "store.not_a_store");
    assert_eq!(get(&ws, "before").steps_done, 2);
    let left = std::fs::read_dir(folder.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".part-"));
    assert_eq!(left.count(), 0);
}

#[test]
fn health_has_a_reason_for_everything() {
    let folder = Folder::new("health");
    let ws = folder.open();
    let _s = resume(&ws, "s").unwrap();
    let health = wait(ws.health(HealthArgs { thorough: true })).unwrap();
    assert!(health.ok, "{health:?}");
    assert!(health.checks.iter().all(|check| !check.reason.is_empty()));
    assert_eq!((health.sessions_open, health.owners.len(), health.owners[0].sessions), (1, 1, 1));
    assert!(health.store_bytes + health.log_bytes > 0);
    assert!(health.free_bytes.is_some() || on_server("how much is free there"));
}
