//! Sessions from outside: submitted, claimed, listed, cancelled, signalled, pruned.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::canonical::hash;
use super::handle::check_text;
use super::record::*;
use super::schedule;
use crate::base::clock::{Clock, instant, rfc3339};
use crate::base::id::hex;
use crate::base::value::{Failure, Payload};
use crate::error::{Error, Result};
use crate::exec::worker::sleep;
use crate::observe::event::EventPage;
use crate::store::{
    Body, ClaimedRow, Filter, NewSession, Phase, Pruning, SessionRow, Span, StepMark, Store, encode,
};

/// How often a waiting claim looks for what died elsewhere.
const LOOK: Duration = Duration::from_millis(250);

/// The longest wait of one call: a day.
pub(super) const LONGEST_WAIT: u64 = 86_400_000;

/// The longest delay or deadline: ten years, in milliseconds.
pub(super) const LONGEST: u64 = 315_576_000_000;

/// Refuses a number outside `range`.
pub(super) fn check_range<T: PartialOrd + std::fmt::Display>(
    what: &str,
    value: T,
    range: std::ops::RangeInclusive<T>,
) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(Error::new(
        "args.invalid",
        format!("`{what}` is {value}; it takes {} to {}", range.start(), range.end()),
    )
    .with("argument", what))
}

fn check_labels(labels: &BTreeMap<String, String>) -> Result<()> {
    if labels.len() > 64 {
        return Err(Error::new(
            "args.invalid",
            format!("`labels` has {} entries; at most 64 are taken", labels.len()),
        ));
    }
    for (name, value) in labels {
        check_text("labels", name, 200)?;
        if value.chars().count() > 1000 {
            return Err(Error::new("args.invalid", format!("label `{name}` has more than 1,000 characters")));
        }
    }
    Ok(())
}

/// What a new session starts with, checked.
pub(super) fn new_session(
    labels: BTreeMap<String, String>,
    input: Option<&Payload>,
    parent: Option<String>,
    deadline_ms: Option<u64>,
    delay_ms: u64,
) -> Result<NewSession> {
    check_labels(&labels)?;
    if let Some(deadline) = deadline_ms {
        check_range("deadline_ms", deadline, 1..=LONGEST)?;
    }
    check_range("delay_ms", delay_ms, 0..=LONGEST)?;
    Ok(NewSession {
        labels,
        input: encode(input.unwrap_or(&Payload::default()), "input")?,
        parent,
        deadline_ms: deadline_ms.map(|deadline| deadline as i64),
        delay_ms: delay_ms as i64,
        key: None,
    })
}

/// Makes a session that whoever claims it will run.
pub(crate) async fn submit(store: &Arc<Store>, args: SessionSubmitArgs) -> Result<SessionSubmitted> {
    if let Some(id) = &args.id {
        check_text("id", id, 200)?;
    }
    if let Some(key) = &args.key {
        check_text("key", key, 200)?;
    }
    let mut new =
        new_session(args.labels, args.input.as_ref(), args.parent, args.deadline_ms, args.delay_ms)?;
    new.key = args.key;
    let id = args.id.unwrap_or_else(crate::base::id::random);
    let (id, created) = store.write(move |tx| tx.submit_session(&id, &new)).await?;
    Ok(SessionSubmitted { id, created })
}

/// Claimed sessions on their way to the caller: given back where it has gone meanwhile.
struct Parcel {
    store: Arc<Store>,
    sessions: Vec<ClaimedRow>,
}

impl Drop for Parcel {
    fn drop(&mut self) {
        for row in std::mem::take(&mut self.sessions) {
            self.store.let_go(row.id, row.epoch);
            self.store.cast(move |tx| tx.release_session(row.id, row.epoch, 0, &[]));
        }
    }
}

