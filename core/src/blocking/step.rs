//! A step as one call, for programs without an executor.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Session;
use crate::error::Result;
use crate::session::record::StepBeginArgs;
use crate::workspace::step::{Known, Raised, known, outcome};

impl Session {
    /// Runs `work` as a step of policy `retry`, or answers the recorded result without running it.
    ///
    /// ```
    /// # use barograph::blocking::Workspace;
    /// # use barograph::*;
    /// # let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() })?;
    /// # let s = ws.session().open(SessionOpenArgs { id: "a".into(), ..Default::default() })?;
    /// let built: String = s.step("build", || Ok::<_, std::io::Error>("app.tar".to_owned()))?;
    /// # assert_eq!(built, "app.tar");
    /// # Ok::<(), barograph::Error>(())
    /// ```
    ///
    /// Errors: those of [`crate::Session::step`].
    pub fn step<T, E>(&self, name: &str, work: impl FnOnce() -> std::result::Result<T, E>) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        E: Into<Raised>,
    {
        self.step_with(StepBeginArgs { name: name.to_owned(), ..StepBeginArgs::default() }, work)
    }

    /// As [`step`](Self::step), with a key, arguments or policy `once`.
    ///
    /// Errors: those of [`crate::Session::step_with`].
    pub fn step_with<T, E>(
        &self,
        args: StepBeginArgs,
        work: impl FnOnce() -> std::result::Result<T, E>,
    ) -> Result<T>
    where
        T: Serialize + DeserializeOwned,
        E: Into<Raised>,
    {
        let name = args.name.clone();
        let token = match known(&name, self.begin(args)?)? {
            Known::Done(value) => return Ok(value),
            Known::Run(token) => token,
        };
        let (report, answer) = outcome(&name, token, work())?;
        self.finish(report)?;
        answer
    }
}
