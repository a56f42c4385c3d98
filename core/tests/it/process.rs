//! Commands as steps: what they say, how they end, and that nothing of them outlives its owner.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use barograph::blocking::wait;
use barograph::surface::door;
use barograph::*;
use serde_json::{Value, json};

use crate::support::{Folder, child, child_args, in_memory, kill, lines, until};

fn session(ws: &Workspace, id: &str) -> Session {
    wait(ws.session().open(SessionOpenArgs { id: id.into(), resume: true, ..SessionOpenArgs::default() }))
        .unwrap()
}

fn shell(name: &str, script: &str) -> CommandArgs {
    let argv = ["sh", "-c", script].map(String::from).into();
    CommandArgs { name: name.into(), argv, ..CommandArgs::default() }
}

fn shown(ws: &Workspace, id: &str) -> Vec<StepRecord> {
    wait(ws.session().show(SessionIdArgs { id: id.into() })).unwrap().steps
}

/// Whether a process runs: a zombie does not.
fn runs(pid: u32) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat[stat.rfind(')').unwrap()..].starts_with(") Z"),
        Err(_) if Path::new("/proc/self/stat").exists() => false,
        // SAFETY: takes numbers only; signal 0 is none.
        Err(_) => unsafe { libc::kill(pid as i32, 0) == 0 },
    }
}

/// A tree of five: the command, a child that sleeps, one that is deaf to polite signals with a child
/// of its own, and one that has left its session. Each writes its number to `pids`.
const TREE: &str = r#"
    echo $$ >> pids
    sleep 300 & echo $! >> pids
    (trap '' TERM HUP INT QUIT; sh -c 'echo $$ >> pids; sleep 300; sleep 300' & wait; wait) &
    echo $! >> pids
    setsid sh -c 'trap "" TERM; echo $$ >> pids; sleep 300; sleep 300' &
    while [ "$(wc -l < pids)" -lt 5 ]; do sleep 0.01; done
    : > grown
    wait
"#;

fn grown(folder: &Path) -> Vec<u32> {
    until("the tree is grown", || folder.join("grown").exists());
    let pids: Vec<u32> = lines(&folder.join("pids")).iter().map(|line| line.parse().unwrap()).collect();
    assert_eq!(pids.len(), 5);
    assert!(pids.iter().all(|&pid| runs(pid)), "{pids:?}");
    pids
}

fn gone(pids: &[u32]) {
    until("nothing is left of the tree", || !pids.iter().any(|&pid| runs(pid)));
}

#[test]
fn a_command_is_a_step_that_runs_once() {
    let folder = Folder::new("command");
    for life in 0..3 {
        let ws = folder.open();
        let s = session(&ws, "s");
        let args = CommandArgs {
            environment: [("WORD".to_owned(), "hello".to_owned())].into(),
            stdin: Some("from above\n".into()),
            ..shell("build", "echo run >> log; pwd; echo $WORD; cat; echo aside >&2")
        };
        let result = wait(s.command(args.clone())).unwrap();
        let here = folder.path().canonicalize().unwrap();
        assert_eq!(result.stdout, format!("{}\nhello\nfrom above\n", here.display()));
        assert_eq!((result.stderr.as_str(), result.status, result.signal), ("aside\n", Some(0), None));
        assert_eq!(result.replayed, life > 0);
        // Not checked now, but the same command: what was a failure is run again, and is a result.
        let fails = shell("fails", "echo run >> fails; echo sad >&2; exit 3");
        if life == 0 {
            let error = wait(s.command(fails.clone())).unwrap_err();
            assert_eq!((error.code(), error.kind()), ("task.exit_status", Kind::Failed));
            assert_eq!(
                (error.context()["status"].as_str(), error.context()["stderr"].as_str()),
                ("3", "sad")
            );
            let failure = shown(&ws, "s")[1].failure.clone().unwrap();
            assert_eq!(failure.kind.as_deref(), Some("task.exit_status"));
            assert!(failure.message.ends_with("\nsad"), "{failure:?}");
            continue;
        }
        let result = wait(s.command(CommandArgs { check: false, ..fails.clone() })).unwrap();
        assert_eq!((result.status, result.replayed), (Some(3), life == 2));
        // A recorded status is judged anew, and nothing runs.
        let again = session(&ws, "s");
        wait(again.command(args)).unwrap();
        assert_eq!(wait(again.command(fails)).unwrap_err().code(), "task.exit_status");
    }
    assert_eq!(lines(&folder.path().join("log")), ["run"]);
    assert_eq!(lines(&folder.path().join("fails")), ["run", "run"]);
    // What the command depends on is the step's arguments.
    let ws = folder.open();
    for args in [
        shell("build", "true"),
        CommandArgs { stdin: Some("x".into()), ..shell("build", "true") },
        CommandArgs { folder: Some("/".into()), ..shell("build", "true") },
    ] {
        assert_eq!(wait(session(&ws, "s").command(args)).unwrap_err().code(), "session.diverged");
    }
}

