//! A server that goes away while it is worked with: what was acknowledged is there, and is not done again.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use barograph::blocking::wait;
use barograph::*;

use crate::support::{Folder, server, until};

const STEPS: u64 = 400;
const TASKS: u64 = 400;

/// How often the server or its connections are taken away.
const TIMES: u64 = 4;

/// Tries again while the store says that it may help.
fn again<T>(what: &str, mut attempt: impl FnMut() -> Result<T>) -> T {
    let mut failed = 0;
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(error) => {
                failed += 1;
                assert!(error.retryable() && failed < 1000, "{what}: {error:?}");
            }
        }
    }
}

/// What has been acknowledged.
#[derive(Default)]
struct Acknowledged {
    steps: AtomicU64,
    tasks: AtomicU64,
}

fn open(url: &str) -> Workspace {
    let folder = std::env::temp_dir().display().to_string();
    let args = || OpenArgs { path: folder.clone(), store: Some(url.to_owned()), ..OpenArgs::default() };
    again("open", || wait(Workspace::open(args())))
}

fn session(ws: &Workspace) -> Session {
    let args = || SessionOpenArgs { id: "s".into(), resume: true, ..SessionOpenArgs::default() };
    again("open a session", || wait(ws.session().open(args())))
}

fn begin(s: &Session, at: u64) -> StepStart {
    again("begin", || wait(s.begin(StepBeginArgs { name: format!("step {at}"), ..StepBeginArgs::default() })))
}

fn steps(url: &str, told: &Acknowledged) {
    let ws = open(url);
    let s = session(&ws);
    for at in 0..STEPS {
        let start = begin(&s, at);
        assert_eq!(start.state, StepState::Run, "step {at} was never acknowledged");
        let token = start.token.unwrap_or_default();
        again("finish", || {
            wait(s.finish(StepFinishArgs {
                token: token.clone(),
                result: Some(Payload::json(at)),
                ..StepFinishArgs::default()
            }))
        });
        told.steps.fetch_add(1, Ordering::Relaxed);
    }
}

fn enqueue(url: &str) {
    let ws = open(url);
    for at in (0..TASKS).step_by(5) {
        let task = |at: u64| NewTask {
            name: "t".into(),
            key: Some(at.to_string()),
            max_attempts: 1000,
            payload: Payload::json(at),
            ..NewTask::default()
        };
        let tasks = || EnqueueArgs { queue: "q".into(), tasks: (at..at + 5).map(task).collect() };
        again("enqueue", || wait(ws.queue().enqueue(tasks())));
    }
}

fn work(url: &str, told: &Acknowledged) {
    let ws = open(url);
    let args = || WorkerOpenArgs { queue: "q".into(), ..WorkerOpenArgs::default() };
    let worker = again("open a worker", || wait(ws.worker().open(args())));
    let mut done = BTreeSet::new();
    while done.len() < TASKS as usize {
        let batch = again("next", || wait(worker.next(WorkerNextArgs { max: 7, wait_ms: 1_000 })));
        let ids: Vec<String> = batch.tasks.into_iter().map(|task| task.id).collect();
        for id in &ids {
            assert!(!done.contains(id), "task {id} came again after its end was acknowledged");
        }
        let result = |id: &String| TaskResult { id: id.clone(), result: Payload::json("done") };
        let report = again("complete", || {
            wait(worker.complete(WorkerCompleteArgs { tasks: ids.iter().map(result).collect() }))
        });
        assert_eq!(report.refused, Vec::<String>::new(), "the worker has lived all the time");
        told.tasks.fetch_add(ids.len() as u64, Ordering::Relaxed);
        done.extend(ids);
    }
}

