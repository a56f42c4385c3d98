//! Checkpoints of a session, and the ways back to them: restore and fork.

use std::sync::Arc;

use super::handle::{Handle, check_text};
use super::life::{check_range, get, new_session};
use super::plan::Plan;
use super::record::*;
use crate::base::clock::rfc3339;
use crate::error::{Error, Result};
use crate::store::{CheckpointRow, CheckpointWrite, Store, View, encode};

impl Handle {
    /// Makes a checkpoint on request.
    pub async fn checkpoint(&self, args: CheckpointArgs) -> Result<Checkpoint> {
        self.alive()?;
        check_text("name", &args.name, 200)?;
        if let Some(refusal) = self.refusal() {
            return Err(refusal);
        }
        let state = encode(&args.state.clone().unwrap_or_default(), "state")?;
        let position = self.plan().checkpoint()?;
        let write = CheckpointWrite { name: args.name.clone(), position, automatic: false, state };
        let found = self.found();
        let now = self.store().clock().now_ms();
        let seq = self.store().write(move |tx| tx.checkpoint(found.id, found.epoch, &write)).await?;
        *self.progress() = now;
        Ok(Checkpoint {
            id: seq.to_string(),
            name: args.name,
            position: position as u64,
            automatic: false,
            time: rfc3339(now),
            state: args.state,
        })
    }
}

fn checkpoint(row: CheckpointRow) -> Checkpoint {
    Checkpoint {
        id: row.seq.to_string(),
        name: row.name,
        position: row.position as u64,
        automatic: row.automatic,
        time: rfc3339(row.at),
        state: row.state,
    }
}

/// A session's checkpoints, newest first.
pub(crate) async fn checkpoints(store: &Arc<Store>, args: CheckpointsArgs) -> Result<CheckpointList> {
    check_text("id", &args.id, 200)?;
    check_range("limit", args.limit, 1..=10_000)?;
    let namespace = store.namespace();
    let rows = store
        .read(move |view| {
            let session = view.session_number(namespace, &args.id)?.id;
            view.checkpoints(session, args.name.as_deref(), args.states, args.limit)
        })
        .await?;
    Ok(CheckpointList { checkpoints: rows.into_iter().map(checkpoint).collect() })
}

fn find(view: &View<'_>, session: i64, name: &str, id: &str) -> Result<CheckpointRow> {
    let number = id.parse::<i64>().ok();
    let found = view.checkpoints(session, None, true, u32::MAX)?;
    found.into_iter().find(|row| Some(row.seq) == number).ok_or_else(|| {
        Error::new(
            "checkpoint.missing",
            format!("session `{name}` has no checkpoint `{id}`; session.checkpoints shows those that it has"),
        )
        .with("id", name)
        .with("checkpoint", id)
    })
}

/// Takes a session back to a checkpoint; it is open afterwards and nobody's.
pub(crate) async fn restore(store: &Arc<Store>, args: SessionRestoreArgs) -> Result<Checkpoint> {
    check_text("id", &args.id, 200)?;
    let namespace = store.namespace();
    let (id, wanted) = (args.id.clone(), args.checkpoint.clone());
    let row = store
        .read(move |view| {
            let session = view.session_number(namespace, &id)?.id;
            let row = find(view, session, &id, &wanted)?;
            let steps = view.steps(session)?;
            match Plan::once_from(&steps, row.position) {
                Some(step) if !args.again_once => Err(Error::new(
                    "session.once_behind",
                    format!(
                        "step `{}` of policy `once` was begun behind this checkpoint and could happen again; pass again_once if it may",
                        step.name
                    ),
                )
                .with("step", &step.name)),
                _ => Ok(row),
            }
        })
        .await?;
    let (id, position) = (args.id, row.position);
    store.write(move |tx| tx.restore_session(&id, position)).await?;
    Ok(checkpoint(row))
}

/// Makes a session that shares the beginning of another.
pub(crate) async fn fork(store: &Arc<Store>, args: SessionForkArgs) -> Result<SessionSummary> {
    check_text("id", &args.id, 200)?;
    check_text("new_id", &args.new_id, 200)?;
    if args.at.is_some() && args.checkpoint.is_some() {
        return Err(Error::new("args.invalid", "both `at` and `checkpoint` are given; fork at one of them"));
    }
    let namespace = store.namespace();
    let (id, checkpoint) = (args.id.clone(), args.checkpoint.clone());
    let (source, at, labels, input) = store
        .read(move |view| {
            let source = view.session_number(namespace, &id)?.id;
            let steps = view.steps(source)?;
            let end = steps.iter().map(|row| row.step.position + 1).max().unwrap_or(0);
            let at = match (args.at, &checkpoint) {
                (Some(at), _) => i64::try_from(at).unwrap_or(i64::MAX),
                (None, Some(checkpoint)) => find(view, source, &id, checkpoint)?.position,
                (None, None) => end,
            };
            if at > end {
                return Err(Error::new(
                    "args.invalid",
                    format!("`at` is {at}; session `{id}` has recorded {end} steps, fork at 0 to {end}"),
                ));
            }
            Ok((source, at, view.labels(source)?, view.result(source)?))
        })
        .await?;
    let input = args.input.unwrap_or(input);
    let new = new_session(args.labels.unwrap_or(labels), Some(&input), None, None, 0)?;
    let name = args.new_id.clone();
    store.write(move |tx| tx.fork_session(source, at, &name, &new)).await?;
    get(store, args.new_id).await
}
