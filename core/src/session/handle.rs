//! An open session: what a program holds while it goes through its steps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::canonical::hash;
use super::command::Commands;
use super::plan::{Answer, Asked, Plan, finished, unknown_token};
use super::record::*;
use crate::base::cancel::CancelToken;
use crate::base::clock::rfc3339;
use crate::base::id::hex;
use crate::base::runtime::refuse_forked;
use crate::base::value::{Failure, check_i_json};
use crate::error::{Error, Result};
use crate::store::{Body, Found, Phase, SessionRow, StepMark, Store, encode, lease_lost};

/// The right to write to a session; given back when dropped, unless another has it by then.
#[derive(Debug)]
struct Ownership {
    store: Arc<Store>,
    pid: u32,
    found: Found,
    /// The claim is on disk and the session open: set after the commit, as the number of a session
    /// that could not be made is given out again.
    held: AtomicBool,
    /// Set once the session is known to have another owner: what runs for this one is ended at once.
    lost: CancelToken,
}

impl Drop for Ownership {
    fn drop(&mut self) {
        if !*self.held.get_mut() || self.pid != std::process::id() {
            return;
        }
        let (id, epoch) = (self.found.id, self.found.epoch);
        self.store.let_go(id, epoch);
        self.store.cast(move |tx| tx.release_session(id, epoch));
    }
}

/// An open session.
#[derive(Debug)]
pub(crate) struct Handle {
    name: String,
    /// Where commands run that name no folder.
    pub(super) folder: PathBuf,
    own: Arc<Ownership>,
    plan: Arc<Mutex<Plan>>,
    pub(super) commands: Commands,
}

fn locked(plan: &Mutex<Plan>) -> MutexGuard<'_, Plan> {
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses a text that is empty or longer than `most` characters.
pub(crate) fn check_text(what: &str, text: &str, most: usize) -> Result<()> {
    let length = text.chars().count();
    if (1..=most).contains(&length) {
        return Ok(());
    }
    Err(Error::new("args.invalid", format!("`{what}` has {length} characters; it takes 1 to {most}"))
        .with("argument", what))
}

/// The body of an outcome, and whether it is a failure.
fn outcome(
    result: Option<&crate::base::value::Payload>,
    failure: Option<&Failure>,
    what: &str,
) -> Result<(Body, bool)> {
    match (result, failure) {
        (Some(_), Some(_)) => Err(Error::new(
            "args.invalid",
            format!("both `{what}` and `failure` are given; a step or session ends with one of them"),
        )),
        (_, Some(failure)) => Ok((Body::failure(failure)?, true)),
        (result, None) => Ok((encode(result.unwrap_or(&Default::default()), what)?, false)),
    }
}

impl Handle {
    /// Makes the session, or goes on where it stopped.
    ///
    /// Its commands run in `folder` where they name no other.
    pub async fn open(store: &Arc<Store>, folder: &Path, args: SessionOpenArgs) -> Result<Handle> {
        check_text("id", &args.id, 200)?;
        if args.labels.len() > 64 {
            return Err(Error::new(
                "args.invalid",
                format!("`labels` has {} entries; at most 64 are taken", args.labels.len()),
            ));
        }
        for (name, value) in &args.labels {
            check_text("labels", name, 200)?;
            if value.chars().count() > 1000 {
                return Err(Error::new(
                    "args.invalid",
                    format!("label `{name}` has more than 1,000 characters"),
                ));
            }
        }
        let SessionOpenArgs { id: name, resume, labels } = args;
        let (held, asked, noted) = (store.clone(), name.clone(), store.clone());
        let own = store
            .write_then(
                move |tx| {
                    let found = tx.open_session(&asked, resume, &labels)?;
                    // Made here, so that a caller who has gone meanwhile gives it back.
                    Ok(Ownership {
                        store: held,
                        pid: std::process::id(),
                        found,
                        held: AtomicBool::new(false),
                        lost: CancelToken::new(),
                    })
                },
                move |result| {
                    if let Ok(own) = result
                        && !own.found.ended
                    {
                        own.held.store(true, Ordering::Release);
                        noted.took_over(own.found.id, own.found.epoch, &own.lost);
                    }
                },
            )
            .await?;
        let found = own.found;
        let mut plan = match found.fresh {
            true => Plan::default(),
            false => Plan::load(store.read(move |view| view.steps(found.id)).await?),
        };
        plan.ended = found.ended;
        // Absolute, as the process may change its folder.
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let plan = Arc::new(Mutex::new(plan));
        Ok(Handle { name, folder, own: Arc::new(own), plan, commands: Commands::default() })
    }

