//! A worker: claims tasks, keeps its claims alive, reports.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::queue::{check_name, check_range};
use super::record::*;
use crate::base::clock::instant;
use crate::base::runtime::{Process, refuse_forked};
use crate::error::{Error, Result};
use crate::store::{Body, Claim, Outcome, Store, TaskRow, encode};

/// How often a waiting worker looks for tasks whose worker is gone, and for delayed ones.
const LOOK: Duration = Duration::from_millis(50);

/// The longest wait of one call: a day.
const LONGEST_WAIT: u64 = 86_400_000;

#[derive(Debug)]
struct Inner {
    store: Arc<Store>,
    pid: u32,
    queue: String,
    length: Duration,
    lease: i64,
    /// What was claimed and not reported, by id.
    claims: Mutex<HashMap<i64, Claim>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.pid != std::process::id() {
            return;
        }
        let lease = self.lease;
        self.store.forget_lease(lease);
        self.store.cast(move |tx| tx.close_worker(lease));
    }
}

/// Tasks on their way to the caller: given back where it has gone meanwhile.
struct Parcel {
    inner: Arc<Inner>,
    tasks: Vec<TaskRow>,
    /// The claim is on disk: set after the commit, as a claim that failed may be made again.
    claimed: AtomicBool,
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if self.tasks.is_empty() || !*self.claimed.get_mut() || self.inner.pid != std::process::id() {
            return;
        }
        let claims: Vec<Claim> = self.tasks.iter().map(|task| task.claim).collect();
        let lease = self.inner.lease;
        self.inner.store.cast(move |tx| tx.give_back(lease, &claims));
    }
}

/// An open worker; its claims are given back when the last clone is gone.
#[derive(Clone, Debug)]
pub(crate) struct Handle(Arc<Inner>);

impl Handle {
    /// A worker of this queue; nothing is written until it claims.
    pub fn open(store: &Arc<Store>, args: WorkerOpenArgs) -> Result<Handle> {
        check_name("queue", &args.queue)?;
        check_range("lease_ms", args.lease_ms, 100..=3_600_000)?;
        Ok(Handle(Arc::new(Inner {
            store: store.clone(),
            pid: std::process::id(),
            queue: args.queue,
            length: Duration::from_millis(args.lease_ms),
            lease: store.worker_id(),
            claims: Mutex::default(),
        })))
    }

    /// The queue that it takes from.
    pub fn queue(&self) -> &str {
        &self.0.queue
    }

    fn claims(&self) -> MutexGuard<'_, HashMap<i64, Claim>> {
        self.0.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims tasks, waiting for the first one if asked to.
    pub async fn next(&self, args: WorkerNextArgs) -> Result<TaskBatch> {
        refuse_forked(self.0.pid, "worker")?;
        check_range("max", args.max, 1..=10_000)?;
        check_range("wait_ms", args.wait_ms, 0..=LONGEST_WAIT)?;
        let until = instant() + Duration::from_millis(args.wait_ms);
        let store = &self.0.store;
        // Tasks of other processes are seen by the store's own look; this one is for leases that end.
        let _watching = (args.wait_ms > 0).then(|| store.watch());
        loop {
            let arrived = store.work().notified();
            tokio::pin!(arrived);
            // Registered before the look, so that a task that comes in between is not missed.
            arrived.as_mut().enable();
            let queue = self.0.queue.clone();
            let namespace = store.namespace();
            // A look takes no lock that writers need; a claim does.
            if store.read(move |view| view.has_work(namespace, &queue)).await? {
                let tasks = self.claim(args.max).await?;
                if !tasks.is_empty() {
                    return Ok(TaskBatch { tasks });
                }
            }
            let left = until.saturating_duration_since(instant());
            if left.is_zero() {
                return Ok(TaskBatch::default());
            }
            let pause = sleep(left.min(LOOK));
            tokio::select! {
                () = arrived => {}
                () = pause => {}
            }
        }
    }

