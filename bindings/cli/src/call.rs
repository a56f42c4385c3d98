//! One call through the door, with Ctrl-C watched and progress shown.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use arrow_array::RecordBatch;
use barograph::surface::door::{self, Answer};
use barograph::surface::{Form, Record, operation};
use barograph::{Error, Result};
use serde_json::Value;

use crate::command::{Format, Global};
use crate::interrupt::Interrupt;
use crate::progress::Progress;

/// How often Ctrl-C is looked for.
const TICK: Duration = Duration::from_millis(40);

/// Closes its handle at the end of a scope.
pub(crate) struct Opened(pub(crate) u64);

impl Drop for Opened {
    fn drop(&mut self) {
        door::close(self.0);
    }
}

/// What an operation answers.
pub(crate) enum Answered {
    /// Its record.
    Record(Box<dyn Record>),
    /// Its rows.
    Columns(RecordBatch),
    /// A new handle, as the door's JSON.
    Opened(Vec<u8>),
}

/// Opens the workspace of the global options and calls `op` on it.
pub(crate) fn workspace(global: &Global, op: &str, args: &[u8]) -> Result<Answered> {
    let interrupt = Interrupt::watch();
    let operation = operation(op).map_err(|error| error.in_op(op))?;
    let open_workspace;
    let (handle, mut progress) = if operation.receiver.is_empty() {
        (door::ROOT, None)
    } else {
        open_workspace = open(global, &interrupt)?;
        (open_workspace.0, Progress::watch(open_workspace.0, global.quiet))
    };
    if !operation.opens.is_empty() {
        return wait(&interrupt, handle, op, args).map(Answered::Opened);
    }
    if let Format::Csv | Format::Arrow = global.format {
        let columns = waited(&interrupt, &mut progress, op, |token, done| {
            door::start(handle, op, Form::Columns, args, token, done);
        });
        return match columns? {
            Answer::Columns(batch) => Ok(Answered::Columns(batch)),
            _ => Err(Error::new("bug.panic", "an operation with columns gave none").in_op(op)),
        };
    }
    waited(&interrupt, &mut progress, op, |token, done| door::start_native(handle, op, args, token, done))
        .map(Answered::Record)
}

/// Calls `op` on an open handle and waits for its record; Ctrl-C cancels the call.
pub(crate) fn record(interrupt: &Interrupt, handle: u64, op: &str, args: &[u8]) -> Result<Box<dyn Record>> {
    waited(interrupt, &mut None, op, |token, done| door::start_native(handle, op, args, token, done))
}

/// Opens the workspace of the global options.
pub(crate) fn open(global: &Global, interrupt: &Interrupt) -> Result<Opened> {
    let args = Value::Object(global.open.clone()).to_string();
    opened(&wait(interrupt, door::ROOT, "workspace.open", args.as_bytes())?)
}

/// The handle in the answer of an opening operation.
pub(crate) fn opened(answer: &[u8]) -> Result<Opened> {
    serde_json::from_slice::<Value>(answer)
        .ok()
        .and_then(|answer| answer["handle"].as_u64())
        .map(Opened)
        .ok_or_else(|| Error::new("bug.panic", "an opening operation gave back no handle"))
}

/// Calls `op` and waits; Ctrl-C cancels the call. The answer is the door's JSON.
pub(crate) fn wait(interrupt: &Interrupt, handle: u64, op: &str, args: &[u8]) -> Result<Vec<u8>> {
    waited(interrupt, &mut None, op, |token, done| door::start(handle, op, Form::Records, args, token, done))
        .and_then(Answer::into_json)
}

/// Starts a call and waits for what it gives to `done`, with progress shown on the way; Ctrl-C cancels it.
fn waited<T: Send + 'static>(
    interrupt: &Interrupt,
    progress: &mut Option<Progress>,
    op: &str,
    start: impl FnOnce(u64, Box<dyn FnOnce(Result<T>) + Send>),
) -> Result<T> {
    let token = door::token();
    let (send, receive) = channel();
    // The receiver may be gone only when this function has returned.
    start(token, Box::new(move |answer| drop(send.send(answer))));
    let answer = loop {
        match receive.recv_timeout(TICK) {
            Ok(answer) => break answer,
            Err(RecvTimeoutError::Timeout) if interrupt.pressed() => door::cancel(token),
            Err(RecvTimeoutError::Timeout) => progress.iter_mut().for_each(Progress::show),
            Err(RecvTimeoutError::Disconnected) => {
                break Err(Error::new("bug.panic", "a call ended without an answer").in_op(op));
            }
        }
    };
    door::release(token);
    answer
}
