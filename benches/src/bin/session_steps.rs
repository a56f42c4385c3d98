//! Durable steps beside the floor: the same number of raw commits in SQLite, WAL and FULL.
//!
//! `cargo run --release -p barograph-benches --bin session_steps [FOLDER]` (default: the system's
//! temporary folder, which must lie on a real disk). Prints one JSON object. The raw commit writes
//! one row as wide as a step's; both take turns, so that a slow disk slows both.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use barograph::blocking::wait;
use barograph::{
    EnqueueArgs, NewTask, OpenArgs, Session, SessionOpenArgs, StepBeginArgs, StepFinishArgs, StepPolicy,
    TaskResult, WorkerCompleteArgs, WorkerNextArgs, WorkerOpenArgs, Workspace,
};
use rusqlite::Connection;

const ROUNDS: usize = 10;
const STEPS: usize = 300;
const SESSIONS: usize = 32;
const TASKS: usize = 10_000;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn raw(path: &Path) -> Fallible<Connection> {
    let conn = Connection::open(path)?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.execute_batch("PRAGMA synchronous = FULL; CREATE TABLE step (id INTEGER PRIMARY KEY, body BLOB)")?;
    Ok(conn)
}

fn raw_commits(conn: &Connection) -> Fallible<Duration> {
    let start = Instant::now();
    let mut insert = conn.prepare("INSERT INTO step (body) VALUES (zeroblob(45))")?;
    for _ in 0..STEPS {
        insert.execute([])?;
    }
    Ok(start.elapsed())
}

fn open(path: &Path) -> Fallible<Workspace> {
    let folder = path.parent().unwrap_or(path).display().to_string();
    let store = Some(path.display().to_string());
    Ok(wait(Workspace::open(OpenArgs { path: folder, store, ..OpenArgs::default() }))?)
}

fn session(ws: &Workspace, id: &str) -> Fallible<Session> {
    Ok(wait(ws.session().open(SessionOpenArgs { id: id.into(), ..SessionOpenArgs::default() }))?)
}

async fn steps(session: &Session, count: usize, policy: StepPolicy) -> barograph::Result<()> {
    for _ in 0..count {
        let args = StepBeginArgs { name: "noop".into(), policy, ..StepBeginArgs::default() };
        let token = session.begin(args).await?.token.unwrap_or_default();
        session.finish(StepFinishArgs { token, ..StepFinishArgs::default() }).await?;
    }
    Ok(())
}

fn timed(session: &Session, policy: StepPolicy) -> Fallible<Duration> {
    let start = Instant::now();
    wait(steps(session, STEPS, policy))?;
    Ok(start.elapsed())
}

/// Steps per second of many sessions in one process.
fn together(ws: &Workspace) -> Fallible<f64> {
    let sessions = (0..SESSIONS).map(|at| session(ws, &format!("s{at}"))).collect::<Fallible<Vec<_>>>()?;
    let start = Instant::now();
    let threads: Vec<_> = sessions
        .into_iter()
        .map(|session| std::thread::spawn(move || wait(steps(&session, STEPS, StepPolicy::Retry))))
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a session's thread panicked")??;
    }
    Ok((SESSIONS * STEPS) as f64 / start.elapsed().as_secs_f64())
}

/// Tasks per second, enqueued to finished, in batches of a thousand.
fn tasks(ws: &Workspace) -> Fallible<f64> {
    let worker = wait(ws.worker().open(WorkerOpenArgs::default()))?;
    let task = NewTask { name: "noop".into(), max_attempts: 3, ..NewTask::default() };
    let start = Instant::now();
    wait(ws.queue().enqueue(EnqueueArgs { queue: "default".into(), tasks: vec![task; TASKS] }))?;
    loop {
        let batch = wait(worker.next(WorkerNextArgs { max: 1_000, wait_ms: 0 }))?.tasks;
        if batch.is_empty() {
            return Ok(TASKS as f64 / start.elapsed().as_secs_f64());
        }
        let tasks =
            batch.into_iter().map(|task| TaskResult { id: task.id, ..TaskResult::default() }).collect();
        wait(worker.complete(WorkerCompleteArgs { tasks }))?;
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6 / STEPS as f64
}

fn main() -> Fallible<()> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("barograph-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let conn = raw(&folder.join("raw.db"))?;
    let ws = open(&folder.join("s.db"))?;
    let (retry, once) = (session(&ws, "retry")?, session(&ws, "once")?);
    let (mut floor, mut ours, mut intents) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floor.push(raw_commits(&conn)?);
        ours.push(timed(&retry, StepPolicy::Retry)?);
        intents.push(timed(&once, StepPolicy::Once)?);
    }
    drop((retry, once));
    let (many, queue) = (together(&ws)?, tasks(&ws)?);
    drop(ws);
    let (floor, ours, intents) = (median(floor), median(ours), median(intents));
    let report = serde_json::json!({
        "raw_commit_us": floor,
        "retry_step_us": ours,
        "once_step_us": intents,
        "retry_over_raw": ours / floor,
        "once_over_raw": intents / floor,
        "steps_per_second_32_sessions": many,
        "tasks_per_second": queue,
    });
    writeln!(std::io::stdout(), "{report:#}")?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