    /// The session's id.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn store(&self) -> &Arc<Store> {
        &self.own.store
    }

    pub(super) fn alive(&self) -> Result<()> {
        refuse_forked(self.own.pid, "session")
    }

    /// Set once the session is known to have another owner. Whoever learns it sets it.
    pub fn lost(&self) -> &CancelToken {
        &self.own.lost
    }

    /// Sets [`lost`](Self::lost) where that is what a write was refused for.
    fn refused(&self, error: &Error) {
        if error.code() == "session.lease_lost" {
            self.own.lost.cancel();
        }
    }

    /// Looks whether the session still has this owner, and sets [`lost`](Self::lost) where not.
    pub(super) async fn look_for_owner(&self) {
        let (found, store) = (self.own.found, self.store());
        // A store that cannot be read says nothing; the write at the end will.
        if let Ok(false) = store.owns(found.id, found.epoch).await {
            self.own.lost.cancel();
        }
    }

    /// The step of this token was cut short by us: it can be begun again in its place.
    pub(super) fn cut_short(&self, token: &str) {
        if let Ok(number) = self.token_number(token) {
            locked(&self.plan).cut_short(number);
        }
    }

    /// Tokens are good for this handle alone: session, epoch and a count.
    fn token(&self, number: u64) -> String {
        format!("{}.{}.{number}", self.own.found.id, self.own.found.epoch)
    }

    fn token_number(&self, token: &str) -> Result<u64> {
        let number = token
            .strip_prefix(&format!("{}.{}.", self.own.found.id, self.own.found.epoch))
            .and_then(|number| number.parse().ok());
        number.ok_or_else(unknown_token)
    }

    /// What to do about the step that comes next.
    pub async fn begin(&self, args: StepBeginArgs) -> Result<StepStart> {
        self.alive()?;
        check_text("name", &args.name, 200)?;
        if let Some(key) = &args.key {
            check_text("key", key, 200)?;
        }
        check_i_json(&args.args, "args")?;
        let found = self.own.found;
        let ended = locked(&self.plan).ended;
        if !ended && self.store().superseded(found.id, found.epoch) {
            self.own.lost.cancel();
            return Err(lease_lost());
        }
        let asked = Asked {
            name: args.name,
            key: args.key,
            hash: (!args.args.is_null()).then(|| hash(&args.args)),
            once: args.policy == StepPolicy::Once,
        };
        let now = self.store().clock().now_ms();
        let answer = locked(&self.plan).begin(&asked, now)?;
        match answer {
            Answer::Done { small, seq, attempt } => {
                let result = match small {
                    Some(result) => result,
                    None => self.store().read(move |view| view.result(seq)).await?,
                };
                Ok(StepStart {
                    state: StepState::Done,
                    result: Some(result),
                    token: None,
                    attempt: attempt as u32,
                })
            }
            Answer::Unknown { token, attempt } => Ok(StepStart {
                state: StepState::Unknown,
                result: None,
                token: Some(self.token(token)),
                attempt: attempt as u32,
            }),
            Answer::Run { token, attempt, intent } => {
                if let Some(intent) = intent {
                    let plan = self.plan.clone();
                    // Whether it is on disk counts, not whether the caller is still there.
                    self.store()
                        .write_then(
                            move |tx| tx.start_step(found.id, found.epoch, &intent),
                            move |result| locked(&plan).started(token, result.is_ok()),
                        )
                        .await
                        .inspect_err(|error| self.refused(error))?;
                }
                Ok(StepStart {
                    state: StepState::Run,
                    result: None,
                    token: Some(self.token(token)),
                    attempt: attempt as u32,
                })
            }
        }
    }

    /// Reports the outcome of a step.
    pub async fn finish(&self, args: StepFinishArgs) -> Result<StepFinished> {
        self.alive()?;
        let token = self.token_number(&args.token)?;
        let (body, failed) = outcome(args.result.as_ref(), args.failure.as_ref(), "result")?;
        let found = self.own.found;
        let now = self.store().clock().now_ms();
        let begun = locked(&self.plan).finishing(token, now)?;
        let step = match begun {
            Ok(step) => step,
            Err(seq) => {
                let same = self.store().read(move |view| view.says(seq, failed, &body)).await?;
                return match same {
                    true => Ok(StepFinished { seq: seq as u64 }),
                    false => Err(Error::new(
                        "session.token",
                        "this token has reported another outcome before; a step has one outcome for each begin",
                    )),
                };
            }
        };
        let plan = self.plan.clone();
        let seq = self
            .store()
            .write_then(
                move |tx| tx.finish_step(found.id, found.epoch, &step, failed, &body),
                move |result| {
                    let written = result.as_ref().ok().map(|&seq| (seq, failed));
                    locked(&plan).settled(token, written, None);
                },
            )
            .await
            .inspect_err(|error| self.refused(error))?;
        Ok(StepFinished { seq: seq as u64 })
    }

    /// Ends the session.
    pub async fn complete(&self, args: SessionCompleteArgs) -> Result<SessionSummary> {
        self.alive()?;
        let (body, failed) = outcome(args.output.as_ref(), args.failure.as_ref(), "output")?;
        let found = self.own.found;
        if !locked(&self.plan).ended {
            let (plan, own, body) = (self.plan.clone(), self.own.clone(), body.clone());
            self.store()
                .write_then(
                    move |tx| tx.end_session(found.id, found.epoch, failed, &body),
                    move |result| {
                        if result.is_ok() {
                            locked(&plan).ended = true;
                            own.held.store(false, Ordering::Release);
                            own.store.let_go(found.id, found.epoch);
                        }
                    },
                )
                .await
                .inspect_err(|error| self.refused(error))?;
        }
        // Ending twice in the same way is one end, so that a program can be run again as a whole.
        let name = self.name.clone();
        self.store()
            .read(move |view| {
                let row = view.session(&name)?;
                match row.ended {
                    Some(seq) if view.says(seq, failed, &body)? => Ok(summary(row)),
                    _ => Err(finished()),
                }
            })
            .await
    }
}

