//! `session.*`: durable runs of checkpointed steps.

use std::sync::Arc;

use super::Workspace;
use crate::error::Result;
use crate::observe::event::EventPage;
use crate::session::record::*;
use crate::session::{checkpoint, handle, life};

/// Durable runs of checkpointed steps.
#[derive(Clone, Debug)]
pub struct Sessions(pub(crate) Workspace);

/// An open session. Clones are the same handle; when the last one is gone, another process may
/// open the session.
///
/// ```
/// # barograph::blocking::wait(async {
/// use barograph::*;
/// let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
/// let s = ws.session().open(SessionOpenArgs { id: "release-42".into(), resume: true, ..Default::default() }).await?;
/// // Durable once it returns; not run again where the session is opened again.
/// let built: String = s.step("build", || async { Ok::<_, Error>("app-42.tar".to_owned()) }).await?;
/// let done = s.complete(SessionCompleteArgs { output: Some(Payload::json(built)), ..Default::default() }).await?;
/// assert_eq!(done.status, SessionStatus::Completed);
/// # Ok::<(), barograph::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Session(Arc<handle::Handle>);

impl Sessions {
    /// Makes a session, durable once this returns, or with `resume` goes on where it stopped.
    ///
    /// The handle owns the session until it is dropped, with a lease of 30 s that the library renews.
    /// Opened again in the same process, the new handle owns it and the old one is refused. A session
    /// that has ended can be opened with `resume`: it answers recorded results and runs nothing.
    ///
    /// Errors: `args.invalid`, `session.exists` without `resume`, `session.owned` (retryable) while
    /// another live process owns it, `store.*`.
    pub async fn open(&self, args: SessionOpenArgs) -> Result<Session> {
        self.0.alive()?;
        let shared = self.0.shared();
        Ok(Session(Arc::new(handle::Handle::open(&shared.store, &shared.path, args).await?)))
    }

    /// Makes a session that whoever claims it will run; it is on disk once this returns.
    ///
    /// A key that was used before gives the session that it made, whatever else is asked for.
    ///
    /// Errors: `args.invalid`, `session.exists` for an id that is taken, `session.missing` for a parent
    /// that does not exist, `value.not_i_json`, `store.*`.
    pub async fn submit(&self, args: SessionSubmitArgs) -> Result<SessionSubmitted> {
        self.0.alive()?;
        life::submit(&self.0.shared().store, args).await
    }

    /// Takes open sessions that nobody owns and that are due: submitted ones, those whose owner is gone,
    /// those whose signal or time has come. Fires schedules that are due. Waits up to `wait_ms` for the
    /// first one.
    ///
    /// This process owns them until they are opened and closed, or the workspace is closed.
    ///
    /// ```
    /// # barograph::blocking::wait(async {
    /// use barograph::*;
    /// let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
    /// let input = Some(Payload::json("v42"));
    /// ws.session().submit(SessionSubmitArgs { id: Some("r42".into()), input, ..Default::default() }).await?;
    /// for claimed in ws.session().claim(SessionClaimArgs::default()).await?.sessions {
    ///     let s = ws.session().open(SessionOpenArgs { id: claimed.id, resume: true, ..Default::default() }).await?;
    ///     s.complete(SessionCompleteArgs { output: Some(claimed.input), ..Default::default() }).await?;
    /// }
    /// assert_eq!(ws.session().get(SessionIdArgs { id: "r42".into() }).await?.status, SessionStatus::Completed);
    /// # Ok::<(), barograph::Error>(()) }).unwrap();
    /// ```
    ///
    /// Errors: `args.invalid`, `store.*`.
    pub async fn claim(&self, args: SessionClaimArgs) -> Result<SessionBatch> {
        self.0.alive()?;
        life::claim(&self.0.shared().store, args).await
    }

    /// Sessions, newest first; those that were put away only where asked for.
    ///
    /// Errors: `args.invalid` for a limit or cursor that cannot be used, `session.missing` for a parent
    /// that does not exist, `store.*`.
    pub async fn list(&self, args: SessionListArgs) -> Result<SessionList> {
        self.0.alive()?;
        life::list(&self.0.shared().store, args).await
    }

    /// One session, without its steps.
    ///
    /// Errors: `session.missing`, `args.invalid`, `store.*`.
    pub async fn get(&self, args: SessionIdArgs) -> Result<SessionSummary> {
        self.0.alive()?;
        life::get(&self.0.shared().store, args.id).await
    }

    /// A session with its steps.
    ///
    /// Errors: `session.missing`, `args.invalid`, `store.*`.
    pub async fn show(&self, args: SessionIdArgs) -> Result<SessionDetail> {
        self.0.alive()?;
        life::show(&self.0.shared().store, args).await
    }

    /// Everything that has happened to a session, in order: its events.
    ///
    /// Errors: `session.missing`, `args.invalid`, `store.*`.
    pub async fn history(&self, args: SessionHistoryArgs) -> Result<EventPage> {
        self.0.alive()?;
        life::history(&self.0.shared().store, args).await
    }

