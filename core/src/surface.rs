//! The list of operations: everything that a user can call, in any language, stands here in one
//! line each. Dispatch, descriptions and every SDK come out of it.

pub mod describe;
pub mod door;

use std::any::Any;
use std::future::Future;
use std::pin::Pin;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, de::DeserializeOwned};

use crate::error::{Error, Result};
use crate::workspace::{EventStream, Session, Worker, Workspace};

pub use describe::{Description, describe};

/// Something with a life, as the door keeps it.
#[derive(Clone, Debug)]
pub enum Handle {
    /// No handle: `workspace.open` starts here.
    Root,
    /// An open workspace.
    Workspace(Workspace),
    /// An open session.
    Session(Session),
    /// An open worker.
    Worker(Worker),
    /// An open stream of events.
    EventStream(EventStream),
}

impl Handle {
    /// Ends what runs for the handle, which its owner has closed though calls may still hold it.
    pub(crate) fn closing(&self) {
        if let Handle::Session(session) = self {
            session.closing();
        }
    }

    /// The name of the handle's class in every language; empty for the root.
    pub fn class(&self) -> &'static str {
        match self {
            Handle::Root => "",
            Handle::Workspace(_) => "Workspace",
            Handle::Session(_) => "Session",
            Handle::Worker(_) => "Worker",
            Handle::EventStream(_) => "EventStream",
        }
    }
}

/// What an operation gives back through the door.
#[derive(Debug)]
pub enum Reply {
    /// A record as JSON.
    Json(Vec<u8>),
    /// A new handle.
    Opened(Handle),
    /// Rows as columns.
    Columns(arrow_array::RecordBatch),
    /// A record as it is.
    Record(Box<dyn Record>),
}

/// A record of an answer as a host written in Rust takes it: it becomes JSON on its way out, or never.
pub trait Record: Any + Send + std::fmt::Debug {
    /// Writes the record as JSON.
    ///
    /// Errors: those of `out`.
    fn write_json(&self, out: &mut dyn std::io::Write) -> std::io::Result<()>;

    /// The record, to be taken as what it is.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Serialize + Any + Send + std::fmt::Debug> Record for T {
    fn write_json(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        serde_json::to_writer(out, self).map_err(std::io::Error::from)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// How the caller wants rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As records in JSON.
    Records,
    /// As Arrow columns, where the operation offers them.
    Columns,
    /// As the record itself, for hosts written in Rust.
    Native,
}

type Answer = Pin<Box<dyn Future<Output = Result<Reply>> + Send>>;

/// One public operation.
#[derive(Clone, Copy)]
pub struct Operation {
    /// `noun.verb`, the same in every place.
    pub name: &'static str,
    /// The class whose handles have it; empty for the root.
    pub receiver: &'static str,
    /// The class of the handle that it opens; empty where it answers with a record.
    pub opens: &'static str,
    /// Arguments that hosts take by position, in order; all others are options.
    pub positional: &'static [&'static str],
    /// Whether it changes nothing that outlives the call.
    pub read_only: bool,
    /// Whether it runs programs of the caller's choice: not for callers who must be kept in bounds.
    pub runs_programs: bool,
    /// Whether it offers Arrow columns.
    pub columns: bool,
    /// What it does, one sentence.
    pub doc: &'static str,
    pub(crate) args: fn(&mut SchemaGenerator) -> Schema,
    pub(crate) out: Option<fn(&mut SchemaGenerator) -> Schema>,
    pub(crate) call: fn(Handle, Form, &[u8]) -> Result<Answer>,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operation").field("name", &self.name).field("receiver", &self.receiver).finish()
    }
}