/// Claims sessions that nobody owns, and fires what schedules are due.
pub(crate) async fn claim(store: &Arc<Store>, args: SessionClaimArgs) -> Result<SessionBatch> {
    check_range("max", args.max, 1..=100_000)?;
    check_range("wait_ms", args.wait_ms, 0..=LONGEST_WAIT)?;
    check_labels(&args.labels)?;
    let until = instant() + Duration::from_millis(args.wait_ms);
    let namespace = store.namespace();
    let watching = (args.wait_ms > 0).then(|| store.watch());
    loop {
        let arrived = store.work().notified();
        tokio::pin!(arrived);
        // Registered before the look, so that a session that comes in between is not missed.
        arrived.as_mut().enable();
        let now = Clock::system().now_ms();
        let (there, next) = store.read(move |view| view.has_sessions(namespace, now)).await?;
        if there {
            let sessions = take(store, args.max, args.labels.clone()).await?;
            if !sessions.is_empty() {
                drop(watching);
                return Ok(SessionBatch { sessions });
            }
        }
        let left = until.saturating_duration_since(instant());
        if left.is_zero() {
            return Ok(SessionBatch::default());
        }
        let due = next.map_or(LOOK, |next| Duration::from_millis((next - now).max(1) as u64));
        tokio::select! {
            () = arrived => {}
            () = sleep(left.min(LOOK).min(due)) => {}
        }
    }
}

async fn take(store: &Arc<Store>, max: u32, labels: BTreeMap<String, String>) -> Result<Vec<ClaimedSession>> {
    let (held, noted) = (store.clone(), store.clone());
    let mut parcel = store
        .write_then(
            move |tx| {
                tx.fire_schedules(&schedule::after)?;
                Ok(Parcel { store: held, sessions: tx.claim_sessions(max, &labels)? })
            },
            move |result: &Result<Parcel>| {
                if let Ok(parcel) = result {
                    for row in &parcel.sessions {
                        noted.took_over(row.id, row.epoch);
                    }
                }
            },
        )
        .await?;
    std::mem::take(&mut parcel.sessions)
        .into_iter()
        .map(|row| {
            let labels = serde_json::from_str(&row.labels)
                .map_err(|error| Error::new("store.damaged", "labels cannot be read").because(&error))?;
            Ok(ClaimedSession { id: row.name, input: row.input, labels })
        })
        .collect()
}

fn phase(status: SessionStatus) -> Phase {
    match status {
        SessionStatus::Open => Phase::Open,
        SessionStatus::Completed => Phase::Completed,
        SessionStatus::Failed => Phase::Failed,
        SessionStatus::Cancelled => Phase::Cancelled,
        SessionStatus::Paused => Phase::Paused,
    }
}

/// Sessions, newest first.
pub(crate) async fn list(store: &Arc<Store>, args: SessionListArgs) -> Result<SessionList> {
    check_range("limit", args.limit, 1..=10_000)?;
    let before = match &args.after {
        None => i64::MAX,
        Some(cursor) => cursor.parse().map_err(|_| {
            Error::new(
                "args.invalid",
                format!("`after` is `{cursor}`; pass `next` of the page before as it is"),
            )
        })?,
    };
    let filter = Filter {
        phase: args.status.map(phase),
        labels: args.labels,
        parent: args.parent,
        archived: args.archived,
        before,
        limit: args.limit,
    };
    let namespace = store.namespace();
    let (rows, next) = store.read(move |view| view.sessions(namespace, &filter)).await?;
    Ok(SessionList { sessions: rows.into_iter().map(summary).collect(), next: next.map(|id| id.to_string()) })
}

pub(super) fn summary(row: SessionRow) -> SessionSummary {
    SessionSummary {
        id: row.name,
        status: match row.phase {
            Phase::Open => SessionStatus::Open,
            Phase::Completed => SessionStatus::Completed,
            Phase::Failed => SessionStatus::Failed,
            Phase::Cancelled => SessionStatus::Cancelled,
            Phase::Paused => SessionStatus::Paused,
        },
        labels: row.labels,
        created: rfc3339(row.created),
        updated: rfc3339(row.updated),
        steps_done: row.steps_done as u64,
        input: (row.input != Payload::default()).then_some(row.input),
        output: row.output,
        failure: row.failure,
        parent: row.parent,
        forked_from: row.fork.map(|(id, position)| ForkPoint { id, position: position as u64 }),
        deadline: row.deadline.map(rfc3339),
        waits_until: (row.wake > 0 && row.phase == Phase::Open).then(|| rfc3339(row.wake)),
        waits_for: row.waits_for,
        archived: row.archived,
        owner: row.owner.map(|(pid, host, alive)| SessionOwner { pid, host, alive }),
    }
}