/// Works with a server that is disturbed each time that some more has been acknowledged.
fn survive(url: &str, disturb: impl Fn()) {
    let told = Acknowledged::default();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let threads = [
            scope.spawn(|| steps(url, &told)),
            scope.spawn(|| enqueue(url)),
            scope.spawn(|| work(url, &told)),
        ];
        for time in 1..=TIMES {
            until("work goes on", || {
                let broken = threads.iter().any(|thread| thread.is_finished());
                over.store(broken, Ordering::Relaxed);
                let share = |all: u64| all * time / (TIMES + 2);
                let enough = told.steps.load(Ordering::Relaxed) >= share(STEPS)
                    || told.tasks.load(Ordering::Relaxed) >= share(TASKS);
                enough || broken
            });
            disturb();
        }
    });
    let ws = open(url);
    let s = session(&ws);
    for at in 0..STEPS {
        let start = begin(&s, at);
        assert_eq!(start.state, StepState::Done, "step {at} was acknowledged");
        assert_eq!(start.result, Some(Payload::json(at)));
    }
    let it = wait(ws.queue().show(QueueShowArgs { queue: "q".into() })).unwrap();
    assert_eq!((it.waiting, it.running, it.done, it.dead), (0, 0, TASKS, 0));
    let shown = wait(ws.session().show(SessionIdArgs { id: "s".into() })).unwrap();
    assert_eq!(shown.session.steps_done, STEPS, "no step is written twice");
}

fn control(verb: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(".ci/postgres");
    let ran = Command::new(script).args(verb).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

/// A server of one test.
struct Own(String);

impl Drop for Own {
    fn drop(&mut self) {
        control(&["stop", &self.0]);
    }
}

#[test]
fn a_server_that_crashes_again_and_again_loses_nothing() {
    if server().is_none() {
        return;
    }
    let own = Own(std::env::temp_dir()
        .join(format!("barograph-crash-{}", std::process::id()))
        .display()
        .to_string());
    let url = control(&["start", &own.0]);
    survive(&url, || drop(control(&["restart", &own.0, "immediate"])));
}

#[test]
fn connections_that_are_cut_at_any_instant_lose_nothing() {
    let Some(server) = server() else { return };
    let folder = Folder::new("cut");
    let name = folder.path().file_name().unwrap().to_str().unwrap().to_owned();
    let url = format!("{}&application_name={name}", folder.named());
    let cut = format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '{name}'"
    );
    survive(&url, || {
        // Several times in a row, as a connection may be between two transactions.
        for _ in 0..5 {
            let ran = Command::new("psql").args(["-qtAX", "-d", &server, "-c", &cut]).output().unwrap();
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        }
    });
}

#[test]
fn what_a_server_cannot_keep_is_refused() {
    let Some(server) = server() else { return };
    let refused = |store: String, durability: Durability| {
        let path = std::env::temp_dir().display().to_string();
        let args = OpenArgs { path, store: Some(store), durability, ..OpenArgs::default() };
        wait(Workspace::open(args)).unwrap_err()
    };
    let url = Folder::new("refused").named();
    let error = refused(url.clone() + "&sslmode=require", Durability::Full);
    assert_eq!((error.code(), error.kind()), ("store.unsupported", Kind::Unsupported));
    assert_eq!(refused(url, Durability::None).code(), "args.invalid");
    let elsewhere = server.rsplit_once('/').unwrap().0.to_owned() + "/nowhere";
    assert_eq!(refused(elsewhere, Durability::Full).code(), "store.unreachable");
}

#[test]
fn a_server_is_shown_without_its_password() {
    let folder = Folder::new("shown");
    if server().is_none() {
        return;
    }
    let url = folder.named().replacen("barograph@", "barograph:hush@", 1);
    let path = std::env::temp_dir().display().to_string();
    for durability in [Durability::Full, Durability::Process] {
        let args =
            OpenArgs { path: path.clone(), store: Some(url.clone()), durability, ..OpenArgs::default() };
        let info = wait(wait(Workspace::open(args)).unwrap().info(NoArgs {})).unwrap();
        assert_eq!((info.durability, info.store), (durability, Some(folder.named())));
    }
}