macro_rules! operations {
    ($($(#[doc = $doc:literal])* $mode:ident $receiver:ident $name:literal ($($positional:literal),*)
        $args:ident => $out:ident $(as $columns:ident)?, |$handle:ident, $a:ident| $body:expr;)*) => {
        /// Every public operation, sorted by name.
        pub const OPERATIONS: &[Operation] = &[$(Operation {
            name: $name,
            receiver: operations!(@receiver $receiver),
            opens: operations!(@opens $mode $out),
            positional: &[$($positional),*],
            read_only: operations!(@read_only $mode),
            runs_programs: operations!(@runs $mode),
            columns: operations!(@has $($columns)?),
            doc: operations!(@doc $($doc)*),
            args: |generator| generator.subschema_for::<args::$args>(),
            out: operations!(@out $mode $out),
            call: |handle, form, json| {
                let $handle = operations!(@take $receiver handle, $name);
                let $a: args::$args = parse(json)?;
                let _ = form;
                Ok(Box::pin(async move {
                    let out = $body.await?;
                    operations!(@reply $mode $out form out $($columns)?)
                }))
            },
        },)*];
    };
    (@receiver Root) => { "" };
    (@receiver $receiver:ident) => { stringify!($receiver) };
    (@opens open $out:ident) => { stringify!($out) };
    (@opens $mode:ident $out:ident) => { "" };
    (@read_only read) => { true };
    (@read_only $mode:ident) => { false };
    (@runs run) => { true };
    (@runs $mode:ident) => { false };
    (@has) => { false };
    (@has $columns:ident) => { true };
    (@doc $first:literal $($rest:literal)*) => { const { $first.trim_ascii_start() } };
    (@out open $out:ident) => { None };
    (@out $mode:ident $out:ident) => { Some(|generator| generator.subschema_for::<args::$out>()) };
    (@take Root $handle:ident, $name:literal) => {
        match $handle { Handle::Root => (), other => return Err(wrong_receiver($name, &other)) }
    };
    (@take $receiver:ident $handle:ident, $name:literal) => {
        match $handle { Handle::$receiver(it) => it, other => return Err(wrong_receiver($name, &other)) }
    };
    (@reply open $out:ident $form:ident $value:ident) => { Ok(Reply::Opened(Handle::$out($value))) };
    (@reply $mode:ident $out:ident $form:ident $value:ident) => {
        match $form {
            Form::Native => Ok(Reply::Record(Box::new($value))),
            _ => records(&$value),
        }
    };
    (@reply $mode:ident $out:ident $form:ident $value:ident $columns:ident) => {
        match $form {
            Form::Records => records(&$value),
            Form::Columns => Ok(Reply::Columns($value.$columns()?)),
            Form::Native => Ok(Reply::Record(Box::new($value))),
        }
    };
}

/// The records by their names in the list.
mod args {
    pub use crate::code::clones::record::*;
    pub use crate::code::patterns::record::*;
    pub use crate::code::record::*;
    pub use crate::code::symbols::record::*;
    pub use crate::exec::record::*;
    pub use crate::git::record::*;
    pub use crate::observe::event::EventPage;
    pub use crate::predict::record::*;
    pub use crate::risk::record::*;
    pub use crate::session::record::*;
    pub use crate::workspace::record::*;
}

operations! {
    /// Blocks of code that occur more than once.
    read Workspace "code.clones" ("paths") CodeClonesArgs => CodeClones as to_columns, |ws, a| ws.code().clones(a);
    /// The languages that can be read, and how their files are recognised.
    read Workspace "code.languages" () NoArgs => LanguageTable, |ws, a| ws.code().languages(a);
    /// Metrics of files as they are on disk: of every function, class and file.
    read Workspace "code.metrics" ("paths") CodeMetricsArgs => CodeMetrics as to_columns, |ws, a| ws.code().metrics(a);
    /// Places in code that deserve a second look: each with its rule, why it matters and what to do.
    read Workspace "code.patterns" ("paths") CodePatternsArgs => CodePatterns as to_columns, |ws, a| ws.code().patterns(a);
    /// The rules that `code.patterns` searches by.
    read Workspace "code.rules" () CodeRulesArgs => CodeRules, |ws, a| ws.code().rules(a);
    /// What files define, use and import.
    read Workspace "code.symbols" ("paths") CodeSymbolsArgs => CodeSymbols as to_columns, |ws, a| ws.code().symbols(a);
    /// The next batch of a stream of events.
    read EventStream "events.next" ("max", "wait_ms") EventsNextArgs => EventPage, |stream, a| stream.next(a);
    /// Events after a durable cursor, as a stream that can follow what happens next.
    open Workspace "events.open" ("after") EventsOpenArgs => EventStream, |ws, a| ws.events().open(a);
    /// Files that change together, with the definitions and defaults of code-maat.
    read Workspace "git.coupling" ("paths") CouplingArgs => FileCoupling as to_columns, |ws, a| ws.git().coupling(a);
    /// Fetches the history that a shallow clone lacks, with the git executable and its credentials.
    write Workspace "git.deepen" () DeepenArgs => Deepened, |ws, a| ws.git().deepen(a);
    /// The fourteen change measures of Kamei et al. 2013 for every commit of a range.
    read Workspace "git.features" ("range") FeaturesArgs => FeatureTable as to_columns, |ws, a| ws.git().features(a);
    /// What history says about each file: churn, age, authors, ownership, bus factor, fixes.
    read Workspace "git.files" ("paths") FilesArgs => FileHistories as to_columns, |ws, a| ws.git().files(a);
    /// Writes the history as one pack, for runners that start empty and shallow.
    write Workspace "git.history_export" ("path") HistoryPackArgs => HistoryPack, |ws, a| ws.git().history_export(a);
    /// Reads a history pack into this workspace's store.
    write Workspace "git.history_import" ("path") HistoryPackArgs => HistoryPack, |ws, a| ws.git().history_import(a);
    /// Files that are complex and change often.
    read Workspace "git.hotspots" ("paths") HotspotsArgs => Hotspots as to_columns, |ws, a| ws.git().hotspots(a);
    /// Who made what, by folder or file; or who knows the files that a change touches.
    read Workspace "git.owners" ("paths") OwnersArgs => Ownership as to_columns, |ws, a| ws.git().owners(a);
    /// The commits that brought in what later commits fixed, line by line (SZZ).
    read Workspace "git.szz" ("range") SzzArgs => SzzTable as to_columns, |ws, a| ws.git().szz(a);
    /// What a shipped model is, what it was trained on, and what it must not be used for.
    read Workspace "predict.model" ("name") ModelArgs => ModelCard, |ws, a| ws.predict().model(a);
    /// Puts tasks into a durable queue, all or none.
    write Workspace "queue.enqueue" ("queue", "tasks") EnqueueArgs => Enqueued, |ws, a| ws.queue().enqueue(a);
    /// How many tasks of a queue are in which state.
    read Workspace "queue.show" ("queue") QueueShowArgs => QueueSummary, |ws, a| ws.queue().show(a);
    /// How risky a change is, and why.
    read Workspace "risk.change" ("range") ChangeArgs => ChangeRisk, |ws, a| ws.risk().change(a);
    /// Keeps a schedule that makes sessions at set times.
    write Workspace "schedule.create" ("name", "cron") ScheduleCreateArgs => Schedule, |ws, a| ws.schedule().create(a);
    /// Removes a schedule; the sessions that it has made stay.
    write Workspace "schedule.delete" ("name") ScheduleNameArgs => Schedule, |ws, a| ws.schedule().delete(a);
    /// Every schedule, by name.
    read Workspace "schedule.list" () NoArgs => ScheduleList, |ws, a| ws.schedule().list(a);
    /// Pauses a schedule, or resumes it.
    write Workspace "schedule.pause" ("name") SchedulePauseArgs => Schedule, |ws, a| ws.schedule().pause(a);
    /// Writes to the session's log, in order.
    write Session "session.append" ("name", "entries") AppendArgs => Appended, |session, a| session.append(a);
    /// Puts an ended session away: lists leave it out unless asked for it.
    write Workspace "session.archive" ("id") SessionIdArgs => SessionSummary, |ws, a| ws.session().archive(a);
    /// Asks what to do about the step that comes next: use its result, run it, or decide.
    write Session "session.begin" ("name") StepBeginArgs => StepStart, |session, a| session.begin(a);
    /// Runs a command as a step that dies with its owner, or answers its recorded result.
    run Session "session.command" ("name", "argv") CommandArgs => CommandResult, |session, a| session.command(a);
    /// Cancels a session, whoever owns it: it takes no more steps.
    write Workspace "session.cancel" ("id", "reason") SessionCancelArgs => SessionSummary, |ws, a| ws.session().cancel(a);
    /// Makes a checkpoint that the session can be taken back to or forked at.
    write Session "session.checkpoint" ("name", "state") CheckpointArgs => Checkpoint, |session, a| session.checkpoint(a);
    /// A session's checkpoints, newest first.
    read Workspace "session.checkpoints" ("id") CheckpointsArgs => CheckpointList, |ws, a| ws.session().checkpoints(a);
    /// Takes open sessions that nobody owns and that are due, and fires schedules.
    write Workspace "session.claim" ("max", "wait_ms") SessionClaimArgs => SessionBatch, |ws, a| ws.session().claim(a);
    /// Ends the session with an output or a failure.
    write Session "session.complete" ("output") SessionCompleteArgs => SessionSummary, |session, a| session.complete(a);
    /// A page of a session's log, oldest first, by durable cursor.
    read Workspace "session.entries" ("id") EntriesArgs => EntryPage, |ws, a| ws.session().entries(a);
    /// Reports the outcome of a step; once it answers, the outcome is on disk.
    write Session "session.finish" ("token", "result") StepFinishArgs => StepFinished, |session, a| session.finish(a);
    /// Makes a session that shares the steps of another up to a position or a checkpoint.
    write Workspace "session.fork" ("id", "new_id", "at") SessionForkArgs => SessionSummary, |ws, a| ws.session().fork(a);
    /// One session, without its steps.
    read Workspace "session.get" ("id") SessionIdArgs => SessionSummary, |ws, a| ws.session().get(a);
    /// Everything that has happened to a session, in order.
    read Workspace "session.history" ("id") SessionHistoryArgs => EventPage, |ws, a| ws.session().history(a);
    /// Sessions, newest first.
    read Workspace "session.list" () SessionListArgs => SessionList, |ws, a| ws.session().list(a);
    /// Opens a session: makes it, or goes on where it stopped.
    open Workspace "session.open" ("id") SessionOpenArgs => Session, |ws, a| ws.session().open(a);
    /// Whether to run a changed part of the program in this session; the answer is kept.
    write Session "session.patch" ("name") SessionPatchArgs => SessionPatch, |session, a| session.patch(a);
    /// Pauses a session: nothing new is begun and nobody claims it.
    write Workspace "session.pause" ("id") SessionIdArgs => SessionSummary, |ws, a| ws.session().pause(a);
    /// Removes ended sessions for good.
    write Workspace "session.prune" () SessionPruneArgs => SessionsPruned, |ws, a| ws.session().prune(a);
    /// Takes a session back to a checkpoint; it is open again afterwards.
    write Workspace "session.restore" ("id", "checkpoint") SessionRestoreArgs => Checkpoint, |ws, a| ws.session().restore(a);
    /// Lets a paused session go on.
    write Workspace "session.resume" ("id") SessionIdArgs => SessionSummary, |ws, a| ws.session().resume(a);
    /// A session with its steps.
    read Workspace "session.show" ("id") SessionIdArgs => SessionDetail, |ws, a| ws.session().show(a);
    /// Sends a session a message, which its `wait_signal` takes.
    write Workspace "session.signal" ("id", "name", "payload") SignalArgs => SignalSent, |ws, a| ws.session().signal(a);
    /// Waits for a time, counted from the first begin and through restarts.
    write Session "session.sleep" ("duration_ms") SleepArgs => Slept, |session, a| session.sleep(a);
    /// Makes a session that whoever claims it will run; it is on disk once this returns.
    write Workspace "session.submit" ("id", "input") SessionSubmitArgs => SessionSubmitted, |ws, a| ws.session().submit(a);
    /// Waits for a message to the session; its timeout counts through restarts.
    write Session "session.wait_signal" ("name") WaitSignalArgs => SignalReceived, |session, a| session.wait_signal(a);
    /// Reports results of claimed tasks.
    write Worker "worker.complete" ("tasks") WorkerCompleteArgs => TaskReport, |worker, a| worker.complete(a);
    /// Reports failures of claimed tasks.
    write Worker "worker.fail" ("tasks") WorkerFailArgs => TaskReport, |worker, a| worker.fail(a);
    /// Claims tasks, waiting for the first one if asked to.
    write Worker "worker.next" ("max", "wait_ms") WorkerNextArgs => TaskBatch, |worker, a| worker.next(a);
    /// Opens a worker that takes tasks from a queue.
    open Workspace "worker.open" ("queue") WorkerOpenArgs => Worker, |ws, a| ws.worker().open(a);
    /// Copies the store to a file while it is written: one instant of it, whole or not at all.
    write Workspace "workspace.backup" ("path") BackupArgs => BackupFile, |ws, a| ws.backup(a);
    /// How the store is: what waits, who owns what, how much space is left.
    read Workspace "workspace.health" () HealthArgs => Health, |ws, a| ws.health(a);
    /// What this workspace is: version, repository, store.
    read Workspace "workspace.info" () NoArgs => WorkspaceInfo, |ws, a| ws.info(a);
    /// Opens a workspace on a repository.
    open Root "workspace.open" ("path") OpenArgs => Workspace, |_root, a| Workspace::open(a);
    /// Takes everything from a backup, in one transaction.
    write Workspace "workspace.restore" ("path") RestoreArgs => RestoredStore, |ws, a| ws.restore(a);
}

/// The operation of this name, or an error that names the nearest one.
pub fn operation(name: &str) -> Result<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.name == name).ok_or_else(|| {
        let hint = nearest(name, OPERATIONS.iter().map(|operation| operation.name));
        Error::new("call.unknown", format!("no operation `{name}`{hint}"))
    })
}