#[test]
fn large_output_is_bounded_and_input_of_any_size_is_taken() {
    let ws = in_memory();
    let s = session(&ws, "s");
    let script =
        "head -c 5000000 /dev/zero | tr '\\0' x; echo end; { head -c 300000 /dev/zero | tr '\\0' y; } >&2";
    let result = wait(s.command(shell("loud", script))).unwrap();
    assert_eq!((result.stdout.len(), result.stdout_dropped), (65_536, 5_000_004 - 65_536));
    assert!(result.stdout.ends_with("xxend\n"));
    assert_eq!((result.stderr.len(), result.stderr_dropped), (65_536, 300_000 - 65_536));
    let million = "a\u{e9}b\u{20ac}".repeat(150_000);
    let echoed =
        wait(s.command(CommandArgs { stdin: Some(million.clone()), ..shell("echo", "cat") })).unwrap();
    assert_eq!(echoed.stdout.len() as u64 + echoed.stdout_dropped, million.len() as u64);
    assert!(million.ends_with(&echoed.stdout) && echoed.stdout.len() > 65_530);
    // Nobody reads it, which is no failure; and without it there is an end at once.
    wait(s.command(CommandArgs { stdin: Some(million), ..shell("deaf", "exec <&-; sleep 0.1") })).unwrap();
    assert_eq!(wait(s.command(shell("none", "cat"))).unwrap().stdout, "");
    // Our threads block every signal, and many hosts ignore SIGPIPE (bit 12): a command sees nothing of it.
    let masks = wait(s.command(shell("masks", "grep -E 'Sig(Blk|Ign)' /proc/self/status || true"))).unwrap();
    for line in masks.stdout.lines() {
        let (name, mask) = line.split_once(":\t").unwrap();
        let mask = u64::from_str_radix(mask, 16).unwrap();
        assert_eq!(if name == "SigBlk" { mask } else { mask & 1 << 12 }, 0, "{line}");
    }
}

#[test]
fn what_cannot_be_started_is_told() {
    let folder = Folder::new("missing");
    let ws = folder.open();
    let s = session(&ws, "s");
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "not a program").unwrap();
    std::fs::set_permissions(&plain, std::fs::Permissions::from_mode(0o644)).unwrap();
    let argv = |program: &str| CommandArgs {
        name: program.into(),
        argv: vec![program.into()],
        ..CommandArgs::default()
    };
    for (args, code) in [
        (argv("no-such-program-here"), "task.not_found"),
        (argv("./plain"), "task.not_started"),
        (CommandArgs { folder: Some("no/such".into()), ..argv("true") }, "path.missing"),
    ] {
        for _ in 0..2 {
            // With a key, so that the second time is a second try.
            let args = CommandArgs { key: Some(code.into()), policy: StepPolicy::Once, ..args.clone() };
            assert_eq!(wait(s.command(args)).unwrap_err().code(), code);
        }
    }
    let steps = shown(&ws, "s");
    assert_eq!(
        steps.iter().map(|step| (step.status, step.attempts)).collect::<Vec<_>>(),
        [(StepStatus::Failed, 2); 3]
    );
    assert_eq!(steps[0].failure.as_ref().unwrap().kind.as_deref(), Some("task.not_found"));
    for args in [
        CommandArgs { argv: vec![], ..argv("a") },
        CommandArgs { argv: vec![String::new()], ..argv("a") },
        argv("a\0b"),
        CommandArgs { folder: Some(String::new()), ..argv("a") },
        CommandArgs { environment: [("A=B".to_owned(), String::new())].into(), ..argv("a") },
        CommandArgs { timeout_ms: Some(0), ..argv("a") },
        CommandArgs { name: String::new(), ..argv("a") },
    ] {
        assert_eq!(wait(s.command(args)).unwrap_err().code(), "args.invalid");
    }
    assert_eq!(shown(&ws, "s").len(), 3);
}

