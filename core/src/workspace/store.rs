//! `workspace.health`, `workspace.backup`, `workspace.restore`: how the store is, and copies of it.

use std::path::Path;

use super::Workspace;
use super::record::*;
use crate::base::port::Progress;
use crate::base::runtime::compute;
use crate::error::Result;
use crate::exec::record::QueueSummary;
use crate::session::record::SessionOwner;
use crate::store::{Condition, Durability, Phase};

/// Less free space than this and health says so: 256 MiB.
const LITTLE_SPACE: u64 = 256 << 20;

/// A log larger than this is not moved into the store as it should be: 256 MiB.
const LARGE_LOG: u64 = 256 << 20;

impl Workspace {
    /// How the store is: whether it can be written, what waits, who owns what, how much space is left;
    /// each with its own reason.
    ///
    /// Errors: `store.*` where nothing can be said at all.
    pub async fn health(&self, args: HealthArgs) -> Result<Health> {
        self.alive()?;
        let store = self.shared().store.clone();
        let condition = {
            let store = store.clone();
            compute(move |_| store.condition(args.thorough)).await?
        };
        let written = store.write(|tx| tx.probe()).await;
        Ok(health(condition, written, store.durability()))
    }

    /// Copies the store to a file while it is written: one instant of it, whole or not at all.
    ///
    /// Errors: `path.exists` without `replace`, `store.unsupported` for a store without a file,
    /// `store.*`, `call.cancelled`.
    pub async fn backup(&self, args: BackupArgs) -> Result<BackupFile> {
        self.alive()?;
        let store = self.shared().store.clone();
        let bus = self.shared().bus.clone();
        compute(move |cancel| {
            let seen = |done, total| bus.report(done, total, "pages", "copying the store");
            let bytes = store.backup(Path::new(&args.path), args.replace, cancel, seen)?;
            Ok(BackupFile { path: args.path, bytes })
        })
        .await
    }

    /// Takes everything from a backup, in one transaction: what the store held before is gone, for every
    /// process that has it open. Sessions of the backup are nobody's and can be opened or claimed.
    ///
    /// Errors: `path.missing`, `store.not_a_store`, `store.newer`, `store.*`.
    pub async fn restore(&self, args: RestoreArgs) -> Result<RestoredStore> {
        self.alive()?;
        let store = self.shared().store.clone();
        compute(move |_| Ok(RestoredStore { sessions: store.restore(Path::new(&args.path))? })).await
    }
}

fn health(condition: Condition, written: Result<()>, durability: Durability) -> Health {
    let mut checks = Vec::new();
    let mut check = |name: &str, ok: bool, reason: String| {
        checks.push(HealthCheck { name: name.to_owned(), ok, reason });
    };
    match written {
        Ok(()) => check("store.writable", true, "a transaction was committed".to_owned()),
        Err(error) => check("store.writable", false, error.message().to_owned()),
    }
    match durability {
        Durability::Full => check("store.durability", true, "survives the loss of power".to_owned()),
        Durability::Process => {
            check("store.durability", true, "survives the death of the process".to_owned())
        }
        Durability::None => {
            check("store.durability", true, "everything is in memory, as asked for".to_owned())
        }
    }
    match condition.free_bytes {
        Some(free) if free < LITTLE_SPACE => {
            check("disk.space", false, format!("only {} MiB are free; make room", free >> 20));
        }
        Some(free) => check("disk.space", true, format!("{} MiB are free", free >> 20)),
        None => check("disk.space", true, "nothing is known of the disk".to_owned()),
    }
    let large = condition.log_bytes > LARGE_LOG;
    let log = format!("the log beside the store has {} MiB", condition.log_bytes >> 20);
    check("store.log", !large, if large { format!("{log}; a reader holds it up") } else { log });
    match condition.damage.first() {
        Some(damage) => {
            check("store.whole", false, format!("the store is damaged: {damage}; restore it from a backup"))
        }
        None => check("store.whole", true, "nothing was found wrong".to_owned()),
    }
    let dead: i64 = condition.owners.iter().filter(|owner| !owner.2).map(|owner| owner.3 + owner.4).sum();
    let left = match dead {
        0 => "every owner is alive".to_owned(),
        dead => {
            format!("{dead} sessions and tasks belong to processes that are gone; the next claim takes them")
        }
    };
    check("owners.alive", true, left);
    let of = |wanted: &[Phase]| {
        condition
            .sessions
            .iter()
            .filter(|(phase, _)| wanted.contains(phase))
            .map(|(_, count)| *count as u64)
            .sum()
    };
    Health {
        ok: checks.iter().all(|check| check.ok),
        checks,
        store_bytes: condition.bytes,
        log_bytes: condition.log_bytes,
        free_bytes: condition.free_bytes,
        sessions_open: of(&[Phase::Open]),
        sessions_paused: of(&[Phase::Paused]),
        sessions_ended: of(&[Phase::Completed, Phase::Failed, Phase::Cancelled]),
        queues: condition
            .queues
            .into_iter()
            .map(|(queue, counts)| QueueSummary {
                queue,
                waiting: counts.waiting as u64,
                running: counts.running as u64,
                done: counts.done as u64,
                dead: counts.dead as u64,
            })
            .collect(),
        owners: condition
            .owners
            .into_iter()
            .map(|(pid, host, alive, sessions, tasks)| OwnerLoad {
                owner: SessionOwner { pid, host, alive },
                sessions: sessions as u64,
                tasks: tasks as u64,
            })
            .collect(),
    }
}