    /// Cancels a session, whoever owns it: it takes no more steps, here and in every other process, and
    /// commands that run for it are killed. A step that is running may still report how it ended.
    ///
    /// Errors: `session.missing`, `session.finished` where it has ended otherwise, `store.*`.
    pub async fn cancel(&self, args: SessionCancelArgs) -> Result<SessionSummary> {
        self.0.alive()?;
        life::cancel(&self.0.shared().store, args).await
    }

    /// Pauses a session: nothing new is begun (`session.paused`) and nobody claims it. What runs goes on.
    ///
    /// Errors: `session.missing`, `session.finished`, `store.*`.
    pub async fn pause(&self, args: SessionIdArgs) -> Result<SessionSummary> {
        self.0.alive()?;
        life::pause(&self.0.shared().store, args, true).await
    }

    /// Lets a paused session go on.
    ///
    /// Errors: `session.missing`, `session.finished`, `store.*`.
    pub async fn resume(&self, args: SessionIdArgs) -> Result<SessionSummary> {
        self.0.alive()?;
        life::pause(&self.0.shared().store, args, false).await
    }

    /// Puts an ended session away: lists leave it out unless asked for it.
    ///
    /// Errors: `session.missing`, `session.open` where it has not ended, `store.*`.
    pub async fn archive(&self, args: SessionIdArgs) -> Result<SessionSummary> {
        self.0.alive()?;
        life::archive(&self.0.shared().store, args).await
    }

    /// Removes ended sessions for good, with their steps and large values. One whose steps a fork shares
    /// stays as long as the fork.
    ///
    /// Errors: `args.invalid` for a limit out of range or a status that is no end, `store.*`.
    pub async fn prune(&self, args: SessionPruneArgs) -> Result<SessionsPruned> {
        self.0.alive()?;
        life::prune(&self.0.shared().store, args).await
    }

    /// Sends a session a message, which its `wait_signal` takes; it is on disk once this returns.
    ///
    /// Errors: `session.missing`, `session.finished`, `value.not_i_json`, `args.invalid`, `store.*`.
    pub async fn signal(&self, args: SignalArgs) -> Result<SignalSent> {
        self.0.alive()?;
        life::signal(&self.0.shared().store, args).await
    }

    /// A page of a session's log, oldest first, by durable cursor.
    ///
    /// Errors: `session.missing`, `args.invalid`, `store.*`.
    pub async fn entries(&self, args: EntriesArgs) -> Result<EntryPage> {
        self.0.alive()?;
        life::entries(&self.0.shared().store, args).await
    }

    /// A session's checkpoints, newest first.
    ///
    /// Errors: `session.missing`, `args.invalid`, `store.*`.
    pub async fn checkpoints(&self, args: CheckpointsArgs) -> Result<CheckpointList> {
        self.0.alive()?;
        checkpoint::checkpoints(&self.0.shared().store, args).await
    }

    /// Takes a session back to a checkpoint: the steps behind it count no more, also where it has ended,
    /// and it is open again for whoever opens or claims it. The answer has the checkpoint's state.
    ///
    /// Errors: `session.missing`, `checkpoint.missing`, `session.owned` while a live process owns it,
    /// `session.once_behind` where a `once` step could happen again, `store.*`.
    pub async fn restore(&self, args: SessionRestoreArgs) -> Result<Checkpoint> {
        self.0.alive()?;
        checkpoint::restore(&self.0.shared().store, args).await
    }

    /// Makes a session that shares the steps of another up to a position or a checkpoint, without a copy.
    ///
    /// Errors: `session.missing`, `session.exists`, `checkpoint.missing`, `args.invalid`, `store.*`.
    pub async fn fork(&self, args: SessionForkArgs) -> Result<SessionSummary> {
        self.0.alive()?;
        checkpoint::fork(&self.0.shared().store, args).await
    }
}

impl Session {
    /// The session's id.
    pub fn id(&self) -> &str {
        self.0.name()
    }

    /// Asks what to do about the step that comes next: use its result, run it, or decide.
    ///
    /// Steps are matched by key, or by name and the how-manieth begin of that name by this handle.
    /// Name, arguments and policy must be the recorded ones; steps without a key that did not run
    /// beside others must come in the recorded order. Two begins of one name are two steps: to try
    /// a failed one again within a run, give it a key.
    ///
    /// Errors: `session.diverged` with what was recorded and what was asked, `session.finished`,
    /// `session.lease_lost`, `value.not_i_json`, `args.invalid`, `store.*`.
    pub async fn begin(&self, args: StepBeginArgs) -> Result<StepStart> {
        self.0.begin(args).await
    }

    /// Reports the outcome of a step; once it answers, the outcome is on disk.
    ///
    /// The same outcome for the same token again is answered as the first time.
    ///
    /// Errors: `session.token` for a token of another handle, of a step that was begun again since,
    /// or with another outcome than before; `session.lease_lost`, `session.finished`,
    /// `value.not_i_json`, `args.invalid`, `store.*`.
    pub async fn finish(&self, args: StepFinishArgs) -> Result<StepFinished> {
        self.0.finish(args).await
    }