#[test]
fn what_a_command_leaves_running_ends_with_it() {
    let folder = Folder::new("left");
    let s = session(&folder.open(), "s");
    // It holds the output open, which nobody waits for.
    let result = wait(s.command(shell("leaves", "sleep 300 & echo $!"))).unwrap();
    gone(&[result.stdout.trim().parse().unwrap()]);
    // What has left the group on purpose lives on, as the command ended well.
    let script = "setsid sh -c 'echo $$ > daemon; exec sleep 300' & while [ ! -s daemon ]; do sleep 0.01; done; cat daemon";
    let result = wait(s.command(shell("daemon", script))).unwrap();
    let daemon = result.stdout.trim().parse().unwrap();
    assert!(runs(daemon));
    kill(daemon, "KILL");
}

#[test]
fn time_that_is_up_ends_the_whole_tree() {
    let folder = Folder::new("late");
    let ws = folder.open();
    let s = session(&ws, "s");
    // Asked first: it may say a last word.
    let polite = shell("polite", "trap 'echo last words >&2; exit 0' TERM; : > ready; sleep 300 & wait");
    let error = wait(s.command(CommandArgs { timeout_ms: Some(300), ..polite })).unwrap_err();
    assert_eq!((error.code(), error.kind()), ("task.timeout", Kind::Timeout));
    if folder.path().join("ready").exists() {
        assert_eq!(error.context()["stderr"], "last words");
    }
    assert_eq!(shown(&ws, "s")[0].failure.as_ref().unwrap().kind.as_deref(), Some("task.timeout"));
    let deaf = CommandArgs {
        timeout_ms: Some(1_500),
        key: Some("deaf".into()),
        policy: StepPolicy::Once,
        ..shell("deaf", &format!("trap '' TERM\n{TREE}"))
    };
    let error = wait(s.command(deaf.clone())).unwrap_err();
    assert_eq!(error.code(), "task.timeout");
    gone(&lines(&folder.path().join("pids")).iter().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>());
    // Cut short, so nobody knows whether it had its effect.
    let error = wait(s.command(deaf.clone())).unwrap_err();
    assert_eq!(error.code(), "session.unknown");
    let token = error.context()["token"].clone();
    let result = json!({ "status": 0, "stdout": "seen", "stderr": "", "stdout_dropped": 0, "stderr_dropped": 0, "took_ms": 1 });
    wait(s.finish(StepFinishArgs { token, result: Some(Payload::json(result)), failure: None })).unwrap();
    let decided = wait(s.command(deaf)).unwrap();
    assert_eq!((decided.stdout.as_str(), decided.replayed), ("seen", true));
}

fn door_session(folder: &Folder, id: &str) -> (u64, u64) {
    let store = folder.store().display().to_string();
    let opened = |handle: u64, op: &str, args: Value| -> u64 {
        let answer = door::call(handle, op, args.to_string().as_bytes(), door::NO_TOKEN).unwrap();
        serde_json::from_slice::<Value>(&answer).unwrap()["handle"].as_u64().unwrap()
    };
    let ws = opened(door::ROOT, "workspace.open", json!({ "path": folder.path(), "store": store }));
    (ws, opened(ws, "session.open", json!({ "id": id, "resume": true })))
}

#[test]
fn a_cancelled_call_ends_the_whole_tree_and_the_step_can_be_run_again() {
    let folder = Folder::new("cancel");
    let (ws, s) = door_session(&folder, "s");
    let script = format!("[ -e grown ] && exit 0\n{TREE}");
    let args = serde_json::to_vec(&shell("grow", &script)).unwrap();
    let token = door::token();
    let (call, first) = (args.clone(), token);
    let thread = std::thread::spawn(move || door::call(s, "session.command", &call, first));
    let pids = grown(folder.path());
    door::cancel(token);
    assert_eq!(thread.join().unwrap().unwrap_err().code(), "call.cancelled");
    // Nothing was recorded; run again in its place, it waits until the first try is over.
    let again = door::call(s, "session.command", &args, door::NO_TOKEN).unwrap();
    assert!(!pids.iter().any(|&pid| runs(pid)));
    assert_eq!(serde_json::from_slice::<Value>(&again).unwrap()["replayed"], false);
    let steps = shown(&folder.open(), "s");
    assert_eq!((steps.len(), steps[0].status, steps[0].attempts), (1, StepStatus::Done, 1));
    [s, ws].into_iter().for_each(door::close);
}

#[test]
fn a_closed_handle_ends_the_whole_tree() {
    let folder = Folder::new("closed");
    let (ws, s) = door_session(&folder, "s");
    let args = serde_json::to_vec(&shell("grow", TREE)).unwrap();
    let thread = std::thread::spawn(move || door::call(s, "session.command", &args, door::NO_TOKEN));
    let pids = grown(folder.path());
    door::close(s);
    assert_eq!(thread.join().unwrap().unwrap_err().code(), "call.cancelled");
    gone(&pids);
    door::close(ws);
}