    async fn claim(&self, max: u32) -> Result<Vec<ClaimedTask>> {
        let inner = self.0.clone();
        let mut parcel = self
            .0
            .store
            .write_then(
                move |tx| {
                    let tasks = tx.claim(inner.lease, inner.length, &inner.queue, max)?;
                    Ok(Parcel { inner, tasks, claimed: AtomicBool::new(false) })
                },
                |result| {
                    if let Ok(parcel) = result {
                        parcel.claimed.store(true, Ordering::Release);
                    }
                },
            )
            .await?;
        let tasks = std::mem::take(&mut parcel.tasks);
        let mut claims = self.claims();
        Ok(tasks
            .into_iter()
            .map(|task| {
                claims.insert(task.claim.task, task.claim);
                ClaimedTask {
                    id: task.claim.task.to_string(),
                    name: task.name,
                    payload: task.payload,
                    attempt: task.claim.attempt as u32,
                }
            })
            .collect())
    }

    /// Reports results of claimed tasks.
    pub async fn complete(&self, args: WorkerCompleteArgs) -> Result<TaskReport> {
        let mut reports = Vec::with_capacity(args.tasks.len());
        for (at, task) in args.tasks.iter().enumerate() {
            let body = encode(&task.result, &format!("tasks[{at}].result"))?;
            reports.push((task.id.as_str(), Outcome::Completed(body)));
        }
        self.report(reports).await
    }

    /// Reports failures of claimed tasks.
    pub async fn fail(&self, args: WorkerFailArgs) -> Result<TaskReport> {
        let mut reports = Vec::with_capacity(args.tasks.len());
        for task in &args.tasks {
            let failure = Body::failure(&task.failure)?;
            reports.push((task.id.as_str(), Outcome::Failed { failure, retry: task.retry }));
        }
        self.report(reports).await
    }

    async fn report(&self, reports: Vec<(&str, Outcome)>) -> Result<TaskReport> {
        refuse_forked(self.0.pid, "worker")?;
        if reports.is_empty() {
            return Ok(TaskReport::default());
        }
        check_range("tasks", reports.len(), 1..=10_000)?;
        let mut seen = HashSet::new();
        let mut writes = Vec::with_capacity(reports.len());
        {
            let claims = self.claims();
            for (id, outcome) in reports {
                let claim = id.parse::<i64>().ok().and_then(|task| claims.get(&task).copied());
                match claim {
                    Some(claim) if seen.insert(claim.task) => writes.push((claim, outcome)),
                    Some(_) => {
                        return Err(Error::new(
                            "args.invalid",
                            format!("task `{id}` stands twice in `tasks`; report each task once"),
                        ));
                    }
                    None => {
                        return Err(Error::new(
                            "queue.not_claimed",
                            format!(
                                "task `{id}` is not claimed by this worker; report a task once, to the worker whose `next` gave it"
                            ),
                        )
                        .with("id", id));
                    }
                }
            }
        }
        let inner = self.0.clone();
        let lease = inner.lease;
        self.0
            .store
            .write_then(
                move |tx| {
                    let refused = tx.report(lease, &writes)?;
                    let report = TaskReport {
                        accepted: (writes.len() - refused.len()) as _,
                        refused: refused.iter().map(i64::to_string).collect(),
                    };
                    Ok((report, writes))
                },
                move |result| {
                    if let Ok((_, writes)) = result {
                        let mut claims = inner.claims.lock().unwrap_or_else(PoisonError::into_inner);
                        for (claim, _) in writes {
                            claims.remove(&claim.task);
                        }
                    }
                },
            )
            .await
            .map(|(report, _)| report)
    }
}

/// A pause on the clock of our runtime, good under any executor.
pub(crate) fn sleep(length: Duration) -> tokio::time::Sleep {
    let _entered = Process::current().runtime().enter();
    tokio::time::sleep(length)
}
