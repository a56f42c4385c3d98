//! The functions that `node/src/native.ts` calls.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use barograph::surface::Form;
use barograph::surface::door::{self, Answer};
use barograph::{Error, Result};
use napi::bindgen_prelude::{Either, FnArgs, Function, Uint8Array};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, sys};
use napi_derive::napi;

/// What a call answers: a record as JSON, or columns as an Arrow IPC stream. An error is the text
/// `!` and its record; no record begins with this sign.
type Body = Either<String, Uint8Array>;

/// An answer, encoded where it was made, on its way to the JavaScript thread.
enum Encoded {
    Text(String),
    Bytes(Vec<u8>),
}

struct Settled {
    id: f64,
    keep: bool,
    answer: Encoded,
}

impl From<Encoded> for Body {
    fn from(encoded: Encoded) -> Body {
        match encoded {
            Encoded::Text(text) => Either::A(text),
            Encoded::Bytes(bytes) => Either::B(bytes.into()),
        }
    }
}

type Wake = ThreadsafeFunction<Settled, (), FnArgs<(f64, Body)>, Status, false, true>;

/// How many pending calls hold the process alive; touched on the JavaScript thread only.
#[derive(Default)]
struct Alive {
    calls: Cell<u32>,
    /// The threadsafe function; null until it is made.
    wake: Cell<sys::napi_threadsafe_function>,
}

impl Alive {
    fn hold(&self, env: Env) {
        self.calls.set(self.calls.get() + 1);
        if self.calls.get() == 1 {
            // SAFETY: on the JavaScript thread; the function lives as long as its environment.
            unsafe { sys::napi_ref_threadsafe_function(env.raw(), self.wake.get()) };
        }
    }

    fn let_go(&self, env: Env) {
        self.calls.set(self.calls.get().saturating_sub(1));
        if self.calls.get() == 0 {
            // SAFETY: as above.
            unsafe { sys::napi_unref_threadsafe_function(env.raw(), self.wake.get()) };
        }
    }
}

/// The door of one JavaScript environment.
#[napi]
pub struct Door {
    wake: Arc<Wake>,
    alive: Rc<Alive>,
}

#[napi]
impl Door {
    /// `settle(id, body)` is called once for every call that did not answer at once.
    #[napi(constructor, catch_unwind)]
    pub fn new(settle: Function<'_, FnArgs<(f64, Body)>, ()>) -> napi::Result<Self> {
        let alive = Rc::new(Alive::default());
        let counted = Rc::clone(&alive);
        let wake: Wake =
            settle.build_threadsafe_function::<Settled>().weak::<true>().build_callback(move |context| {
                let Settled { id, keep, answer } = context.value;
                if keep {
                    counted.let_go(context.env);
                }
                Ok((id, Body::from(answer)).into())
            })?;
        alive.wake.set(wake.raw());
        Ok(Door { wake: Arc::new(wake), alive })
    }

    /// Starts an operation. An answer that needs no waiting is given back at once; otherwise the
    /// answer comes through `settle` under `id`, and until then `keep` holds the process alive.
    #[napi(catch_unwind)]
    #[allow(clippy::too_many_arguments, reason = "one crossing of the border instead of two")]
    pub fn call(
        &self,
        env: Env,
        handle: f64,
        op: String,
        args: String,
        columns: bool,
        token: f64,
        id: f64,
        keep: bool,
    ) -> Option<Body> {
        let wake = Arc::clone(&self.wake);
        let done = move |answer| {
            // An environment that has ended takes no answers, and needs none.
            let answer = encode(answer);
            wake.call(Settled { id, keep, answer }, ThreadsafeFunctionCallMode::NonBlocking);
        };
        let form = if columns { Form::Columns } else { Form::Records };
        let answer = door::start_or_answer(handle as u64, &op, form, args.as_bytes(), token as u64, done);
        if answer.is_none() && keep {
            self.alive.hold(env);
        }
        answer.map(|answer| encode(answer).into())
    }

    /// A fresh cancel token.
    #[napi(catch_unwind)]
    pub fn token(&self) -> f64 {
        door::token() as f64
    }

    /// Cancels every call that was given this token.
    #[napi(catch_unwind)]
    pub fn cancel(&self, token: f64) {
        door::cancel(token as u64);
    }

    /// Forgets a cancel token.
    #[napi(catch_unwind)]
    pub fn release(&self, token: f64) {
        door::release(token as u64);
    }

    /// Closes a handle, then settles `id`; closing twice does nothing.
    ///
    /// On a thread of its own: the last reference to a workspace ends threads and closes files.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env, handle: f64, id: f64) {
        self.alive.hold(env);
        let wake = Arc::clone(&self.wake);
        let thread = std::thread::Builder::new().name("barograph-close".to_owned());
        if thread.spawn(move || close_and_settle(&wake, handle, id)).is_err() {
            close_and_settle(&self.wake, handle, id);
        }
    }

    /// Cancels every call under way and closes every handle of the process.
    #[napi(catch_unwind)]
    pub fn shutdown(&self) {
        door::shutdown();
    }
}

fn close_and_settle(wake: &Wake, handle: f64, id: f64) {
    door::close(handle as u64);
    let answer = Encoded::Text("{}".to_owned());
    wake.call(Settled { id, keep: true, answer }, ThreadsafeFunctionCallMode::NonBlocking);
}

fn encode(answer: Result<Answer>) -> Encoded {
    let encoded = answer.and_then(|answer| match answer {
        Answer::Columns(_) => answer.into_ipc().map(Encoded::Bytes),
        // The JSON is UTF-8 by construction: the lossy reading is never taken.
        _ => answer.into_json().map(|json| {
            Encoded::Text(
                String::from_utf8(json)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            )
        }),
    });
    encoded.unwrap_or_else(|error| Encoded::Text(failed(&error)))
}

fn failed(error: &Error) -> String {
    let record = serde_json::to_string(error).unwrap_or_else(|_| {
        format!(r#"{{"kind":"internal","code":"bug.panic","message":"{}"}}"#, error.code())
    });
    format!("!{record}")
}
