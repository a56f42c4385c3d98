//! Two owners of one session: whoever was stopped past its lease finds everything taken, and writes
//! nothing more.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Child;

use barograph::blocking::wait;
use barograph::*;

use crate::support::{Folder, child, child_args, kill, lines, note, open_with, until};

/// The shortest lease there is.
const LEASE_MS: u64 = 1_000;

const STEPS: u64 = 40;

/// The machine is suspended in the work of this step.
const STOPPED_IN: u64 = 6;

fn workspace(folder: &Path) -> Workspace {
    open_with(folder, OpenArgs { lease_ms: LEASE_MS, ..OpenArgs::default() }).unwrap()
}

fn session(ws: &Workspace, id: &str) -> Result<Session> {
    wait(ws.session().open(SessionOpenArgs { id: id.into(), resume: true, ..SessionOpenArgs::default() }))
}

fn begin(s: &Session, name: &str, policy: StepPolicy) -> Result<StepStart> {
    wait(s.begin(StepBeginArgs { name: name.into(), policy, ..StepBeginArgs::default() }))
}

fn finish(s: &Session, start: &StepStart, value: &str) -> Result<StepFinished> {
    let token = start.token.clone().expect("a token");
    wait(s.finish(StepFinishArgs { token, result: Some(Payload::json(value)), failure: None }))
}

fn fail(s: &Session, start: &StepStart) -> Result<StepFinished> {
    let failure = Some(Failure { message: "too late".into(), ..Failure::default() });
    wait(s.finish(StepFinishArgs { token: start.token.clone().unwrap(), result: None, failure }))
}

fn complete(s: &Session, value: &str) -> Result<SessionSummary> {
    wait(s.complete(SessionCompleteArgs { output: Some(Payload::json(value)), failure: None }))
}

/// The session, once its owner's time is over.
fn taken(ws: &Workspace, id: &str) -> Session {
    let mut found = None;
    until("the session is free", || match session(ws, id) {
        Ok(session) => found.replace(session).is_none(),
        Err(error) => {
            assert_eq!((error.code(), error.retryable()), ("session.owned", true), "{error:?}");
            false
        }
    });
    found.unwrap()
}

fn stopped_at(mut owner: Child, folder: &Path, word: &str) -> Child {
    until("the owner has come so far", || {
        assert!(owner.try_wait().unwrap().is_none(), "the owner has ended");
        lines(&folder.join("log")).iter().any(|line| line == word)
    });
    kill(owner.id(), "STOP");
    owner
}

#[test]
#[ignore = "a child process of other tests"]
fn child_is_late() {
    let Some((folder, _)) = child_args() else { return };
    let ws = workspace(&folder);
    let s = session(&ws, "s").unwrap();
    let (retry, once) = (StepPolicy::Retry, StepPolicy::Once);
    finish(&s, &begin(&s, "recorded", retry).unwrap(), "first").unwrap();
    let at_work = begin(&s, "at work", retry).unwrap();
    let other = begin(&s, "other", retry).unwrap();
    let deploy = begin(&s, "deploy", once).unwrap();
    note(&folder, "holds");
    until("the new owner is through", || folder.join("through").exists());
    let late = [
        finish(&s, &at_work, "late").unwrap_err(),
        fail(&s, &other).unwrap_err(),
        finish(&s, &deploy, "late").unwrap_err(),
        begin(&s, "publish", once).unwrap_err(),
        complete(&s, "late").unwrap_err(),
        // Not only the first of them.
        finish(&s, &at_work, "late").unwrap_err(),
    ];
    for error in late {
        note(&folder, &format!("{} {:?} {}", error.code(), error.kind(), error.retryable()));
    }
    note(&folder, session(&ws, "s").unwrap_err().code());
}

#[test]
fn late_writes_of_a_stopped_owner_are_all_refused() {
    let folder = Folder::new("late");
    let owner = child("ownership::child_is_late", folder.path(), &[]);
    let mut owner = stopped_at(owner, folder.path(), "holds");
    let ws = workspace(folder.path());
    let s = taken(&ws, "s");
    let (retry, once) = (StepPolicy::Retry, StepPolicy::Once);
    assert_eq!(begin(&s, "recorded", retry).unwrap().result, Some(Payload::json("first")));
    finish(&s, &begin(&s, "at work", retry).unwrap(), "mine").unwrap();
    finish(&s, &begin(&s, "other", retry).unwrap(), "mine").unwrap();
    let deploy = begin(&s, "deploy", once).unwrap();
    assert_eq!(deploy.state, StepState::Unknown);
    finish(&s, &deploy, "mine").unwrap();
    std::fs::write(folder.path().join("through"), "").unwrap();
    kill(owner.id(), "CONT");
    assert!(owner.wait().unwrap().success(), "{:?}", lines(&folder.path().join("log")));
    let log = lines(&folder.path().join("log"));
    assert_eq!(log[1..7], ["session.lease_lost Conflict false"; 6]);
    assert_eq!(log[7], "session.owned");
    // And the new owner goes on as if nobody had tried.
    complete(&s, "mine").unwrap();
    let shown = wait(ws.session().show(SessionIdArgs { id: "s".into() })).unwrap();
    let results: BTreeMap<_, _> =
        shown.steps.into_iter().map(|step| (step.name, step.result.unwrap().json)).collect();
    let wanted = [("recorded", "first"), ("at work", "mine"), ("other", "mine"), ("deploy", "mine")];
    assert_eq!(results, wanted.map(|(name, value)| (name.to_owned(), value.into())).into());
    assert_eq!(shown.session.output, Some(Payload::json("mine")));
}