fn wrong_receiver(name: &str, handle: &Handle) -> Error {
    let class = match handle.class() {
        "" => "no handle",
        class => class,
    };
    Error::new("call.unknown", format!("operation `{name}` is not one of {class}"))
}

fn records<T: Serialize>(value: &T) -> Result<Reply> {
    serde_json::to_vec(value)
        .map(Reply::Json)
        .map_err(|error| Error::new("bug.panic", format!("an answer could not be written as JSON: {error}")))
}

/// `; did you mean `x`?` where a known name is near.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.len().max(name.len()).div_ceil(2))
        .map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"))
}

/// Reads arguments; the error names the argument, and the nearest known one where it has no such name.
fn parse<T: DeserializeOwned + JsonSchema>(json: &[u8]) -> Result<T> {
    let json = if json.is_empty() { b"{}" } else { json };
    serde_json::from_slice(json).map_err(|_| explain::<T>(json))
}

#[cold]
fn explain<T: DeserializeOwned + JsonSchema>(json: &[u8]) -> Error {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut reader) else {
        return Error::new("args.type", "the arguments are not one JSON object");
    };
    let place = error.path().to_string();
    let text = error.inner().to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    if text.starts_with("unknown field") {
        let hint = nearest(quoted[0], quoted[1..].iter().copied());
        let known = quoted[1..].join("`, `");
        return Error::new(
            "args.unknown_option",
            format!("no option `{}`{hint} (known: `{known}`)", quoted[0]),
        );
    }
    if text.starts_with("unknown variant") {
        let hint = nearest(quoted[0], quoted[1..].iter().copied());
        return Error::new(
            "args.invalid",
            format!("`{place}` cannot be `{}`{hint} (known: `{}`)", quoted[0], quoted[1..].join("`, `")),
        );
    }
    if text.starts_with("missing field") {
        return Error::new(
            "args.invalid",
            format!("`{}` is missing; pass it", quoted.first().unwrap_or(&"?")),
        );
    }
    Error::new("args.type", format!("`{place}`: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_receivers_known() {
        let mut seen = std::collections::BTreeSet::new();
        for operation in OPERATIONS {
            assert!(seen.insert(operation.name), "{} stands twice", operation.name);
            assert!(operation.name.split('.').count() == 2, "{} is not noun.verb", operation.name);
            assert!(operation.doc.ends_with('.'), "{} has no sentence", operation.name);
        }
    }

    #[test]
    fn wrong_arguments_are_named() {
        let unknown = parse::<args::ChangeArgs>(br#"{"rang": "HEAD"}"#).unwrap_err();
        assert_eq!(unknown.code(), "args.unknown_option");
        assert!(unknown.message().contains("did you mean `range`?"), "{unknown}");
        let wrong = parse::<args::EnqueueArgs>(br#"{"queue": "q", "tasks": [{"name": 5}]}"#).unwrap_err();
        assert_eq!(wrong.code(), "args.type");
        assert!(wrong.message().contains("tasks[0].name"), "{wrong}");
        let missing = parse::<args::SessionIdArgs>(b"{}").unwrap_err();
        assert!(missing.message().contains("`id` is missing"), "{missing}");
        let variant = parse::<args::StepBeginArgs>(br#"{"name": "a", "policy": "onse"}"#).unwrap_err();
        assert!(variant.message().contains("did you mean `once`?"), "{variant}");
        assert_eq!(
            operation("risk.chance").unwrap_err().message(),
            "no operation `risk.chance`; did you mean `risk.change`?"
        );
    }
}
