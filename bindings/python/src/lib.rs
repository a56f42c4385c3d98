//! The Python door: calls, asyncio delivery, columns and the guards of a process's life.
//!
//! Written once: it carries names and JSON and knows no operation. Everything that a user of
//! Python sees is in `python/src/barograph`, most of it generated.

mod columns;
mod delivery;
mod error;
mod life;

use std::ffi::OsString;
use std::time::Duration;

use barograph::surface::Form;
use barograph::surface::door::{self, Answer};
use pyo3::prelude::*;
use pyo3::types::PyString;

use error::{border, raise};
use life::Call;

/// How long a blocking call may go without looking at signals.
const SLICE: Duration = Duration::from_millis(50);

/// One entry of the door's table; closed when nobody holds it any more.
#[pyclass(frozen, module = "barograph._barograph")]
struct Handle {
    number: u64,
    pid: u32,
}

impl Handle {
    fn adopt(number: u64) -> Handle {
        Handle { number, pid: std::process::id() }
    }
}

#[pymethods]
impl Handle {
    /// Closes the handle; twice does nothing.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        border(|| {
            // In a forked child the handle is the parent's to close.
            if self.number != door::ROOT && self.pid == std::process::id() {
                py.detach(|| door::close(self.number));
            }
            Ok(())
        })
    }

    fn __repr__(&self) -> String {
        format!("Handle({})", self.number)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.number == door::ROOT || self.pid != std::process::id() || life::ended() {
            return;
        }
        let close = || door::close(self.number);
        // Closing can wait for a disk: not with the interpreter held.
        if Python::try_attach(|py| py.detach(close)).is_none() {
            close();
        }
    }
}

/// Asks calls to stop; see `barograph.CancelToken`.
#[pyclass(frozen, module = "barograph._barograph")]
struct Token {
    number: u64,
}

#[pymethods]
impl Token {
    #[new]
    fn new() -> PyResult<Token> {
        border(|| Ok(Token { number: door::token() }))
    }

    /// Cancels every call that was given this token.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        border(|| {
            py.detach(|| door::cancel(self.number));
            Ok(())
        })
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        door::release(self.number);
    }
}

/// Waits for an operation with the interpreter detached; signals are looked at between slices.
fn wait(
    py: Python<'_>,
    handle: u64,
    op: &str,
    form: Form,
    args: &Bound<'_, PyString>,
    token: Option<&Token>,
) -> PyResult<Answer> {
    let args = utf8(args, op)?;
    let call = Call::enter();
    let token = token.map_or(door::NO_TOKEN, |token| token.number);
    let mut interrupted = None;
    let answer = py.detach(|| {
        door::call_with(handle, op, form, args.as_bytes(), token, SLICE, || {
            if life::ended() {
                return false;
            }
            match Python::try_attach(|py| py.check_signals()) {
                Some(Ok(())) => true,
                Some(Err(raised)) => {
                    interrupted = Some(raised);
                    false
                }
                None => false,
            }
        })
    });
    drop(call);
    match (answer, interrupted) {
        (Some(Ok(answer)), _) => Ok(answer),
        (Some(Err(failed)), _) => Err(raise(py, &failed)),
        (None, Some(raised)) => Err(raised),
        (None, None) => Err(raise(py, &life::ending().in_op(op))),
    }
}

/// Calls an operation that answers with a record: the record as JSON text.
#[pyfunction]
#[pyo3(signature = (handle, op, args, token=None))]
fn call<'py>(
    py: Python<'py>,
    handle: &Bound<'py, Handle>,
    op: &str,
    args: &Bound<'py, PyString>,
    token: Option<&Bound<'py, Token>>,
) -> PyResult<Bound<'py, PyString>> {
    border(|| {
        let answer = wait(py, handle.get().number, op, Form::Records, args, token.map(Bound::get))?;
        let json = answer.into_json().map_err(|failed| raise(py, &failed.in_op(op)))?;
        text(py, &json)
    })
}

/// Calls an operation that opens a handle.
#[pyfunction]
#[pyo3(signature = (handle, op, args, token=None))]
fn open<'py>(
    py: Python<'py>,
    handle: &Bound<'py, Handle>,
    op: &str,
    args: &Bound<'py, PyString>,
    token: Option<&Bound<'py, Token>>,
) -> PyResult<Handle> {
    border(|| {
        let answer = wait(py, handle.get().number, op, Form::Records, args, token.map(Bound::get))?;
        match answer {
            Answer::Opened(number) => Ok(Handle::adopt(number)),
            _ => Err(raise(py, &error::defect(op, "a handle"))),
        }
    })
}

/// Calls an operation for its rows as Arrow columns.
#[pyfunction]
#[pyo3(name = "columns", signature = (handle, op, args, token=None))]
fn take_columns<'py>(
    py: Python<'py>,
    handle: &Bound<'py, Handle>,
    op: &str,
    args: &Bound<'py, PyString>,
    token: Option<&Bound<'py, Token>>,
) -> PyResult<columns::Columns> {
    border(|| {
        let answer = wait(py, handle.get().number, op, Form::Columns, args, token.map(Bound::get))?;
        match answer {
            Answer::Columns(batch) => Ok(columns::Columns::new(batch)),
            _ => Err(raise(py, &error::defect(op, "columns"))),
        }
    })
}

/// Python's text as UTF-8; half of a surrogate pair, which Python's text can hold, is refused.
fn utf8<'text>(args: &'text Bound<'_, PyString>, op: &str) -> PyResult<&'text str> {
    args.to_str().map_err(|cause| {
        let text = "an argument holds text that is not Unicode (half of a surrogate pair); repair it";
        let error = barograph::Error::new("value.not_i_json", text).because(&cause);
        raise(args.py(), &error.in_op(op))
    })
}

/// JSON text of the core as Python text.
fn text<'py>(py: Python<'py>, json: &[u8]) -> PyResult<Bound<'py, PyString>> {
    // serde_json writes UTF-8 alone.
    Ok(PyString::new(py, &String::from_utf8_lossy(json)))
}

/// Runs the `barograph` command to its end; `args` starts with the program's name.
#[pyfunction]
fn command(py: Python<'_>, args: Vec<OsString>) -> PyResult<u8> {
    border(|| Ok(py.detach(|| barograph_cli::run(args))))
}

/// The names of every operation, for tests of what is exported.
#[pyfunction]
fn operations() -> Vec<&'static str> {
    barograph::surface::OPERATIONS.iter().map(|operation| operation.name).collect()
}

/// The native part of `barograph`.
#[pymodule(name = "_barograph")]
mod module {
    #[pymodule_export]
    use super::columns::Columns;
    #[pymodule_export]
    use super::delivery::Delivery;
    #[pymodule_export]
    use super::life::{forked, shutdown};
    #[pymodule_export]
    use super::{Handle, Token, call, command, open, operations, take_columns};

    use super::{door, life};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        life::loaded();
        module.add("ROOT", super::Handle::adopt(door::ROOT))?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
