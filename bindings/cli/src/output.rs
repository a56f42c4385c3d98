//! Standard output: answers as text, JSON or CSV.

use std::io::{IsTerminal, Result, Write};

use crate::command::Global;
use crate::{csv, text};

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
        if global.json {
            answer.push(b'\n');
            return self.write(&answer);
        }
        if global.csv {
            return self.write(&csv::table(op, &answer)?);
        }
        let size = console::Term::stdout().size_checked();
        let width = size.filter(|_| std::io::stdout().is_terminal()).map(|(_, width)| usize::from(width));
        self.write(text::render(op, &answer, width).as_bytes())
    }
}
