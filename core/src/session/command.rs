//! Commands as steps: begun, run and finished here, so that no function of the host is needed.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

use super::handle::Handle;
use super::record::*;
use crate::base::cancel::{CancelOnDrop, CancelToken};
use crate::base::clock::Clock;
use crate::base::runtime::{Process, from_panic};
use crate::base::value::{Failure, Payload};
use crate::error::{Error, Result};
use crate::exec::process::{self, Cut, Ended, Order, Stop};
use crate::exec::worker::sleep;
use crate::store::{Halt, lease_lost};

/// How often the owner of a session is looked for while a command runs for it.
const LOOK: Duration = Duration::from_secs(1);

/// The longest time that may be given to a command, in milliseconds: 30 days.
const LONGEST: u64 = 2_592_000_000;

/// How many characters of a command's output an error carries.
const SHOWN: usize = 2_000;

/// What ends a command, and what tells that it has ended.
type UnderWay = (CancelToken, watch::Receiver<()>);

/// The commands of a handle.
#[derive(Debug)]
pub(super) struct Commands {
    /// Where they run unless they name another folder.
    folder: PathBuf,
    under_way: Mutex<Vec<UnderWay>>,
}

impl Commands {
    /// None yet.
    pub fn new(folder: &Path) -> Commands {
        // Absolute, as the process may change its folder.
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        Commands { folder, under_way: Mutex::default() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<UnderWay>) -> T) -> T {
        let mut list = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|(_, gone)| gone.has_changed().is_ok());
        work(&mut list)
    }

    /// Ends all of them.
    pub fn end(&self) {
        self.with(|list| list.iter().for_each(|(ends, _)| ends.cancel()));
    }

    /// Notes one more, and gives those that were told to end and have not yet done so: the same step
    /// may be run again then, and not beside itself.
    fn enter(&self, ends: CancelToken, gone: watch::Receiver<()>) -> Vec<watch::Receiver<()>> {
        self.with(|list| {
            let ending =
                list.iter().filter(|(ends, _)| ends.is_cancelled()).map(|(_, gone)| gone.clone()).collect();
            list.push((ends, gone));
            ending
        })
    }
}

impl Handle {
    /// Ends the commands that run for this handle.
    pub fn end_commands(&self) {
        // In a forked child they are the parent's.
        if self.alive().is_ok() {
            self.commands.end();
        }
    }