/// Goes through the steps of a session as soon as it can have it, until it is through or refused.
fn go_through(folder: &Path, me: &str, id: &str) {
    let ws = workspace(folder);
    let s = taken(&ws, id);
    let (mut at, mut lost) = (0, None);
    while at < STEPS && lost.is_none() {
        let policy = if at % 4 == 3 { StepPolicy::Once } else { StepPolicy::Retry };
        lost = step(folder, &s, me, id, at, policy).err();
        at += 1;
    }
    match lost.or_else(|| complete(&s, "end").err()) {
        None => note(folder, &format!("end {id} {me}")),
        Some(error) => {
            assert_eq!(error.code(), "session.lease_lost", "{error:?}");
            note(folder, &format!("lost {id} {me}"));
        }
    }
}

fn step(folder: &Path, s: &Session, me: &str, id: &str, at: u64, policy: StepPolicy) -> Result<()> {
    let start = begin(s, &format!("step {at}"), policy)?;
    match start.state {
        StepState::Done => return Ok(()),
        StepState::Run => note(folder, &format!("effect {id} {at} {me}")),
        StepState::Unknown => note(folder, &format!("unknown {id} {at} {me}")),
    }
    if at == STOPPED_IN {
        until("the machine goes on", || folder.join("goes on").exists());
    }
    finish(s, &start, me)?;
    note(folder, &format!("ack {id} {at} {me}"));
    Ok(())
}

#[test]
#[ignore = "a child process of other tests"]
fn child_goes_through() {
    let Some((folder, args)) = child_args() else { return };
    go_through(&folder, &args[0], &args[1]);
}

#[test]
fn a_machine_that_was_suspended_loses_nothing() {
    let folder = Folder::new("suspended");
    // Two sessions with an owner each; the first has somebody who waits for it.
    let start = |me: &str, id: &str| child("ownership::child_goes_through", folder.path(), &[me, id]);
    let owners = [stopped_at(start("a", "s"), folder.path(), "effect s 6 a"), {
        stopped_at(start("b", "t"), folder.path(), "effect t 6 b")
    }];
    let waiting = start("c", "s");
    kill(waiting.id(), "STOP");
    // Longer than any lease: who is continued first may find the session free.
    std::thread::sleep(std::time::Duration::from_millis(LEASE_MS * 3 / 2));
    let mut all: Vec<Child> = owners.into_iter().chain([waiting]).collect();
    std::fs::write(folder.path().join("goes on"), "").unwrap();
    // Whoever waits goes first, so that it has a chance to find the owner's time over.
    for child in all.iter().rev() {
        kill(child.id(), "CONT");
    }
    for child in &mut all {
        assert!(child.wait().unwrap().success(), "{:?}", lines(&folder.path().join("log")));
    }
    let log = lines(&folder.path().join("log"));
    // Nobody wanted the second one, so its owner has it still.
    assert!(log.contains(&"end t b".to_owned()), "{log:?}");
    assert!(log.iter().any(|line| line == "end s a" || line == "end s c"), "{log:?}");
    for id in ["s", "t"] {
        for at in 0..STEPS {
            // Where and by whom a line of this step was written.
            let find = |word: &str| {
                let start = format!("{word} {id} {at} ");
                let place =
                    |(place, line): (usize, &String)| Some((place, line.strip_prefix(&start)?.to_owned()));
                log.iter().enumerate().filter_map(place).collect::<Vec<_>>()
            };
            let (effects, acks, unknown) = (find("effect"), find("ack"), find("unknown"));
            let [(ack, by)] = &acks[..] else { panic!("{id} {at} was acknowledged {acks:?}: {log:?}") };
            for (place, who) in &effects {
                // Who was stopped in a step does not know that another has done it since.
                let last = log.iter().rposition(|line| line.starts_with("effect") && line.ends_with(who));
                let in_time = who == by && place < ack || who != by && last == Some(*place);
                assert!(in_time, "{id} {at} ran again: {log:?}");
            }
            let most = if at % 4 == 3 { 1 } else { 2 };
            assert!(effects.len() <= most && effects.len() + unknown.len() >= 1, "{id} {at}: {log:?}");
        }
        let ws = workspace(folder.path());
        let shown = wait(ws.session().show(SessionIdArgs { id: id.into() })).unwrap();
        assert_eq!((shown.session.status, shown.session.steps_done), (SessionStatus::Completed, STEPS));
    }
}
