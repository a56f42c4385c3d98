//! The door: the few functions that every binding carries to its language, and nothing else.
//!
//! Handles and tokens are numbers. Arguments and results are JSON. Nothing panics across, nothing
//! is called back under a lock, and a handle made before a fork is refused in the child.

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use super::{Form, Handle, Record, Reply, operation};
use crate::base::cancel::CancelToken;
use crate::base::runtime::{PerProcess, Process, block_on, from_panic, hurrying, spawn_waiting, waiting};
use crate::error::{Error, Result};

/// The handle that stands for no handle: `workspace.open` is called on it.
pub const ROOT: u64 = 0;

/// No cancel token.
pub const NO_TOKEN: u64 = 0;

/// What a call answers.
#[derive(Debug)]
pub enum Answer {
    /// A record as JSON.
    Json(Vec<u8>),
    /// The number of a new handle.
    Opened(u64),
    /// Rows as Arrow columns.
    Columns(arrow_array::RecordBatch),
}

impl Answer {
    /// The answer as JSON: a record as it is, a new handle as `{"handle": n}`.
    pub fn into_json(self) -> Result<Vec<u8>> {
        match self {
            Answer::Json(json) => Ok(json),
            Answer::Opened(handle) => Ok(format!("{{\"handle\":{handle}}}").into_bytes()),
            Answer::Columns(_) => {
                Err(Error::new("args.invalid", "columns were asked for; take them as Arrow"))
            }
        }
    }

    /// The answer as one Arrow IPC stream.
    pub fn into_ipc(self) -> Result<Vec<u8>> {
        let Answer::Columns(batch) = self else {
            return Err(Error::new("args.invalid", "this operation offers no columns; call it for records"));
        };
        let failed = |error: arrow_schema::ArrowError| {
            Error::new("bug.panic", "columns could not be written as Arrow IPC").because(&error)
        };
        let mut writer =
            arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).map_err(failed)?;
        writer.write(&batch).map_err(failed)?;
        writer.into_inner().map_err(failed)
    }
}

struct Table {
    /// Numbers below were given out before this process was forked off.
    first: u64,
    handles: Mutex<HashMap<u64, Handle>>,
    tokens: Mutex<HashMap<u64, CancelToken>>,
}

