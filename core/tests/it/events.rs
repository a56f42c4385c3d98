//! Events: order, cursors, waking, and rows of other processes.

use std::time::{Duration, Instant};

use barograph::blocking::wait;
use barograph::*;

use crate::support::{Folder, child, child_args, in_memory, open};

fn session(ws: &Workspace, id: &str) -> Session {
    wait(ws.session().open(SessionOpenArgs { id: id.into(), resume: true, ..Default::default() })).unwrap()
}

fn stream(ws: &Workspace, after: u64, follow: bool) -> EventStream {
    wait(ws.events().open(EventsOpenArgs { after, follow, transient: true, ..EventsOpenArgs::default() }))
        .unwrap()
}

fn next(stream: &EventStream, max: u32, wait_ms: u64) -> EventPage {
    wait(stream.next(EventsNextArgs { max, wait_ms })).unwrap()
}

#[test]
fn the_history_is_read_in_order_from_any_cursor() {
    for ws in [in_memory(), Folder::new("history").open()] {
        let s = session(&ws, "s");
        let mut seqs = Vec::new();
        for name in ["a", "b", "c"] {
            let args = StepBeginArgs { name: name.into(), policy: StepPolicy::Once, ..Default::default() };
            let token = wait(s.begin(args)).unwrap().token.unwrap();
            let done = wait(s.finish(StepFinishArgs { token, ..Default::default() })).unwrap();
            seqs.push(done.seq);
        }
        let failure = Some(Failure { message: "out of luck".into(), ..Failure::default() });
        wait(s.complete(SessionCompleteArgs { output: None, failure })).unwrap();
        let all = next(&stream(&ws, 0, false), 100, 0);
        assert!(all.ended && all.events.is_sorted_by_key(|event| event.seq));
        let kinds: Vec<_> = all.events.iter().map(|event| event.kind.as_str()).collect();
        let step = ["session.checkpoint", "step.started", "step.finished"];
        assert_eq!(kinds[0], "session.created");
        assert_eq!(kinds[1..10], [step, step, step].concat());
        assert_eq!(all.events[10].kind, "session.failed");
        assert_eq!(all.events[10].data["failure"]["message"], "out of luck");
        assert!(all.events.iter().all(|event| event.subject == "s"));
        assert_eq!(all.events[3].seq, seqs[0]);
        let rest = next(&stream(&ws, seqs[1], false), 100, 0);
        assert_eq!(rest.events, all.events[7..]);
        let pages = stream(&ws, 0, false);
        let mut seen = Vec::new();
        loop {
            let page = next(&pages, 3, 0);
            assert!(page.events.len() <= 3);
            seen.extend(page.events);
            if page.ended {
                break;
            }
        }
        assert_eq!(seen, all.events);
    }
}

#[test]
fn a_follower_is_woken_and_then_waits_again() {
    let ws = in_memory();
    let follower = stream(&ws, 0, true);
    let empty = next(&follower, 10, 30);
    assert!(empty.events.is_empty() && !empty.ended);
    let waiting = std::thread::spawn({
        let follower = follower.clone();
        move || next(&follower, 10, 20_000)
    });
    std::thread::sleep(Duration::from_millis(20));
    let start = Instant::now();
    session(&ws, "s");
    assert_eq!(waiting.join().unwrap().events.len(), 1);
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(next(&follower, 10, 0).events.is_empty());
}

#[test]
#[ignore = "a child process of other tests"]
fn child_makes_sessions() {
    let Some((folder, args)) = child_args() else { return };
    let ws = open(&folder).unwrap();
    for at in 0..20 {
        session(&ws, &format!("{}-{at}", args[0]));
    }
}

#[test]
fn rows_of_other_processes_come_in_the_order_of_their_numbers() {
    let folder = Folder::new("others");
    let ws = folder.open();
    let follower = stream(&ws, 0, true);
    let names = ["x", "y", "z"];
    let children: Vec<_> =
        names.map(|name| child("events::child_makes_sessions", folder.path(), &[name])).into_iter().collect();
    let mut seen = Vec::new();
    let end = Instant::now() + Duration::from_secs(20);
    while seen.len() < 60 && Instant::now() < end {
        // What was seen stays before what comes later: numbers appear in the order of commits.
        seen.extend(next(&follower, 100, 1_000).events);
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(seen.len(), 60);
    assert!(seen.is_sorted_by(|a, b| a.seq < b.seq));
    for name in names {
        let own: Vec<_> = seen.iter().filter(|event| event.subject.starts_with(name)).collect();
        assert_eq!(own.last().unwrap().subject, format!("{name}-19"));
        assert_eq!(own.len(), 20);
    }
}

#[test]
fn limits_are_named() {
    let ws = in_memory();
    let s = stream(&ws, 0, false);
    for (max, wait_ms, wanted) in [(0, 0, "`max` is 0"), (10_001, 0, "`max`"), (1, u64::MAX, "`wait_ms`")] {
        let error = wait(s.next(EventsNextArgs { max, wait_ms })).unwrap_err();
        assert_eq!(error.code(), "args.invalid");
        assert!(error.message().contains(wanted), "{error}");
    }
    let beyond = EventsOpenArgs { after: u64::MAX, ..Default::default() };
    assert_eq!(wait(ws.events().open(beyond)).unwrap_err().code(), "args.invalid");
}