#[test]
fn a_handle_that_loses_its_session_ends_the_whole_tree() {
    for another_store in [false, true] {
        let folder = Folder::new("lost");
        let ws = folder.open();
        let s = session(&ws, "s");
        let old = s.clone();
        let thread = std::thread::spawn(move || wait(old.command(shell("grow", TREE))));
        let pids = grown(folder.path());
        let other = if another_store { folder.open() } else { ws.clone() };
        let new = session(&other, "s");
        assert_eq!(thread.join().unwrap().unwrap_err().code(), "session.lease_lost");
        assert!(!pids.iter().any(|&pid| runs(pid)));
        assert_eq!(wait(s.command(shell("next", "true"))).unwrap_err().code(), "session.lease_lost");
        assert!(!wait(new.command(shell("next", "true"))).unwrap().replayed);
    }
}

#[test]
fn a_cancelled_session_ends_the_whole_tree() {
    let folder = Folder::new("cancelled");
    let ws = folder.open();
    let s = session(&ws, "s");
    let thread = std::thread::spawn(move || wait(s.command(shell("grow", TREE))));
    let pids = grown(folder.path());
    wait(ws.session().cancel(SessionCancelArgs { id: "s".into(), ..SessionCancelArgs::default() })).unwrap();
    assert_eq!(thread.join().unwrap().unwrap_err().code(), "session.cancelled");
    assert!(!pids.iter().any(|&pid| runs(pid)));
}

#[test]
fn the_deadline_of_a_session_is_that_of_its_commands() {
    let folder = Folder::new("deadline");
    let ws = folder.open();
    let args = SessionOpenArgs { id: "s".into(), deadline_ms: Some(400), ..SessionOpenArgs::default() };
    let s = wait(ws.session().open(args)).unwrap();
    let error = wait(s.command(shell("wait", "sleep 300"))).unwrap_err();
    assert_eq!((error.code(), error.kind()), ("session.deadline", Kind::Timeout));
}

// What a child process does; see `support::child`.

#[test]
#[ignore = "a child process of other tests"]
fn child_owner() {
    let Some((folder, args)) = child_args() else { return };
    let ws = short(&folder);
    let s = session(&ws, "s");
    match args[0].as_str() {
        "guard" => {
            // The guard is killed by a stranger: another one takes over what the first watched.
            let first = s.clone();
            std::thread::spawn(move || {
                wait(first.command(CommandArgs { key: Some("1".into()), ..shell("grow", TREE) }))
            });
            grown(&folder);
            let guards = children_named("Kills what a process leaves running");
            assert_eq!(guards.len(), 1);
            kill(guards[0], "KILL");
            until("the guard is gone", || !runs(guards[0]));
            wait(s.command(CommandArgs { key: Some("2".into()), ..shell("next", ": > next; sleep 300") }))
                .unwrap();
        }
        "fork" => {
            let running = std::thread::spawn(move || wait(s.command(shell("grow", TREE))));
            grown(&folder);
            // SAFETY: the child only sleeps.
            let forked = unsafe { libc::fork() };
            if forked == 0 {
                std::thread::sleep(Duration::from_secs(60));
                std::process::exit(0);
            }
            std::fs::write(folder.join("forked"), forked.to_string()).unwrap();
            let _ = running.join();
        }
        "exit" => {
            std::thread::spawn(move || wait(s.command(shell("grow", TREE))));
            grown(&folder);
            std::process::exit(0);
        }
        "stop" => {
            let error = wait(s.command(shell("grow", TREE))).unwrap_err();
            let late = wait(s.begin(StepBeginArgs { name: "late".into(), ..StepBeginArgs::default() }));
            let said = format!("{}\n{}\n", error.code(), late.unwrap_err().code());
            std::fs::write(folder.join("said.new"), said).unwrap();
            std::fs::rename(folder.join("said.new"), folder.join("said")).unwrap();
        }
        policy => {
            let policy = if policy == "once" { StepPolicy::Once } else { StepPolicy::Retry };
            let script = format!("echo run >> log\n{TREE}");
            let _ = wait(s.command(CommandArgs { policy, ..shell("grow", &script) }));
        }
    }
}

/// A workspace whose sessions are free one second after the last sign of life.
fn short(folder: &Path) -> Workspace {
    wait(Workspace::open(OpenArgs {
        path: folder.display().to_string(),
        store: Some(folder.join("s.db").display().to_string()),
        lease_ms: 1_000,
        ..OpenArgs::default()
    }))
    .unwrap()
}