static TABLE: PerProcess<Table> = PerProcess::new();
/// Numbers are never used twice, not even by a forked child.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// A number for a new entry of `table`, which therefore exists before the number does.
fn number(_: &Table) -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn table() -> &'static Table {
    TABLE.get(|| Table {
        first: NEXT.load(Ordering::Relaxed),
        handles: Mutex::default(),
        tokens: Mutex::default(),
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn find(number: u64) -> Result<Handle> {
    if number == ROOT {
        return Ok(Handle::Root);
    }
    let table = table();
    if let Some(handle) = locked(&table.handles).get(&number) {
        return Ok(handle.clone());
    }
    if number < table.first {
        return Err(Error::new(
            "process.forked",
            "this handle was opened before the process forked; open a new one in the child, or start workers with spawn",
        ));
    }
    Err(Error::new("handle.closed", "the handle was closed; open a new one"))
}

/// A fresh cancel token's number; give it back with [`release`].
pub fn token() -> u64 {
    let table = table();
    let number = number(table);
    locked(&table.tokens).insert(number, CancelToken::new());
    number
}

/// Cancels every call that was given this token; unknown tokens are ignored.
pub fn cancel(token: u64) {
    let found = locked(&table().tokens).get(&token).cloned();
    if let Some(token) = found {
        token.cancel();
    }
}

/// Forgets a cancel token.
pub fn release(token: u64) {
    locked(&table().tokens).remove(&token);
}

/// Closes a handle: later calls on it are `handle.closed`; closing twice does nothing.
pub fn close(handle: u64) {
    let closed = locked(&table().handles).remove(&handle);
    if let Some(closed) = &closed {
        closed.closing();
    }
    // Dropped outside the lock: the last reference may end threads or files.
    drop(closed);
}

/// Cancels every call under way and closes every handle: for a host that exits.
pub fn shutdown() {
    let table = table();
    let tokens: Vec<CancelToken> = locked(&table.tokens).drain().map(|(_, token)| token).collect();
    tokens.iter().for_each(CancelToken::cancel);
    let handles: Vec<Handle> = locked(&table.handles).drain().map(|(_, handle)| handle).collect();
    handles.iter().for_each(Handle::closing);
    drop(handles);
}

/// Starts an operation; the future owns everything that it needs. Dropping it cancels the call.
pub fn begin(
    handle: u64,
    op: &str,
    form: Form,
    args: &[u8],
    token: u64,
) -> impl Future<Output = Result<Answer>> + Send + 'static {
    let work = reply(handle, op, form, args, token);
    let name = op.to_owned();
    async move {
        match work.await? {
            Reply::Json(json) => Ok(Answer::Json(json)),
            Reply::Columns(batch) => Ok(Answer::Columns(batch)),
            Reply::Record(record) => {
                let mut json = Vec::new();
                let written = record.write_json(&mut json);
                written.map_err(|error| {
                    Error::new("bug.panic", format!("an answer could not be written as JSON: {error}"))
                        .in_op(&name)
                })?;
                Ok(Answer::Json(json))
            }
            Reply::Opened(opened) => {
                let table = table();
                let number = number(table);
                locked(&table.handles).insert(number, opened);
                Ok(Answer::Opened(number))
            }
        }
    }
}

/// Starts an operation on the runtime and gives its record as it is, for hosts written in Rust;
/// `done` is called once, on a thread of the runtime.
pub fn start_native(
    handle: u64,
    op: &str,
    args: &[u8],
    token: u64,
    done: impl FnOnce(Result<Box<dyn Record>>) + Send + 'static,
) {
    let work = reply(handle, op, Form::Native, args, token);
    let name = op.to_owned();
    Process::current().runtime().spawn(async move {
        done(work.await.and_then(|reply| match reply {
            Reply::Record(record) => Ok(record),
            _ => Err(
                Error::new("args.invalid", "this operation opens a handle and has no record").in_op(&name),
            ),
        }));
    });
}

fn reply(
    handle: u64,
    op: &str,
    form: Form,
    args: &[u8],
    token: u64,
) -> impl Future<Output = Result<Reply>> + Send + 'static {
    let token = match token {
        NO_TOKEN => None,
        token => locked(&table().tokens).get(&token).cloned(),
    };
    let name = op.to_owned();
    let started = guard(|| {
        let operation = operation(op)?;
        (operation.call)(find(handle)?, form, args)
    });
    async move {
        let work = Caught(started?);
        match token {
            None => work.await,
            Some(token) => tokio::select! {
                biased;
                reply = work => reply,
                () = token.cancelled() => Err(Error::cancelled()),
            },
        }
    }
    .map_op(name)
}

/// Calls an operation and waits on the calling thread.
///
/// ```
/// use barograph::surface::door;
/// let opened = door::call(door::ROOT, "workspace.open", br#"{"in_memory": true}"#, door::NO_TOKEN).unwrap();
/// assert!(String::from_utf8(opened).unwrap().starts_with("{\"handle\":"));
/// ```
pub fn call(handle: u64, op: &str, args: &[u8], token: u64) -> Result<Vec<u8>> {
    guard(|| block_on(begin(handle, op, Form::Records, args, token))?.into_json())
}

/// Calls an operation for Arrow columns and waits on the calling thread.
pub fn columns(handle: u64, op: &str, args: &[u8], token: u64) -> Result<arrow_array::RecordBatch> {
    let answer = guard(|| block_on(begin(handle, op, Form::Columns, args, token)));
    match answer? {
        Answer::Columns(batch) => Ok(batch),
        _ => {
            Err(Error::new("args.invalid", "this operation offers no columns; call it for records").in_op(op))
        }
    }
}

/// Calls an operation and waits on the calling thread, asking `go_on` every `slice` whether to keep
/// waiting; `None` once it says no, and the call is cancelled.
///
/// For hosts whose signals are handled by the waiting thread itself, and for bare calls at the
/// lowest cost: the future is polled on the calling thread and no timer is made.
///
/// ```
/// use barograph::surface::{Form, door};
/// let slice = std::time::Duration::from_millis(50);
/// let args = br#"{"in_memory": true}"#;
/// let opened = door::call_with(door::ROOT, "workspace.open", Form::Records, args, door::NO_TOKEN, slice, || true);
/// assert!(matches!(opened, Some(Ok(door::Answer::Opened(_)))));
/// ```
pub fn call_with(
    handle: u64,
    op: &str,
    form: Form,
    args: &[u8],
    token: u64,
    slice: Duration,
    mut go_on: impl FnMut() -> bool,
) -> Option<Result<Answer>> {
    let waited = guard(|| {
        let _inside = Process::current().runtime().enter();
        let mut work = std::pin::pin!(begin(handle, op, form, args, token));
        let alarm = Arc::new(Alarm { thread: std::thread::current(), rung: AtomicBool::new(true) });
        let waker = Waker::from(alarm.clone());
        let mut context = Context::from_waker(&waker);
        let mut asked = Instant::now();
        loop {
            // The flag and not the parking alone: what `go_on` runs may wait here too, and take
            // the thread's one parking permit.
            if alarm.rung.swap(false, Ordering::AcqRel)
                && let Poll::Ready(answer) = waiting(|| work.as_mut().poll(&mut context))
            {
                return Ok(Some(answer));
            }
            let since = asked.elapsed();
            if since >= slice {
                if !go_on() {
                    return Ok(None);
                }
                asked = Instant::now();
            } else if !alarm.rung.load(Ordering::Acquire) {
                std::thread::park_timeout(slice - since);
            }
        }
    });
    waited.unwrap_or_else(|error| Some(Err(error.in_op(op))))
}