    /// Ends the session with an output or a failure; ending it twice in the same way is one end.
    ///
    /// Errors: `session.finished` where it has ended otherwise, `session.lease_lost`,
    /// `value.not_i_json`, `args.invalid`, `store.*`.
    pub async fn complete(&self, args: SessionCompleteArgs) -> Result<SessionSummary> {
        self.0.complete(args).await
    }

    /// Runs a command as a step, or answers its recorded result without running it.
    ///
    /// The step's arguments are argv, folder, environment and standard input; nothing else of the
    /// command is compared. Its processes run in a session of their own without a terminal. None outlives
    /// the call where it is dropped, the time that is given, the handle where it is closed or loses
    /// its session, or this process, however that ends: on Linux also what has left the process
    /// group, by the variable `BAROGRAPH_COMMAND` in its environment. A call that is dropped and a time
    /// that is up ask with SIGTERM, and kill 2 s later. When the command itself has ended, what is left
    /// of its process group is killed; a process that is to stay must leave the group (`setsid`).
    /// A step that was cut short by us can be begun again in its place; one of policy `once` is then
    /// `session.unknown`.
    ///
    /// ```
    /// # barograph::blocking::wait(async {
    /// # use barograph::*;
    /// # let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
    /// # let s = ws.session().open(SessionOpenArgs { id: "a".into(), ..Default::default() }).await?;
    /// let argv = ["sh", "-c", "echo built"].map(String::from).into();
    /// let built = s.command(CommandArgs { name: "build".into(), argv, ..CommandArgs::default() }).await?;
    /// assert_eq!((built.status, built.stdout.as_str()), (Some(0), "built\n"));
    /// # Ok::<(), barograph::Error>(()) }).unwrap();
    /// ```
    ///
    /// Errors: `task.exit_status` (unless `check` is off), `task.timeout`, `task.not_found`,
    /// `path.missing` for the folder and `task.not_started`, which are recorded as the step's failure,
    /// but for a time that is up in a step of policy `once`; `session.unknown` with a `token` in
    /// `context` where such a step was cut short; `call.cancelled`; else those of
    /// [`begin`](Self::begin) and [`finish`](Self::finish).
    pub async fn command(&self, args: CommandArgs) -> Result<CommandResult> {
        self.0.command(args).await
    }

    /// Ends what runs for this handle: it is closed, though calls may still hold it.
    pub(crate) fn closing(&self) {
        self.0.end_commands();
    }

    /// Waits for a message: the oldest one of this name that no other wait has taken. Days are fine: the
    /// wait is on disk, needs no thread, and its timeout counts through restarts.
    ///
    /// With `wait_ms` the call ends as `session.waiting` when nothing has come by then; close the session,
    /// and `session.claim` gives it out, to whatever process, when the message or the end is there.
    ///
    /// ```
    /// # barograph::blocking::wait(async {
    /// # use barograph::*;
    /// # let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
    /// # let s = ws.session().open(SessionOpenArgs { id: "a".into(), ..Default::default() }).await?;
    /// let payload = Some(Payload::json("yes"));
    /// ws.session().signal(SignalArgs { id: "a".into(), name: "approved".into(), payload, key: None }).await?;
    /// let wait = WaitSignalArgs { name: "approved".into(), timeout_ms: Some(86_400_000), ..Default::default() };
    /// assert_eq!(s.wait_signal(wait).await?.value, Some(Payload::json("yes")));
    /// # Ok::<(), barograph::Error>(()) }).unwrap();
    /// ```
    ///
    /// Errors: `session.waiting` (retryable), those of [`begin`](Self::begin).
    pub async fn wait_signal(&self, args: WaitSignalArgs) -> Result<SignalReceived> {
        self.0.wait_signal(args).await
    }

    /// Waits for a time, counted from the first begin and through restarts.
    ///
    /// Errors: as of [`wait_signal`](Self::wait_signal).
    pub async fn sleep(&self, args: SleepArgs) -> Result<Slept> {
        self.0.sleep(args).await
    }

    /// Makes a checkpoint: a point with a state that the session can be taken back to or forked at. Within
    /// a step it keeps how far the step has come.
    ///
    /// Without being asked for one is made before every `once` step and after 30 s of progress.
    ///
    /// Errors: `session.failed_state` while a step has failed, `session.lease_lost`, `session.finished`,
    /// `value.not_i_json`, `args.invalid`, `store.*`.
    pub async fn checkpoint(&self, args: CheckpointArgs) -> Result<Checkpoint> {
        self.0.checkpoint(args).await
    }

    /// Whether to run a changed part of the program: true in sessions that come to this place for the
    /// first time, false where the recorded steps went on without the change. The answer is kept.
    ///
    /// Errors: those of [`begin`](Self::begin) and [`finish`](Self::finish).
    pub async fn patch(&self, args: SessionPatchArgs) -> Result<SessionPatch> {
        self.0.patch(args).await
    }

    /// Writes to the session's log, in order: what was said, how far it is. Unlike steps, entries are
    /// written each time.
    ///
    /// Errors: `session.lease_lost`, `session.finished`, `value.not_i_json`, `args.invalid`, `store.*`.
    pub async fn append(&self, args: AppendArgs) -> Result<Appended> {
        self.0.append(args).await
    }
}
