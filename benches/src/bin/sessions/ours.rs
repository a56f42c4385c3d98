//! Barograph in Rust.

use std::path::Path;
use std::time::Instant;

use barograph::blocking::wait;
use barograph::{
    EnqueueArgs, NewTask, OpenArgs, Session, SessionClaimArgs, SessionListArgs, SessionOpenArgs,
    SessionStatus, StepBeginArgs, StepFinishArgs, StepPolicy, TaskResult, WorkerCompleteArgs, WorkerNextArgs,
    WorkerOpenArgs, Workspace,
};
use serde_json::{Value, json};

use crate::{Contestant, Fallible, spread};

pub struct Ours {
    ws: Workspace,
    one: Option<Session>,
    many: Vec<Session>,
    live: Vec<Session>,
    runtime: tokio::runtime::Runtime,
}

async fn open(ws: &Workspace, id: String) -> barograph::Result<Session> {
    ws.session().open(SessionOpenArgs { id, resume: true, ..SessionOpenArgs::default() }).await
}

/// Steps, and how long each outcome was waited for.
async fn steps(session: &Session, count: usize, policy: StepPolicy) -> barograph::Result<Vec<f64>> {
    let mut waits = Vec::with_capacity(count);
    for _ in 0..count {
        let args = StepBeginArgs { name: "noop".into(), policy, ..StepBeginArgs::default() };
        let token = session.begin(args).await?.token.unwrap_or_default();
        let start = Instant::now();
        session.finish(StepFinishArgs { token, ..StepFinishArgs::default() }).await?;
        waits.push(start.elapsed().as_secs_f64());
    }
    Ok(waits)
}

/// Bytes of memory that this process has in use.
fn resident() -> Fallible<f64> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages: f64 = text.split_whitespace().nth(1).unwrap_or_default().parse()?;
    Ok(pages * 4096.0)
}

impl Ours {
    pub fn open(folder: &Path, server: Option<String>) -> Fallible<Ours> {
        let place = Some(server.unwrap_or_else(|| folder.join("barograph.db").display().to_string()));
        let args = OpenArgs { path: folder.display().to_string(), store: place, ..OpenArgs::default() };
        let ws = wait(Workspace::open(args))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
        Ok(Ours { ws, one: None, many: Vec::new(), live: Vec::new(), runtime })
    }

    fn one(&mut self, count: usize, policy: StepPolicy) -> Fallible<Value> {
        let session = match self.one.take() {
            Some(session) => session,
            None => wait(open(&self.ws, "one".into()))?,
        };
        let start = Instant::now();
        wait(steps(&session, count, policy))?;
        let seconds = start.elapsed().as_secs_f64();
        self.one = Some(session);
        Ok(json!({ "seconds": seconds }))
    }

    fn first(&mut self, sessions: usize) -> Fallible<Vec<Session>> {
        while self.many.len() < sessions {
            self.many.push(wait(open(&self.ws, format!("many-{}", self.many.len())))?);
        }
        Ok(self.many[..sessions].to_vec())
    }

    /// Sessions that all step at once, as tasks of one runtime.
    fn many(&mut self, sessions: usize, count: usize) -> Fallible<Value> {
        let sessions = self.first(sessions)?;
        let start = Instant::now();
        let tasks: Vec<_> = sessions
            .into_iter()
            .map(|session| self.runtime.spawn(async move { steps(&session, count, StepPolicy::Retry).await }))
            .collect();
        let mut waits = Vec::new();
        for task in tasks {
            waits.extend(self.runtime.block_on(task)??);
        }
        let seconds = start.elapsed().as_secs_f64();
        let mut answer = spread(waits);
        answer["seconds"] = seconds.into();
        Ok(answer)
    }

    /// As [`many`](Self::many), each session on a thread of its own.
    fn threads(&mut self, sessions: usize, count: usize) -> Fallible<Value> {
        let sessions = self.first(sessions)?;
        let start = Instant::now();
        let threads: Vec<_> = sessions
            .into_iter()
            .map(|session| std::thread::spawn(move || wait(steps(&session, count, StepPolicy::Retry))))
            .collect();
        let mut waits = Vec::new();
        for thread in threads {
            waits.extend(thread.join().map_err(|_| "a session's thread panicked")??);
        }
        let seconds = start.elapsed().as_secs_f64();
        let mut answer = spread(waits);
        answer["seconds"] = seconds.into();
        Ok(answer)
    }