/// Sessions, newest first.
pub(crate) async fn list(store: &Arc<Store>, args: SessionListArgs) -> Result<SessionList> {
    if !(1..=1000).contains(&args.limit) {
        return Err(Error::new("args.invalid", format!("`limit` is {}; it takes 1 to 1,000", args.limit)));
    }
    let before = match &args.after {
        None => i64::MAX,
        Some(cursor) => cursor.parse().map_err(|_| {
            Error::new(
                "args.invalid",
                format!("`after` is `{cursor}`; pass `next` of the page before as it is"),
            )
        })?,
    };
    let phase = args.status.map(|status| match status {
        SessionStatus::Open => Phase::Open,
        SessionStatus::Completed => Phase::Completed,
        SessionStatus::Failed => Phase::Failed,
    });
    let (rows, next) = store.read(move |view| view.sessions(phase, &args.labels, before, args.limit)).await?;
    Ok(SessionList { sessions: rows.into_iter().map(summary).collect(), next: next.map(|id| id.to_string()) })
}

fn summary(row: SessionRow) -> SessionSummary {
    SessionSummary {
        id: row.name,
        status: match row.phase {
            Phase::Open => SessionStatus::Open,
            Phase::Completed => SessionStatus::Completed,
            Phase::Failed => SessionStatus::Failed,
        },
        labels: row.labels,
        created: rfc3339(row.created),
        updated: rfc3339(row.updated),
        steps_done: row.steps_done as u64,
        output: row.output,
        failure: row.failure,
    }
}

/// A session with its steps.
pub(crate) async fn show(store: &Arc<Store>, args: SessionShowArgs) -> Result<SessionDetail> {
    check_text("id", &args.id, 200)?;
    store
        .read(move |view| {
            let session = view.session(&args.id)?;
            // The last row of a step says where it stands.
            let mut steps: BTreeMap<i64, StepRecord> = BTreeMap::new();
            for row in view.steps(session.id)? {
                let step = row.step;
                let (status, result, failure) = match row.state {
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
                let args_hash = step.hash.unwrap_or_else(|| hash(&serde_json::Value::Null));
                let record = StepRecord {
                    position: step.position as u64,
                    name: step.name,
                    key: step.key,
                    args_hash: hex(&args_hash),
                    policy: if step.once { StepPolicy::Once } else { StepPolicy::Retry },
                    status,
                    attempts: step.attempt as u32,
                    started: rfc3339(row.at - step.took),
                    finished: (status != StepStatus::Running).then(|| rfc3339(row.at)),
                    result,
                    failure,
                };
                steps.insert(step.position, record);
            }
            Ok(SessionDetail { session: summary(session), steps: steps.into_values().collect() })
        })
        .await
}