/// One session.
pub(crate) async fn get(store: &Arc<Store>, id: String) -> Result<SessionSummary> {
    check_text("id", &id, 200)?;
    let namespace = store.namespace();
    Ok(summary(store.read(move |view| view.session(namespace, &id)).await?))
}

/// A session with its steps.
pub(crate) async fn show(store: &Arc<Store>, args: SessionIdArgs) -> Result<SessionDetail> {
    check_text("id", &args.id, 200)?;
    let namespace = store.namespace();
    store
        .read(move |view| {
            let session = view.session(namespace, &args.id)?;
            // The last row of a step says where it stands.
            let mut steps: BTreeMap<i64, StepRecord> = BTreeMap::new();
            for row in view.steps(session.id)? {
                let step = row.step;
                let (status, result, failure) = match row.state {
                    StepMark::Started if step.wait => (StepStatus::Waiting, None, None),
                    StepMark::Started => (StepStatus::Running, None, None),
                    StepMark::Finished => {
                        let result = match row.small {
                            Some(result) => result,
                            None => view.result(row.seq)?,
                        };
                        (StepStatus::Done, Some(result), None)
                    }
                    StepMark::Failed => (StepStatus::Failed, None, Some(view.failure(row.seq)?)),
                };
                let ended = !matches!(status, StepStatus::Running | StepStatus::Waiting);
                let args_hash = step.hash.unwrap_or_else(|| hash(&serde_json::Value::Null));
                let record = StepRecord {
                    position: step.position as u64,
                    name: step.name,
                    key: step.key,
                    args_hash: hex(&args_hash),
                    policy: if step.once { StepPolicy::Once } else { StepPolicy::Retry },
                    status,
                    attempts: step.attempt as u32,
                    // A step that has not ended has its beginning in its row.
                    started: rfc3339(if ended { row.at - step.took } else { row.at }),
                    finished: ended.then(|| rfc3339(row.at)),
                    result,
                    failure,
                    timed_out: step.timed_out,
                };
                steps.insert(step.position, record);
            }
            Ok(SessionDetail { session: summary(session), steps: steps.into_values().collect() })
        })
        .await
}

/// Cancels a session.
pub(crate) async fn cancel(store: &Arc<Store>, args: SessionCancelArgs) -> Result<SessionSummary> {
    check_text("id", &args.id, 200)?;
    let message = args.reason.unwrap_or_else(|| "the session was cancelled".to_owned());
    let body = Body::failure(&Failure { message, ..Failure::default() })?;
    let id = args.id.clone();
    store.write(move |tx| tx.cancel_session(&id, &body)).await?;
    get(store, args.id).await
}

/// Pauses or resumes a session.
pub(crate) async fn pause(store: &Arc<Store>, args: SessionIdArgs, paused: bool) -> Result<SessionSummary> {
    check_text("id", &args.id, 200)?;
    let id = args.id.clone();
    store.write(move |tx| tx.pause_session(&id, paused)).await?;
    get(store, args.id).await
}

/// Puts an ended session away.
pub(crate) async fn archive(store: &Arc<Store>, args: SessionIdArgs) -> Result<SessionSummary> {
    check_text("id", &args.id, 200)?;
    let id = args.id.clone();
    store.write(move |tx| tx.archive_session(&id)).await?;
    get(store, args.id).await
}

