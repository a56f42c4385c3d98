//! Answers on their way to an asyncio event loop.
//!
//! Each loop has one queue. The first answer that finds it empty asks the loop, once, to take
//! everything: a burst of answers costs one `call_soon_threadsafe`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use barograph::surface::Form;
use barograph::surface::door::{self, Answer};
use barograph::{Error, Result};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::columns::Columns;
use crate::error::{border, raise};
use crate::life::{self, Call};
use crate::{Handle, text, utf8};

struct Arrived {
    token: u64,
    answer: Result<Answer>,
}

#[derive(Default)]
struct Queue {
    /// What waits for an answer, by the call's token. A call that is cancelled is taken out at once: its
    /// future holds the loop, and a loop that is closed takes nothing any more.
    futures: Mutex<HashMap<u64, Py<PyAny>>>,
    arrived: Mutex<Vec<Arrived>>,
    /// Whether the loop has been asked to take what is there.
    asked: AtomicBool,
}

impl Queue {
    fn take(&self) -> Vec<Arrived> {
        std::mem::take(&mut *locked(&self.arrived))
    }

    /// What waits for the answer of this call, if anybody does. Letting go of it may run code of the
    /// host, so nothing is locked by then.
    fn future(&self, token: u64) -> Option<Py<PyAny>> {
        locked(&self.futures).remove(&token)
    }

    /// Lets go of an answer that nobody takes; a handle in it is closed.
    fn discard(&self, arrived: &Arrived) {
        drop(self.future(arrived.token));
        discard(&arrived.answer);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Delivers answers to one event loop.
#[pyclass(frozen, module = "barograph._barograph")]
pub(crate) struct Delivery {
    /// A weak reference to the loop: a loop that nobody runs must not live on through us.
    event_loop: Py<PyAny>,
    queue: Arc<Queue>,
}

#[pymethods]
impl Delivery {
    #[new]
    fn new(event_loop: Py<PyAny>) -> Delivery {
        Delivery { event_loop, queue: Arc::default() }
    }

    /// Starts an operation; its answer is set on `future` on the loop's thread. The number
    /// returned cancels it.
    #[pyo3(signature = (handle, op, args, future, columns=false))]
    fn start(
        slf: &Bound<'_, Self>,
        handle: &Bound<'_, Handle>,
        op: &str,
        args: &Bound<'_, PyString>,
        future: Py<PyAny>,
        columns: bool,
    ) -> PyResult<u64> {
        border(|| {
            let py = slf.py();
            if life::ended() {
                return Err(raise(py, &life::ending().in_op(op)));
            }
            let args = utf8(args, op)?;
            let call = Call::enter();
            let delivery = slf.clone().unbind();
            let handle = handle.get().number;
            let form = if columns { Form::Columns } else { Form::Records };
            Ok(py.detach(|| {
                let token = door::token();
                locked(&delivery.get().queue.futures).insert(token, future);
                door::start(handle, op, form, args.as_bytes(), token, move |answer| {
                    door::release(token);
                    delivery.get().arrive(&delivery, Arrived { token, answer });
                    drop(call);
                });
                token
            }))
        })
    }

    /// Cancels a call that was started here; nobody waits for its answer any more.
    fn cancel(&self, py: Python<'_>, token: u64) -> PyResult<()> {
        border(|| {
            drop(self.queue.future(token));
            py.detach(|| door::cancel(token));
            Ok(())
        })
    }

    /// Sets everything that has arrived; runs on the loop's thread.
    fn drain(&self, py: Python<'_>) -> PyResult<()> {
        border(|| {
            // Before the queue is taken: what arrives from here on asks again.
            self.queue.asked.store(false, Ordering::Release);
            for arrived in self.queue.take() {
                match self.queue.future(arrived.token) {
                    Some(future) => settle(future.bind(py), arrived.answer)?,
                    None => py.detach(|| discard(&arrived.answer)),
                }
            }
            Ok(())
        })
    }
}

impl Delivery {
    /// Keeps an answer and asks the loop to take it; runs on a thread of the runtime.
    fn arrive(&self, own: &Py<Delivery>, arrived: Arrived) {
        if life::ended() || !locked(&self.queue.futures).contains_key(&arrived.token) {
            return self.queue.discard(&arrived);
        }
        locked(&self.queue.arrived).push(arrived);
        if self.queue.asked.swap(true, Ordering::AcqRel) {
            return;
        }
        let ask = |py: Python<'_>| {
            let event_loop = self.event_loop.bind(py).call0()?;
            if event_loop.is_none() {
                return Ok(false);
            }
            let drain = own.bind(py).getattr("drain")?;
            event_loop.call_method1("call_soon_threadsafe", (drain,))?;
            PyResult::Ok(true)
        };
        // Waiting for the interpreter must not hold up the runtime's timers and other answers.
        let asked = tokio::task::block_in_place(|| Python::try_attach(ask));
        // The loop is closed or gone: nobody will ever ask for these.
        if !matches!(asked, Some(Ok(true))) {
            self.queue.asked.store(false, Ordering::Release);
            self.queue.take().iter().for_each(|arrived| self.queue.discard(arrived));
        }
    }
}

/// Sets an answer on its future, unless the task that waited was cancelled.
fn settle(future: &Bound<'_, PyAny>, answer: Result<Answer>) -> PyResult<()> {
    let py = future.py();
    if future.call_method0("done")?.extract::<bool>()? {
        py.detach(|| discard(&answer));
        return Ok(());
    }
    let value: PyResult<Bound<'_, PyAny>> = match answer {
        Ok(Answer::Json(json)) => text(py, &json).map(Bound::into_any),
        Ok(Answer::Opened(number)) => Bound::new(py, Handle::adopt(number)).map(Bound::into_any),
        Ok(Answer::Columns(batch)) => Bound::new(py, Columns::new(batch)).map(Bound::into_any),
        Err(error) => Err(raise(py, &error)),
    };
    match value {
        Ok(value) => future.call_method1("set_result", (value,))?,
        Err(failed) => future.call_method1("set_exception", (failed.into_value(py),))?,
    };
    Ok(())
}

/// Closes the handle in an answer that nobody takes.
fn discard(answer: &Result<Answer, Error>) {
    if let Ok(Answer::Opened(number)) = answer {
        door::close(*number);
    }
}
