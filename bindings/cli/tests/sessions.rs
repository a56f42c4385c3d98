//! Sessions on the command line, on a store that is kept: what there is, what happens, and what is done to them.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Output, Stdio};
use std::time::{Duration, Instant};

use barograph::blocking::Workspace;
use barograph::{Payload, SessionCompleteArgs, SessionOpenArgs, StepBeginArgs, StepFinishArgs};
use common::{Folder, command, err, out, run, status};
use serde_json::Value;

/// A session with one step that is done, as a program leaves it that has gone.
fn leave(folder: &Folder, id: &str, ended: bool) {
    let ws = Workspace::open(folder.text()).unwrap();
    let s = ws.session().open(SessionOpenArgs { id: id.into(), ..SessionOpenArgs::default() }).unwrap();
    let start = s.begin(StepBeginArgs { name: "build".into(), ..StepBeginArgs::default() }).unwrap();
    let result = Some(Payload::json("app.tar"));
    s.finish(StepFinishArgs { token: start.token.unwrap(), result, failure: None }).unwrap();
    if ended {
        s.complete(SessionCompleteArgs { output: Some(Payload::json(7)), failure: None }).unwrap();
    }
}

/// A command on the store of a folder.
fn on(folder: &Folder, line: &[&str]) -> Output {
    run(&[line, &["--repo", folder.text()]].concat())
}

/// What it writes where it succeeds.
fn good(folder: &Folder, line: &[&str]) -> String {
    let done = on(folder, line);
    assert_eq!(status(&done), 0, "{line:?}: {}", err(&done));
    out(&done)
}

/// The same as JSON.
fn json(folder: &Folder, line: &[&str]) -> Value {
    serde_json::from_str(&good(folder, &[line, &["--format", "json"]].concat())).unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    list["sessions"].as_array().unwrap().iter().map(|session| session["id"].as_str().unwrap()).collect()
}

#[test]
fn sessions_are_listed_shown_and_forked() {
    let folder = Folder::new("sessions");
    assert_eq!(good(&folder, &["session", "list"]), "no sessions\n");
    let store = folder.0.join("new.db");
    good(&folder, &["session", "submit", "r0", "--store", store.to_str().unwrap()]);
    leave(&folder, "r1", false);
    leave(&folder, "r2", true);
    let list = good(&folder, &["session", "list"]);
    assert!(list.lines().any(|line| line.contains("r1  open ")), "{list}");
    assert!(list.lines().any(|line| line.contains("r2  completed ")), "{list}");
    let shown = good(&folder, &["session", "show", "r1"]);
    assert!(shown.starts_with("r1  open\n"), "{shown}");
    let step = shown.lines().find(|line| line.contains("build")).unwrap();
    assert!(step.contains("done") && step.contains("\"app.tar\""), "{shown}");
    let forked = good(&folder, &["session", "fork", "r2", "r3", "--labels", "try=2"]);
    assert!(forked.starts_with("r3  open\n") && forked.contains("forked from  r2 at "), "{forked}");
    assert!(good(&folder, &["session", "show", "r3"]).contains("build"));
    assert_eq!(ids(&json(&folder, &["session", "list", "--labels", "try=2"])), ["r3"]);
}

#[test]
fn a_session_is_paused_and_resumed() {
    let folder = Folder::new("paused");
    leave(&folder, "r1", false);
    assert!(good(&folder, &["session", "pause", "r1"]).starts_with("r1  paused\n"));
    assert!(good(&folder, &["session", "resume", "r1"]).starts_with("r1  open\n"));
    // Open already, which is as it should be.
    assert!(good(&folder, &["session", "resume", "r1"]).starts_with("r1  open\n"));
}

#[test]
fn ended_sessions_are_pruned() {
    let folder = Folder::new("pruned");
    leave(&folder, "r1", true);
    leave(&folder, "r2", false);
    assert_eq!(json(&folder, &["session", "prune"])["sessions"], 0, "younger than 30 days");
    // What ended within this very millisecond has not ended longer ago than that.
    std::thread::sleep(Duration::from_millis(5));
    let counted = json(&folder, &["session", "prune", "--older-than", "1ms", "--dry-run"]);
    assert_eq!(counted["sessions"], 1);
    assert_eq!(ids(&json(&folder, &["session", "list"])).len(), 2);
    let text = good(&folder, &["session", "prune", "--older-than", "1ms"]);
    assert!(text.contains("sessions        1\n"), "{text}");
    assert_eq!(ids(&json(&folder, &["session", "list"])), ["r2"]);
}