/// Removes ended sessions for good.
pub(crate) async fn prune(store: &Arc<Store>, args: SessionPruneArgs) -> Result<SessionsPruned> {
    check_range("limit", args.limit, 1..=100_000)?;
    if let Some(SessionStatus::Open | SessionStatus::Paused) = args.status {
        return Err(Error::new(
            "args.invalid",
            "only sessions that have ended are pruned; as `status` name completed, failed or cancelled",
        ));
    }
    let age = i64::try_from(args.older_than_ms).unwrap_or(i64::MAX);
    let pruning = Pruning {
        before: store.clock().now_ms().saturating_sub(age).saturating_add(i64::from(age == 0)),
        phase: args.status.map(phase),
        labels: args.labels,
        archived: args.archived,
        limit: args.limit,
        dry_run: args.dry_run,
    };
    let pruned = store.write(move |tx| tx.prune(&pruning)).await?;
    Ok(SessionsPruned {
        sessions: pruned.sessions as u64,
        events: pruned.events as u64,
        large_values: pruned.large as u64,
        kept_for_forks: pruned.kept as u64,
    })
}

/// Removes what ended longer ago than `retention_ms`, now and once an hour as long as the store is open.
pub(crate) fn retain(store: &Arc<Store>, retention_ms: u64) {
    let held = Arc::downgrade(store);
    crate::base::runtime::Process::current().runtime().spawn(async move {
        while let Some(store) = held.upgrade() {
            let args =
                SessionPruneArgs { older_than_ms: retention_ms, limit: 1000, ..SessionPruneArgs::default() };
            // What fails now is tried again in an hour; whoever writes next is told what is wrong.
            let more = prune(&store, args).await.is_ok_and(|pruned| pruned.sessions == 1000);
            drop(store);
            sleep(Duration::from_secs(if more { 1 } else { 3600 })).await;
        }
    });
}

/// Everything that has happened to a session, in order.
pub(crate) async fn history(store: &Arc<Store>, args: SessionHistoryArgs) -> Result<EventPage> {
    check_text("id", &args.id, 200)?;
    check_range("limit", args.limit, 1..=10_000)?;
    let namespace = store.namespace();
    let after = i64::try_from(args.after).unwrap_or(i64::MAX);
    let events = store
        .read(move |view| {
            let session = view.session_number(namespace, &args.id)?.id;
            view.events(Span { namespace, session: Some(session), after, max: args.limit as usize })
        })
        .await?;
    let cursor = events.last().map_or(args.after, |event| event.seq);
    let ended = events.len() < args.limit as usize;
    Ok(EventPage { events, cursor, ended, dropped: 0 })
}

/// Sends a session a message.
pub(crate) async fn signal(store: &Arc<Store>, args: SignalArgs) -> Result<SignalSent> {
    check_text("id", &args.id, 200)?;
    check_text("name", &args.name, 150)?;
    if let Some(key) = &args.key {
        check_text("key", key, 200)?;
    }
    let body = encode(&args.payload.unwrap_or_default(), "payload")?;
    let (seq, created) =
        store.write(move |tx| tx.send_signal(&args.id, &args.name, args.key.as_deref(), &body)).await?;
    Ok(SignalSent { seq: seq as u64, created })
}

/// A page of a session's log.
pub(crate) async fn entries(store: &Arc<Store>, args: EntriesArgs) -> Result<EntryPage> {
    check_text("id", &args.id, 200)?;
    check_range("limit", args.limit, 1..=10_000)?;
    let namespace = store.namespace();
    let after = i64::try_from(args.after).unwrap_or(i64::MAX);
    let rows = store
        .read(move |view| {
            let session = view.session_number(namespace, &args.id)?.id;
            view.entries(session, args.name.as_deref(), after, args.limit)
        })
        .await?;
    let cursor = rows.last().map_or(args.after, |row| row.seq as u64);
    let entries = rows
        .into_iter()
        .map(|row| LogEntry { seq: row.seq as u64, time: rfc3339(row.at), name: row.name, value: row.value })
        .collect();
    Ok(EntryPage { entries, cursor })
}
