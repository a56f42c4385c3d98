//! One call through the door, with Ctrl-C watched and progress shown.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use barograph::surface::door::{self, Answer};
use barograph::surface::{Form, operation};
use barograph::{Error, Result};
use serde_json::Value;

use crate::command::Global;
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

/// Opens the workspace of the global options and calls `op` on it; the answer is the door's JSON.
pub(crate) fn workspace(global: &Global, op: &str, args: &[u8]) -> Result<Vec<u8>> {
    let interrupt = Interrupt::watch();
    if operation(op).map_err(|error| error.in_op(op))?.receiver.is_empty() {
        return wait(&interrupt, door::ROOT, op, args);
    }
    let workspace = open(global, &interrupt)?;
    let progress = Progress::watch(workspace.0, global.quiet);
    wait_with(&interrupt, progress, workspace.0, op, args)
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

/// Calls `op` and waits; Ctrl-C cancels the call.
pub(crate) fn wait(interrupt: &Interrupt, handle: u64, op: &str, args: &[u8]) -> Result<Vec<u8>> {
    wait_with(interrupt, None, handle, op, args)
}

/// The same, with progress shown on the way.
fn wait_with(
    interrupt: &Interrupt,
    mut progress: Option<Progress>,
    handle: u64,
    op: &str,
    args: &[u8],
) -> Result<Vec<u8>> {
    let token = door::token();
    let (send, receive) = channel();
    // The receiver may be gone only when this function has returned.
    door::start(handle, op, Form::Records, args, token, move |answer| drop(send.send(answer)));
    let answer = loop {
        match receive.recv_timeout(TICK) {
            Ok(answer) => break answer.and_then(Answer::into_json),
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
