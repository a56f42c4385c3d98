//! A step as one call: its work runs once, and its record answers ever after.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Session;
use crate::base::value::{Failure, Payload};
use crate::error::{Error, Result};
use crate::session::record::{StepBeginArgs, StepFinishArgs, StepStart, StepState};

/// What work may fail with.
pub(crate) type Raised = Box<dyn std::error::Error + Send + Sync>;

impl Session {
    /// Runs `work` as a step of policy `retry`, or answers the recorded result without running it.
    ///
    /// Errors: `task.raised` where `work` fails, which is recorded; else those of
    /// [`begin`](Self::begin) and [`finish`](Self::finish).
    pub async fn step<T, E, F, Fut>(&self, name: &str, work: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        E: Into<Raised>,
        F: FnOnce() -> Fut,
        Fut: Future<Output = std::result::Result<T, E>>,
    {
        self.step_with(StepBeginArgs { name: name.to_owned(), ..StepBeginArgs::default() }, work).await
    }

    /// As [`step`](Self::step), with a key, arguments or policy `once`.
    ///
    /// ```
    /// # barograph::blocking::wait(async {
    /// # use barograph::*;
    /// # let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
    /// # let s = ws.session().open(SessionOpenArgs { id: "a".into(), ..Default::default() }).await?;
    /// let publish = StepBeginArgs { name: "publish".into(), policy: StepPolicy::Once, ..Default::default() };
    /// let url: String = s.step_with(publish, || async { Ok::<_, Error>("https://example.org/42".into()) }).await?;
    /// # Ok::<(), barograph::Error>(()) }).unwrap();
    /// ```
    ///
    /// Errors: as of `step`, and `session.unknown` where a step of policy `once` was cut short.
    pub async fn step_with<T, E, F, Fut>(&self, args: StepBeginArgs, work: F) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        E: Into<Raised>,
        F: FnOnce() -> Fut,
        Fut: Future<Output = std::result::Result<T, E>>,
    {
        let name = args.name.clone();
        let token = match known(&name, self.begin(args).await?)? {
            Known::Done(value) => return Ok(value),
            Known::Run(token) => token,
        };
        let (report, answer) = outcome(&name, token, work().await)?;
        self.finish(report).await?;
        answer
    }
}

/// What is known of a step before its work runs.
pub(crate) enum Known<T> {
    Done(T),
    Run(String),
}

/// Whether a step's work is to run.
pub(crate) fn known<T: DeserializeOwned>(name: &str, start: StepStart) -> Result<Known<T>> {
    let token = start.token.unwrap_or_default();
    match start.state {
        StepState::Run => Ok(Known::Run(token)),
        StepState::Done => {
            let json = start.result.unwrap_or_default().json;
            serde_json::from_value(json).map(Known::Done).map_err(|error| {
                Error::new(
                    "session.diverged",
                    format!("the recorded result of step `{name}` is not of the type that is asked for"),
                )
                .because(&error)
            })
        }
        StepState::Unknown => Err(Error::new(
            "session.unknown",
            format!(
                "step `{name}` was cut short and may have had its effect; find out, then report it with session.finish and the token in `context`"
            ),
        )
        .with("token", token)),
    }
}

/// What is to be reported of a step's work, and what its caller gets after that.
pub(crate) fn outcome<T: Serialize, E: Into<Raised>>(
    name: &str,
    token: String,
    done: std::result::Result<T, E>,
) -> Result<(StepFinishArgs, Result<T>)> {
    let error = match done {
        Ok(value) => {
            let json = serde_json::to_value(&value).map_err(|error| {
                Error::new(
                    "value.not_i_json",
                    format!("the result of step `{name}` cannot be written as JSON"),
                )
                .because(&error)
            })?;
            let result = Some(Payload::json(json));
            return Ok((StepFinishArgs { token, result, failure: None }, Ok(value)));
        }
        Err(error) => error.into(),
    };
    let raised = Error::new("task.raised", format!("step `{name}` failed: {error}")).because(error.as_ref());
    let failure = Failure { message: error.to_string(), kind: None, causes: raised.causes()[1..].to_vec() };
    Ok((StepFinishArgs { token, result: None, failure: Some(failure) }, Err(raised)))
}