#[test]
fn a_backup_holds_the_sessions_and_is_taken_back() {
    let (folder, other) = (Folder::new("backup"), Folder::new("restored"));
    leave(&folder, "r1", false);
    let copy = folder.0.join("copy.db");
    let copy = copy.to_str().unwrap();
    let made = json(&folder, &["session", "backup", copy]);
    assert_eq!((&made["path"], made["bytes"].as_u64() > Some(0)), (&copy.into(), true));
    assert_eq!(ids(&json(&folder, &["session", "list", "--store", copy])), ["r1"]);
    let again = on(&folder, &["session", "backup", copy]);
    assert_eq!(status(&again), 4, "{}", err(&again));
    assert!(err(&again).contains("pass `replace`"), "{}", err(&again));
    leave(&folder, "r2", false);
    good(&folder, &["session", "backup", copy, "--replace"]);
    assert_eq!(json(&other, &["workspace", "restore", copy])["sessions"], 2);
    assert_eq!(ids(&json(&other, &["session", "list"])), ["r2", "r1"]);
}

#[test]
fn wrong_input_says_what_to_do() {
    let folder = Folder::new("wrong");
    leave(&folder, "r1", true);
    leave(&folder, "r2", false);
    let text = folder.0.join("notes.txt");
    std::fs::write(&text, "these are notes, and long enough to be taken for something else ".repeat(20))
        .unwrap();
    let text = text.to_str().unwrap();
    for (line, exit, part) in [
        (&["session", "show", "nope"][..], 3, "session.list shows those that exist"),
        (&["session", "show", "nope", "--follow"], 3, "session.list shows those that exist"),
        (&["session", "resume", "nope"], 3, "session.list shows those that exist"),
        (&["session", "resume", "r1"], 5, "session.fork"),
        (&["session", "fork", "nope", "r3"], 3, "session.list shows those that exist"),
        (&["session", "fork", "r1", "r2"], 4, "`r2`"),
        (&["session", "fork", "r1", "r3", "99"], 2, "99"),
        (&["session", "list", "--after", "r1"], 2, "pass `next` of the page before"),
        (&["session", "list", "--status", "done"], 2, "completed"),
        (&["session", "prune", "--older-than", "30"], 2, "write 500ms, 30s, 5m, 12h or 30d"),
        (&["session", "prune", "--status", "open"], 2, "completed"),
        (&["session", "backup"], 2, "<PATH>"),
        (&["session", "backup", "/nowhere/at/all/copy.db"], 10, "/nowhere/at/all/copy.db"),
        (&["session", "list", "--store", text], 9, "name another store"),
        (&["session", "list", "--store", folder.text()], 9, "name a file in it"),
        (&["session", "list", "--store", "/nowhere/at/all.db"], 3, "there is no store `/nowhere/at/all.db`"),
        (
            &["session", "show", "r1", "--follow", "--store", "nowhere.db"],
            3,
            "there is no store `nowhere.db`",
        ),
        (&["session", "backup", "copy.db", "--store", "nowhere.db"], 3, "there is no store `nowhere.db`"),
        (&["workspace", "restore", text], 9, "not a store"),
        (&["workspace", "restore", "/nowhere/at/all"], 3, "there is no file"),
    ] {
        let done = on(&folder, line);
        assert_eq!(status(&done), exit, "{line:?}: {}", err(&done));
        assert!(err(&done).contains(part), "{line:?}: {}", err(&done));
        assert_eq!(out(&done), "", "{line:?}");
    }
}

/// A view that is followed, once it has written what was there when it began.
fn follow(folder: &Folder, line: &[&str], known: usize) -> (Child, BufReader<ChildStdout>) {
    let line = [line, &["--follow", "--format", "json", "--repo", folder.text()]].concat();
    let mut child = command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..known {
        event(&mut lines);
    }
    (child, lines)
}

/// The kind of the next event.
fn event(lines: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let event: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no event: {line:?}"));
    event["kind"].as_str().unwrap().to_owned()
}

/// Its exit status, should it end; one that hangs is killed.
fn ended(mut child: Child) -> Option<i32> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

#[test]
fn what_is_followed_ends_with_its_session() {
    let folder = Folder::new("follow");
    leave(&folder, "r1", false);
    let history = json(&folder, &["session", "history", "r1"])["events"].as_array().unwrap().len();
    let (child, mut lines) = follow(&folder, &["session", "show", "r1"], history);
    good(&folder, &["session", "pause", "r1"]);
    assert_eq!(event(&mut lines), "session.paused");
    good(&folder, &["session", "cancel", "r1", "not today"]);
    assert_eq!(event(&mut lines), "session.cancelled");
    assert_eq!(ended(child), Some(0));
    // What has ended before is shown to its end, and then nothing is waited for.
    let all = good(&folder, &["session", "show", "r1", "--follow"]);
    assert_eq!(all.lines().count(), history + 2, "{all}");
    assert!(all.lines().last().unwrap().ends_with("session.cancelled  r1  not today"), "{all}");
}
