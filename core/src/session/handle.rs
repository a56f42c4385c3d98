//! An open session: what a program holds while it goes through its steps.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::canonical::hash;
use super::command::Commands;
use super::life::{new_session, summary};
use super::plan::{Answer, Asked, Plan, finished, unknown_token};
use super::record::*;
use crate::base::clock::Clock;
use crate::base::runtime::refuse_forked;
use crate::base::value::{Failure, check_i_json};
use crate::error::{Error, Result};
use crate::exec::worker::sleep;
use crate::store::{Body, CheckpointWrite, Found, Halt, Live, Phase, Store, encode, lease_lost};

/// After this much progress, in milliseconds, a checkpoint is made by itself.
const PROGRESS: i64 = 30_000;

/// The right to write to a session; given back when dropped, unless another has it by then.
#[derive(Debug)]
pub(super) struct Ownership {
    store: Arc<Store>,
    pid: u32,
    found: Found,
    /// Set once the claim is on disk, as the number of a session that could not be made is given
    /// out again.
    live: OnceLock<Arc<Live>>,
    plan: Mutex<Plan>,
    /// A step was begun.
    begun: Notify,
}

impl Drop for Ownership {
    fn drop(&mut self) {
        let Some(live) = self.live.get() else { return };
        if self.pid != std::process::id() {
            return;
        }
        live.stop.cancel();
        let (id, epoch) = (self.found.id, self.found.epoch);
        self.store.let_go(id, epoch);
        let plan = self.plan.get_mut().unwrap_or_else(PoisonError::into_inner);
        if plan.ended {
            return;
        }
        // A session that waits is nobody's business before what it waits for is there.
        let (wake, waits) = plan.waits().unwrap_or_default();
        self.store.cast(move |tx| tx.release_session(id, epoch, wake, &waits));
    }
}

/// How long a step that comes too early waits for those that were recorded before it: siblings on other
/// threads, which come at once where they come at all.
const SIBLINGS: Duration = Duration::from_millis(500);

/// An open session.
#[derive(Debug)]
pub(crate) struct Handle {
    name: String,
    own: Arc<Ownership>,
    pub(super) commands: Commands,
    /// When a checkpoint was made last, or the session opened: milliseconds since the Unix epoch.
    progress: Mutex<i64>,
}