    /// Runs a command as a step, or answers what is recorded of it.
    pub async fn command(self: &Arc<Self>, args: CommandArgs) -> Result<CommandResult> {
        self.alive()?;
        check(&args)?;
        let ends = CancelToken::new();
        let _guard = CancelOnDrop(ends.clone());
        let (alive, gone) = watch::channel(());
        let ending = self.commands.enter(ends.clone(), gone);
        let handle = self.clone();
        // A task of its own: where the caller has gone, it still ends what runs, and until then the
        // session stays owned.
        let task = Process::current().runtime().spawn(async move {
            let _alive = alive;
            for mut gone in ending {
                while gone.changed().await.is_ok() {}
            }
            handle.conduct(args, ends).await
        });
        match task.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => Err(from_panic(error.into_panic().as_ref())),
            Err(_) => Err(Error::cancelled()),
        }
    }

    async fn conduct(&self, args: CommandArgs, ends: CancelToken) -> Result<CommandResult> {
        ends.check()?;
        let begun = self
            .begin(StepBeginArgs {
                name: args.name.clone(),
                key: args.key.clone(),
                args: json!({
                    "argv": args.argv,
                    "environment": args.environment,
                    "folder": args.folder,
                    "stdin": args.stdin,
                }),
                policy: args.policy,
            })
            .await?;
        let token = begun.token.unwrap_or_default();
        match begun.state {
            StepState::Done => return recorded(&args, begun.result.unwrap_or_default()),
            StepState::Unknown => return Err(unknown(&args.name, &token)),
            StepState::Run => {}
        }
        let outcome = self.carry_out(&args, ends, &token).await;
        if outcome.is_err() {
            // Nothing to do where the failure is recorded.
            self.token_number(&token).map(|number| self.plan().cut_short(number))?;
        }
        outcome
    }

    /// Runs the command of a step that was begun, and finishes it unless it was cut short.
    async fn carry_out(&self, args: &CommandArgs, ends: CancelToken, token: &str) -> Result<CommandResult> {
        let asked = args.timeout_ms.map(Duration::from_millis);
        let left = self
            .found()
            .deadline
            .map(|deadline| Duration::from_millis((deadline - Clock::system().now_ms()).max(0) as u64));
        // The session's deadline is the command's, where it comes first.
        let limited = left.is_some_and(|left| asked.is_none_or(|asked| left < asked));
        let order = Order {
            program: args.argv[0].clone(),
            arguments: args.argv[1..].to_vec(),
            folder: args
                .folder
                .as_ref()
                .map_or_else(|| self.commands.folder.clone(), |folder| self.commands.folder.join(folder)),
            environment: args.environment.clone().into_iter().collect(),
            stdin: args.stdin.clone().map(String::into_bytes),
            timeout: if limited { left } else { asked },
        };
        let folder = order.folder.clone();
        let at_once = CancelToken::new();
        let run = process::run(order, Stop { gently: ends.clone(), at_once: at_once.clone() });
        tokio::pin!(run);
        let ran = tokio::select! {
            biased;
            ran = &mut run => ran,
            halt = self.halted() => {
                // Another owner may be running the same step already.
                if halt == Some(Halt::Lost) { at_once.cancel() } else { ends.cancel() }
                run.await
            }
        };
        let (ended, cut) = match ran {
            Ok(ran) => ran,
            Err(error) => return self.fail(token, not_started(args, &folder, &error), None).await,
        };
        match cut {
            Some(Cut::AtOnce | Cut::Gently) => return Err(self.stopped()),
            Some(Cut::TimedOut) if limited => return Err(self.refusal().unwrap_or_else(|| self.stopped())),
            Some(Cut::TimedOut) => {
                let (error, shown) = late(args, ended);
                return match args.policy {
                    StepPolicy::Retry => self.fail(token, error, Some(shown)).await,
                    // It may have had its effect, so it is not to be run again by itself.
                    StepPolicy::Once => Err(error),
                };
            }
            None => {}
        }
        let result = result(ended);
        if let Some(error) = failed(args, &result) {
            let shown = end(&result.stderr);
            return self.fail(token, error, Some(shown)).await;
        }
        let mut kept = serde_json::to_value(&result).map_err(|error| {
            Error::new("bug.panic", "a result could not be written as JSON").because(&error)
        })?;
        if let Some(fields) = kept.as_object_mut() {
            // Not of the command, but of this answer.
            fields.remove("replayed");
        }
        self.finish(StepFinishArgs {
            token: token.to_owned(),
            result: Some(Payload::json(kept)),
            failure: None,
        })
        .await?;
        Ok(result)
    }

    /// Returns what halted the session, once nothing more must run for it.
    async fn halted(&self) -> Option<Halt> {
        let Some(live) = self.live() else { return std::future::pending().await };
        let found = self.found();
        loop {
            tokio::select! {
                biased;
                () = live.stop.cancelled() => return live.halt(),
                () = sleep(LOOK) => {}
            }
            // A store that cannot be read says nothing; the write at the end will.
            let _ = self.store().look_for_owner(found.id, found.epoch).await;
        }
    }

    /// Why a command was told to end.
    fn stopped(&self) -> Error {
        match self.live().and_then(|live| live.halt()) {
            Some(Halt::Lost | Halt::Cancelled) => self.refusal().unwrap_or_else(lease_lost),
            Some(Halt::Paused) | None => Error::cancelled(),
        }
    }

    /// Records the failure of a step; `shown` is what the command said.
    async fn fail(&self, token: &str, error: Error, shown: Option<String>) -> Result<CommandResult> {
        let message = match shown {
            Some(shown) if !shown.is_empty() => format!("{}\n{shown}", error.message()),
            _ => error.message().to_owned(),
        };
        let failure =
            Failure { message, kind: Some(error.code().to_owned()), causes: error.causes().to_vec() };
        let token = token.to_owned();
        self.finish(StepFinishArgs { token, result: None, failure: Some(failure) }).await?;
        Err(error)
    }
}

fn check(args: &CommandArgs) -> Result<()> {
    let invalid =
        |argument: &str, text: String| Err(Error::new("args.invalid", text).with("argument", argument));
    if args.argv.first().is_none_or(String::is_empty) {
        return invalid("argv", "`argv` names no program; pass the program, then its arguments".to_owned());
    }
    if args.argv.iter().any(|word| word.contains('\0')) {
        return invalid("argv", "`argv` holds the character NUL, which no program can be passed".to_owned());
    }
    if args.folder.as_ref().is_some_and(|folder| folder.is_empty() || folder.contains('\0')) {
        return invalid("folder", "`folder` is empty or holds the character NUL; name a folder".to_owned());
    }
    for (name, value) in &args.environment {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return invalid(
                "environment",
                format!(
                    "the variable `{name}` cannot be set; its name is not empty and has no `=`, and neither it nor its value holds the character NUL"
                ),
            );
        }
    }
    match args.timeout_ms {
        Some(timeout) if !(1..=LONGEST).contains(&timeout) => {
            invalid("timeout_ms", format!("`timeout_ms` is {timeout}; it takes 1 to {LONGEST}"))
        }
        _ => Ok(()),
    }
}