fn children_named(text: &str) -> Vec<u32> {
    let mine = format!(" {} ", std::process::id());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter(|pid: &u32| {
            let read =
                |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
            let stat = read("stat");
            let parent = stat.rfind(')').map(|end| stat[end + 3..].to_owned()).unwrap_or_default();
            parent.starts_with(&mine) && read("cmdline").contains(text)
        })
        .collect()
}

const OWNER: &str = "process::child_owner";

#[test]
fn a_killed_owner_takes_the_whole_tree_with_it() {
    for policy in ["retry", "once"] {
        let folder = Folder::new("killed");
        let mut owner = child(OWNER, folder.path(), &[policy]);
        let pids = grown(folder.path());
        kill(owner.id(), "KILL");
        owner.wait().unwrap();
        gone(&pids);
        std::fs::remove_file(folder.path().join("grown")).unwrap();
        std::fs::remove_file(folder.path().join("pids")).unwrap();
        if policy == "retry" {
            let mut next = child(OWNER, folder.path(), &[policy]);
            let pids = grown(folder.path());
            kill(next.id(), "KILL");
            next.wait().unwrap();
            gone(&pids);
            assert_eq!(lines(&folder.path().join("log")), ["run", "run"]);
        } else {
            let s = session(&folder.open(), "s");
            let script = format!("echo run >> log\n{TREE}");
            let args = CommandArgs { policy: StepPolicy::Once, ..shell("grow", &script) };
            assert_eq!(wait(s.command(args)).unwrap_err().code(), "session.unknown");
            assert_eq!(lines(&folder.path().join("log")), ["run"]);
        }
    }
}

#[test]
fn an_owner_that_ends_by_itself_takes_the_whole_tree_with_it() {
    let folder = Folder::new("exits");
    let mut owner = child(OWNER, folder.path(), &["exit"]);
    let pids = grown_or_gone(folder.path());
    owner.wait().unwrap();
    gone(&pids);
}

/// The tree's numbers, where it may have been ended as soon as it was grown.
fn grown_or_gone(folder: &Path) -> Vec<u32> {
    until("the tree is grown", || folder.join("grown").exists());
    lines(&folder.join("pids")).iter().map(|line| line.parse().unwrap()).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_forked_child_of_the_owner_keeps_nothing_alive() {
    let folder = Folder::new("forked");
    let mut owner = child(OWNER, folder.path(), &["fork"]);
    let pids = grown(folder.path());
    let mark = folder.path().join("forked");
    until("the owner has forked", || std::fs::read_to_string(&mark).is_ok_and(|text| !text.is_empty()));
    let forked: u32 = std::fs::read_to_string(&mark).unwrap().parse().unwrap();
    kill(owner.id(), "KILL");
    owner.wait().unwrap();
    gone(&pids);
    assert!(runs(forked));
    kill(forked, "KILL");
}

#[cfg(target_os = "linux")]
#[test]
fn a_killed_guard_is_replaced() {
    let folder = Folder::new("guard");
    let mut owner = child(OWNER, folder.path(), &["guard"]);
    let pids = grown(folder.path());
    until("the next command runs", || folder.path().join("next").exists());
    kill(owner.id(), "KILL");
    owner.wait().unwrap();
    gone(&pids);
}

#[test]
fn an_owner_that_was_stopped_beyond_its_lease_ends_its_tree_when_it_goes_on() {
    let folder = Folder::new("stopped");
    let mut owner = child(OWNER, folder.path(), &["stop"]);
    let pids = grown(folder.path());
    kill(owner.id(), "STOP");
    let ws = short(folder.path());
    let open = || {
        let args = SessionOpenArgs { id: "s".into(), resume: true, ..SessionOpenArgs::default() };
        wait(ws.session().open(args))
    };
    let mut taken = None;
    until("the lease is over", || {
        taken = open().ok();
        taken.is_some()
    });
    assert_eq!(wait(taken.as_ref().unwrap().command(shell("grow", "echo mine"))).unwrap().stdout, "mine\n");
    assert!(pids.iter().all(|&pid| runs(pid)));
    kill(owner.id(), "CONT");
    owner.wait().unwrap();
    gone(&pids);
    assert_eq!(lines(&folder.path().join("said")), ["session.lease_lost", "session.lease_lost"]);
    let steps = shown(&ws, "s");
    assert_eq!((steps.len(), steps[0].attempts, steps[0].status), (1, 1, StepStatus::Done));
}