impl Ownership {
    pub(super) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        let SessionOpenArgs { id: name, resume, labels, input, parent, deadline_ms } = args;
        let new = new_session(labels, input.as_ref(), parent, deadline_ms, 0)?;
        let (held, asked, noted) = (store.clone(), name.clone(), store.clone());
        let own = store
            .write_then(
                move |tx| {
                    let found = tx.open_session(&asked, resume, &new)?;
                    // Made here, so that a caller who has gone meanwhile gives it back.
                    Ok(Ownership {
                        store: held,
                        pid: std::process::id(),
                        found,
                        live: OnceLock::new(),
                        plan: Mutex::default(),
                        begun: Notify::new(),
                    })
                },
                move |result| {
                    if let Ok(own) = result
                        && !own.found.phase.ended()
                    {
                        let live = noted.took_over(own.found.id, own.found.epoch);
                        if own.found.phase == Phase::Paused {
                            live.pause();
                        }
                        let _ = own.live.set(live);
                    }
                },
            )
            .await?;
        let found = own.found;
        let mut plan = match found.fresh {
            true => Plan::default(),
            false => Plan::load(store.read(move |view| view.steps(found.id)).await?),
        };
        plan.ended = found.phase.ended();
        *own.plan() = plan;
        let progress = Mutex::new(store.clock().now_ms());
        Ok(Handle { name, own: Arc::new(own), commands: Commands::new(folder), progress })
    }

    /// The session's id.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn store(&self) -> &Arc<Store> {
        &self.own.store
    }

    pub(super) fn own(&self) -> &Arc<Ownership> {
        &self.own
    }

    pub(super) fn found(&self) -> Found {
        self.own.found
    }

    pub(super) fn plan(&self) -> MutexGuard<'_, Plan> {
        self.own.plan()
    }

    /// What the rest of the process says to this session; `None` once it has ended.
    pub(super) fn live(&self) -> Option<&Arc<Live>> {
        self.own.live.get()
    }

    /// The error where nothing new may be begun.
    pub(super) fn refusal(&self) -> Option<Error> {
        let halt = match self.own.found.phase {
            Phase::Cancelled => Some(Halt::Cancelled),
            _ => self.live().and_then(|live| live.halt()),
        };
        let late = self.own.found.deadline.is_some_and(|deadline| Clock::system().now_ms() >= deadline);
        match halt {
            Some(Halt::Lost) => Some(lease_lost()),
            Some(Halt::Cancelled) => Some(
                Error::new(
                    "session.cancelled",
                    format!("session `{}` was cancelled and takes no more steps", self.name),
                )
                .with("id", &self.name),
            ),
            _ if late => Some(
                Error::new(
                    "session.deadline",
                    format!("the deadline of session `{}` is over; complete it with a failure", self.name),
                )
                .with("id", &self.name),
            ),
            Some(Halt::Paused) => Some(
                Error::new(
                    "session.paused",
                    format!("session `{}` is paused; go on once session.resume was called", self.name),
                )
                .with("id", &self.name),
            ),
            None => None,
        }
    }

    pub(super) fn alive(&self) -> Result<()> {
        refuse_forked(self.own.pid, "session")
    }

    /// Tokens are good for this handle alone: session, epoch and a count.
    pub(super) fn token(&self, number: u64) -> String {
        format!("{}.{}.{number}", self.own.found.id, self.own.found.epoch)
    }

    pub(super) fn token_number(&self, token: &str) -> Result<u64> {
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
        let asked = Asked {
            name: args.name,
            key: args.key,
            hash: (!args.args.is_null()).then(|| hash(&args.args)),
            once: args.policy == StepPolicy::Once,
            wait: None,
        };
        let answer = self.ask(&asked).await?;
        let found = self.own.found;
        match answer {
            Answer::Done { small, seq, attempt, .. } => {
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
            Answer::Run { token, attempt, intent, .. } => {
                if let Some(intent) = intent {
                    let before = self.plan().automatic(token, false);
                    let checkpoint = before.map(|position| self.automatic("before", &intent.name, position));
                    let own = self.own.clone();
                    // Whether it is on disk counts, not whether the caller is still there.
                    self.store()
                        .write_then(
                            move |tx| tx.start_step(found.id, found.epoch, &intent, checkpoint.as_ref()),
                            move |result| own.plan().started(token, result.is_ok()),
                        )
                        .await?;
                } else if self.plan().is_waiting() {
                    // Should this process die now, nobody must wait for the signal before going on.
                    self.store().cast(move |tx| {
                        tx.check_owner(found.id, found.epoch).and_then(|()| tx.set_wake(found.id, 0))
                    });
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

    pub(super) async fn ask(&self, asked: &Asked) -> Result<Answer> {
        if self.plan().early(asked) {
            tokio::select! {
                () = self.turn(asked) => {}
                () = sleep(SIBLINGS) => {}
            }
        }
        let now = self.store().clock().now_ms();
        let refusal = self.refusal();
        let answer = self.plan().begin(asked, now, refusal);
        self.own.begun.notify_waiters();
        answer
    }

    /// Waits for the steps that were recorded before this one.
    async fn turn(&self, asked: &Asked) {
        loop {
            let begun = self.own.begun.notified();
            if !self.plan().early(asked) {
                return;
            }
            begun.await;
        }
    }

    fn automatic(&self, when: &str, step: &str, position: i64) -> CheckpointWrite {
        *self.progress() = self.store().clock().now_ms();
        CheckpointWrite { name: format!("{when}:{step}"), position, automatic: true, state: Body::NULL }
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, i64> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports the outcome of a step.
    pub async fn finish(&self, args: StepFinishArgs) -> Result<StepFinished> {
        self.alive()?;
        let token = self.token_number(&args.token)?;
        let (body, failed) = outcome(args.result.as_ref(), args.failure.as_ref(), "result")?;
        let found = self.own.found;
        let now = self.store().clock().now_ms();
        let begun = self.plan().finishing(token, now)?;
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
        let due = !failed && now - *self.progress() >= PROGRESS;
        let after = if due { self.plan().automatic(token, true) } else { None };
        let checkpoint = after.map(|position| self.automatic("after", &step.name, position));
        let own = self.own.clone();
        let seq = self
            .store()
            .write_then(
                move |tx| tx.finish_step(found.id, found.epoch, &step, failed, &body, checkpoint.as_ref()),
                move |result| {
                    let written = result.as_ref().ok().map(|&seq| (seq, failed));
                    own.plan().settled(token, written, None);
                },
            )
            .await?;
        Ok(StepFinished { seq: seq as u64 })
    }

    /// Ends the session.
    pub async fn complete(&self, args: SessionCompleteArgs) -> Result<SessionSummary> {
        self.alive()?;
        let (body, failed) = outcome(args.output.as_ref(), args.failure.as_ref(), "output")?;
        let found = self.own.found;
        let ended = self.plan().ended;
        if !ended {
            let (own, body) = (self.own.clone(), body.clone());
            self.store()
                .write_then(
                    move |tx| tx.end_session(found.id, found.epoch, failed, &body),
                    move |result| {
                        if result.is_ok() {
                            own.plan().ended = true;
                            own.store.let_go(found.id, found.epoch);
                        }
                    },
                )
                .await?;
        }
        // Ending twice in the same way is one end, so that a program can be run again as a whole.
        let name = self.name.clone();
        let namespace = self.store().namespace();
        self.store()
            .read(move |view| {
                let row = view.session(namespace, &name)?;
                match row.ended {
                    Some(seq) if view.says(seq, failed, &body)? => Ok(summary(row)),
                    _ => Err(finished()),
                }
            })
            .await
    }

    /// Whether to run the program as a change of this name has made it.
    pub async fn patch(&self, args: SessionPatchArgs) -> Result<SessionPatch> {
        self.alive()?;
        check_text("name", &args.name, 150)?;
        let key = format!("patch:{}", args.name);
        let known = self.plan().patched(&key);
        if let Some(patched) = known {
            return Ok(SessionPatch { patched });
        }
        let begin = StepBeginArgs { name: "patch".to_owned(), key: Some(key), ..StepBeginArgs::default() };
        let start = self.begin(begin).await?;
        if let Some(token) = start.token {
            self.finish(StepFinishArgs { token, ..StepFinishArgs::default() }).await?;
        }
        Ok(SessionPatch { patched: true })
    }

    /// Writes to the session's log.
    pub async fn append(&self, args: AppendArgs) -> Result<Appended> {
        self.alive()?;
        check_text("name", &args.name, 200)?;
        if !(1..=10_000).contains(&args.entries.len()) {
            return Err(Error::new(
                "args.invalid",
                format!("`entries` has {}; it takes 1 to 10,000", args.entries.len()),
            ));
        }
        let mut entries = Vec::with_capacity(args.entries.len());
        for (at, entry) in args.entries.iter().enumerate() {
            entries.push(encode(entry, &format!("entries[{at}]"))?);
        }
        let found = self.own.found;
        let cursor = self
            .store()
            .write(move |tx| tx.append_entries(found.id, found.epoch, &args.name, &entries))
            .await?;
        Ok(Appended { cursor: cursor as u64 })
    }
}
