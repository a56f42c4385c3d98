//! How an error of the core becomes one of Python's, and how a panic does.

use std::panic::AssertUnwindSafe;

use barograph::Error;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// `barograph.errors.from_wire`, which picks the class by kind and code.
static FROM_WIRE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The Python exception for an error of the core.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let built = || {
        let class = FROM_WIRE
            .get_or_try_init(py, || py.import("barograph.errors")?.getattr("from_wire").map(Bound::unbind))?;
        let json = serde_json::to_string(error).map_err(|_| PyRuntimeError::new_err(error.to_string()))?;
        class.bind(py).call1((json,))
    };
    match built() {
        Ok(instance) => PyErr::from_value(instance),
        Err(failed) => failed,
    }
}

/// The error for an answer of another form than the operation's description says.
pub(crate) fn defect(op: &str, expected: &str) -> Error {
    Error::new("args.invalid", format!("`{op}` does not answer with {expected}")).in_op(op)
}

/// Runs what Python calls; a panic is raised as `InternalError` and not as `PanicException`,
/// which `except Exception` would not catch.
pub(crate) fn border<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        let error = Error::new("bug.panic", format!("a defect of the library: {text}"));
        Err(Python::try_attach(|py| raise(py, &error)).unwrap_or_else(|| PyRuntimeError::new_err(text)))
    })
}