fn result(ended: Ended) -> CommandResult {
    let (stdout, stdout_dropped) = ended.stdout.into_text();
    let (stderr, stderr_dropped) = ended.stderr.into_text();
    CommandResult {
        status: ended.status,
        signal: ended.signal,
        stdout,
        stderr,
        stdout_dropped,
        stderr_dropped,
        took_ms: ended.took.as_millis() as u64,
        replayed: false,
    }
}

/// The recorded result; a failure where `check` asks for it now and did not when it was recorded.
fn recorded(args: &CommandArgs, payload: Payload) -> Result<CommandResult> {
    let mut json = payload.json;
    if let Some(fields) = json.as_object_mut() {
        fields.insert("replayed".to_owned(), true.into());
    }
    let result: CommandResult = serde_json::from_value(json).map_err(|error| {
        Error::new(
            "session.diverged",
            format!(
                "the recorded result of step `{}` is not that of a command; the step was another one",
                args.name
            ),
        )
        .because(&error)
    })?;
    match failed(args, &result) {
        Some(error) => Err(error),
        None => Ok(result),
    }
}

/// The error for an end that `check` does not let pass.
fn failed(args: &CommandArgs, result: &CommandResult) -> Option<Error> {
    if !args.check || result.status == Some(0) {
        return None;
    }
    let how = match (result.status, result.signal) {
        (Some(status), _) => format!("with status {status}"),
        (None, Some(signal)) => format!("by signal {signal}"),
        (None, None) => "in a way that another part of this process has taken note of".to_owned(),
    };
    let shown = end(&result.stderr);
    let said = shown.lines().last().unwrap_or("it said nothing on standard error");
    let mut error = Error::new(
        "task.exit_status",
        format!("`{}` ended {how}: {said}; see `context` for more of what it wrote", args.argv[0]),
    )
    .with("step", &args.name)
    .with("stdout", end(&result.stdout))
    .with("stderr", shown);
    for (name, number) in [("status", result.status), ("signal", result.signal)] {
        if let Some(number) = number {
            error = error.with(name, number);
        }
    }
    Some(error)
}

/// The error for a command that took too long, and what it had said.
fn late(args: &CommandArgs, ended: Ended) -> (Error, String) {
    let result = result(ended);
    let then = match args.policy {
        StepPolicy::Retry => "give it more time, or find out what it waits for",
        StepPolicy::Once => "its effect may have happened: begin the step again to be asked for its outcome",
    };
    let shown = end(&result.stderr);
    let error = Error::new(
        "task.timeout",
        format!("`{}` was ended after {} ms; {then}", args.argv[0], args.timeout_ms.unwrap_or_default()),
    )
    .with("step", &args.name)
    .with("stdout", end(&result.stdout))
    .with("stderr", &shown);
    (error, shown)
}

fn not_started(args: &CommandArgs, folder: &Path, error: &std::io::Error) -> Error {
    let program = &args.argv[0];
    let told = match error.kind() {
        ErrorKind::NotFound if !folder.is_dir() => Error::new(
            "path.missing",
            format!("no folder `{}` to run `{program}` in; make it first, or name another", folder.display()),
        )
        .with("path", folder.display()),
        ErrorKind::NotFound => Error::new(
            "task.not_found",
            format!(
                "no program `{program}`, or not the interpreter that it names; install it, or pass its path"
            ),
        ),
        _ => Error::new(
            "task.not_started",
            format!("the system did not start `{program}`: {error}; see that it may be run here"),
        ),
    };
    told.because(error).with("step", &args.name)
}

fn unknown(name: &str, token: &str) -> Error {
    Error::new(
        "session.unknown",
        format!(
            "step `{name}` was cut short and may have had its effect; find out, then report it with session.finish and the token in `context`"
        ),
    )
    .with("step", name)
    .with("token", token)
}

/// The last characters of an output, without space around them.
fn end(text: &str) -> String {
    let text = text.trim();
    let from = text.char_indices().rev().nth(SHOWN - 1).map_or(0, |(at, _)| at);
    text[from..].to_owned()
}
