//! Standard output: answers as text, JSON, CSV or Arrow.

use std::io::{Error, IsTerminal, Result, Write};

use barograph::surface::door::Answer;

use crate::call::Answered;
use crate::command::{Format, Global};
use crate::text::Reader;
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
    pub(crate) fn answer(&mut self, global: &Global, op: &str, answer: Answered) -> Result<()> {
        let format = global.format;
        let record = match answer {
            Answered::Record(record) => record,
            Answered::Columns(batch) if format == Format::Arrow => {
                // Bytes must not pass through what takes styles out of text.
                let bytes = Answer::Columns(batch).into_ipc().map_err(Error::other)?;
                let mut out = std::io::stdout().lock();
                out.write_all(&bytes)?;
                return out.flush();
            }
            Answered::Columns(batch) => return csv::write(op, &batch, &mut self.buffered()),
            Answered::Opened(json) if format == Format::Json => {
                return self.line(&String::from_utf8_lossy(&json));
            }
            Answered::Opened(json) => return self.write(text::opened(&json).as_bytes()),
        };
        if format == Format::Json {
            let mut out = self.buffered();
            record.write_json(&mut out)?;
            out.write_all(b"\n")?;
            return out.flush();
        }
        let width = terminal().map(|(_, width)| width);
        self.write(text::render(op, &*record, Reader { width, clock: global.clock() }).as_bytes())
    }

    fn buffered(&mut self) -> impl Write + '_ {
        std::io::BufWriter::with_capacity(1 << 16, &mut self.0)
    }
}

/// Rows and columns of standard output where a person reads it.
pub(crate) fn terminal() -> Option<(usize, usize)> {
    let size = console::Term::stdout().size_checked();
    size.filter(|_| std::io::stdout().is_terminal()).map(|(rows, width)| (rows.into(), width.into()))
}