    /// Tasks from enqueueing to the last result on disk; enqueued, claimed and reported by `batch`.
    fn queue(&mut self, count: usize, batch: usize) -> Fallible<Value> {
        let worker = wait(self.ws.worker().open(WorkerOpenArgs::default()))?;
        let task = NewTask { name: "noop".into(), max_attempts: 3, ..NewTask::default() };
        let start = Instant::now();
        let (mut sent, mut done) = (0, 0);
        while sent < count {
            let size = batch.min(count - sent);
            let tasks = vec![task.clone(); size];
            wait(self.ws.queue().enqueue(EnqueueArgs { queue: "default".into(), tasks }))?;
            sent += size;
        }
        while done < count {
            let claimed = wait(worker.next(WorkerNextArgs { max: batch as u32, wait_ms: 1_000 }))?.tasks;
            let tasks: Vec<_> =
                claimed.into_iter().map(|task| TaskResult { id: task.id, ..TaskResult::default() }).collect();
            done += wait(worker.complete(WorkerCompleteArgs { tasks }))?.accepted as usize;
        }
        Ok(json!({ "seconds": start.elapsed().as_secs_f64() }))
    }

    /// As [`queue`](Self::queue) by many: each enqueues its share, then claims and reports, one task at
    /// a time.
    fn workers(&mut self, count: usize, workers: usize) -> Fallible<Value> {
        let start = Instant::now();
        let tasks: Vec<_> = (0..workers)
            .map(|_| {
                let (ws, share) = (self.ws.clone(), count / workers);
                self.runtime.spawn(async move {
                    let worker = ws.worker().open(WorkerOpenArgs::default()).await?;
                    let task = NewTask { name: "noop".into(), max_attempts: 3, ..NewTask::default() };
                    for _ in 0..share {
                        let args = EnqueueArgs { queue: "default".into(), tasks: vec![task.clone()] };
                        ws.queue().enqueue(args).await?;
                    }
                    for _ in 0..share {
                        let claimed = worker.next(WorkerNextArgs { max: 1, wait_ms: 60_000 }).await?.tasks;
                        let tasks = claimed
                            .into_iter()
                            .map(|task| TaskResult { id: task.id, ..TaskResult::default() })
                            .collect();
                        worker.complete(WorkerCompleteArgs { tasks }).await?;
                    }
                    Ok::<_, barograph::Error>(())
                })
            })
            .collect();
        for task in tasks {
            self.runtime.block_on(task)??;
        }
        Ok(json!({ "seconds": start.elapsed().as_secs_f64() }))
    }

    /// Opens sessions until `count` are open, lets each make `made` steps, and says what an idle one
    /// weighs.
    fn live(&mut self, count: usize, made: usize) -> Fallible<Value> {
        let start = Instant::now();
        // Before the first thousand the page cache and the pools are still growing.
        let mut base = (0, 0.0);
        while self.live.len() < count {
            let from = self.live.len();
            let tasks: Vec<_> = (from..count.min(from + 1_000))
                .map(|at| {
                    let ws = self.ws.clone();
                    self.runtime.spawn(async move {
                        let session = open(&ws, format!("live-{at}")).await?;
                        steps(&session, made, StepPolicy::Retry).await?;
                        Ok::<_, barograph::Error>(session)
                    })
                })
                .collect();
            for task in tasks {
                self.live.push(self.runtime.block_on(task)??);
            }
            if base.0 == 0 {
                base = (self.live.len(), resident()?);
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        let each = (resident()? - base.1) / (self.live.len() - base.0).max(1) as f64;
        let last = self.live.last().cloned().ok_or("no session is open")?;
        let waits = wait(steps(&last, 200, StepPolicy::Retry))?;
        let step = spread(waits)["p50_us"].clone();
        Ok(json!({ "seconds": seconds, "bytes_each": each, "resident": resident()?, "step_us": step }))
    }
}

/// Takes over every session whose process is gone, and lists all that are open.
fn recover(ws: &Workspace) -> Fallible<Value> {
    let start = Instant::now();
    let args = SessionClaimArgs { max: 100_000, ..SessionClaimArgs::default() };
    let claimed = wait(ws.session().claim(args))?.sessions.len();
    let claim = start.elapsed().as_secs_f64();
    let mut args =
        SessionListArgs { status: Some(SessionStatus::Open), limit: 10_000, ..SessionListArgs::default() };
    let mut listed = 0;
    loop {
        let page = wait(ws.session().list(args.clone()))?;
        listed += page.sessions.len();
        args.after = page.next;
        if args.after.is_none() {
            break;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok(json!({ "seconds": seconds, "claim_s": claim, "claimed": claimed, "listed": listed }))
}

impl Contestant for Ours {
    fn obey(&mut self, verb: &str, numbers: &[usize]) -> Fallible<Value> {
        match (verb, numbers) {
            ("steps", &[count]) => self.one(count, StepPolicy::Retry),
            ("once", &[count]) => self.one(count, StepPolicy::Once),
            ("many", &[sessions, count]) => self.many(sessions, count),
            ("threads", &[sessions, count]) => self.threads(sessions, count),
            ("queue", &[count, batch]) => self.queue(count, batch),
            ("workers", &[count, workers]) => self.workers(count, workers),
            ("live", &[count, made]) => self.live(count, made),
            ("recover", []) => recover(&self.ws),
            _ => Err(format!("`barograph` cannot `{verb}`").into()),
        }
    }
}