/// Wakes the thread that waits in [`call_with`].
struct Alarm {
    thread: std::thread::Thread,
    rung: AtomicBool,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Starts an operation on the runtime; `done` is called once, on a thread of the runtime.
pub fn start(
    handle: u64,
    op: &str,
    form: Form,
    args: &[u8],
    token: u64,
    done: impl FnOnce(Result<Answer>) + Send + 'static,
) {
    let work = begin(handle, op, form, args, token);
    spawn_waiting(async move { done(work.await) });
}

/// As [`start`], but an answer that needs no waiting is given back at once and `done` is not called.
///
/// For hosts whose thread may not wait: an operation that writes, blocks or computes suspends before that
/// and goes on on another thread, so the one poll made here is short.
pub fn start_or_answer(
    handle: u64,
    op: &str,
    form: Form,
    args: &[u8],
    token: u64,
    done: impl FnOnce(Result<Answer>) + Send + 'static,
) -> Option<Result<Answer>> {
    let mut work = Box::pin(begin(handle, op, form, args, token));
    let runtime = Process::current().runtime();
    let context = runtime.enter();
    let answer = hurrying(|| work.as_mut().poll(&mut Context::from_waker(Waker::noop())));
    drop(context);
    match answer {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => {
            spawn_waiting(async move { done(work.await) });
            None
        }
    }
}

/// Runs `work`; a panic becomes an error of code `bug.panic`.
fn guard<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(from_panic(panic.as_ref())))
}

/// A future whose panics are errors.
struct Caught(Pin<Box<dyn Future<Output = Result<Reply>> + Send>>);

impl Future for Caught {
    type Output = Result<Reply>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        std::panic::catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx)))
            .unwrap_or_else(|panic| Poll::Ready(Err(from_panic(panic.as_ref()))))
    }
}

trait MapOp: Future<Output = Result<Reply>> + Sized + Send + 'static {
    fn map_op(self, op: String) -> impl Future<Output = Result<Reply>> + Send + 'static {
        async move { self.await.map_err(|error| error.in_op(&op)) }
    }
}

impl<F: Future<Output = Result<Reply>> + Send + 'static> MapOp for F {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_handle_says_so() {
        let opened = call(ROOT, "workspace.open", br#"{"in_memory": true}"#, NO_TOKEN).unwrap();
        let record: serde_json::Value = serde_json::from_slice(&opened).unwrap();
        let handle = record["handle"].as_u64().unwrap();
        assert!(call(handle, "workspace.info", b"", NO_TOKEN).is_ok());
        close(handle);
        close(handle);
        let error = call(handle, "workspace.info", b"", NO_TOKEN).unwrap_err();
        assert_eq!((error.code(), error.op()), ("handle.closed", "workspace.info"));
    }

    #[test]
    fn a_wait_in_slices_ends_with_the_answer() {
        let slice = Duration::from_millis(5);
        let opened = call_with(
            ROOT,
            "workspace.open",
            Form::Records,
            br#"{"in_memory": true}"#,
            NO_TOKEN,
            slice,
            || true,
        );
        let Some(Ok(Answer::Opened(handle))) = opened else { panic!("{opened:?}") };
        close(handle);
        let closed = call_with(handle, "workspace.info", Form::Records, b"", NO_TOKEN, slice, || true);
        assert_eq!(closed.unwrap().unwrap_err().code(), "handle.closed");
    }

    #[test]
    fn a_panic_is_an_error() {
        let error = guard::<()>(|| panic!("at {}", 7)).unwrap_err();
        assert_eq!(error.code(), "bug.panic");
        assert!(error.message().contains("at 7"));
    }
}
