//! How an error is shown, and the exit status that it ends in.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};

use barograph::{Error, Kind};
use clap::builder::styling::{AnsiColor, Style};

/// Why a command ends early.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The operation failed.
    Failed(Error),
    /// The answer could not be written.
    Output(std::io::Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem::Failed(error)
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Problem::Output(error)
    }
}

/// Shows what clap says of a wrong use (or of `--help`), and returns the exit status.
pub(crate) fn usage(error: &clap::Error) -> u8 {
    // A closed pipe or terminal leaves nobody to tell.
    let _ = error.print();
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// Shows a problem on standard error and returns its exit status.
pub(crate) fn report(problem: &Problem, json: bool) -> u8 {
    let (text, status) = match problem {
        // The reader has seen enough (`| head`), which is no error.
        Problem::Output(error) if error.kind() == ErrorKind::BrokenPipe => return 0,
        Problem::Output(error) => {
            (format!("error: the answer cannot be written: {error}\n"), Kind::Unavailable.exit_code())
        }
        Problem::Failed(error) => (if json { record(error) } else { text(error) }, error.kind().exit_code()),
    };
    // A closed pipe or terminal leaves nobody to tell.
    let _ = anstream::stderr().write_all(text.as_bytes());
    status
}

fn record(error: &Error) -> String {
    serde_json::to_string(error).map_or_else(|_| text(error), |json| json + "\n")
}

/// `error[code]: message`, then context, causes, and what to do where the message cannot know it.
fn text(error: &Error) -> String {
    let red = AnsiColor::Red.on_default().bold();
    let dim = Style::new().dimmed();
    let mut text = String::new();
    let _ = writeln!(text, "{red}error[{}]{red:#}: {}", error.code(), error.message());
    let width = error.context().keys().map(|name| name.chars().count()).max().unwrap_or(0);
    for (name, value) in error.context() {
        let _ = writeln!(text, "  {dim}{name:width$}{dim:#}  {value}");
    }
    for cause in error.causes() {
        let _ = writeln!(text, "  {dim}caused by:{dim:#} {cause}");
    }
    if error.retryable() {
        let _ = writeln!(text, "  {dim}the same command may succeed later{dim:#}");
    } else if error.kind() == Kind::Internal {
        let _ = writeln!(text, "  {dim}this is a defect of barograph {}{dim:#}", env!("CARGO_PKG_VERSION"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_code_context_and_causes() {
        let error = Error::new("store.busy", "the store is locked; close the other process")
            .with("path", "/x")
            .because(&std::io::Error::other("database is locked"));
        let plain = anstream::adapter::strip_str(&text(&error)).to_string();
        assert_eq!(
            plain,
            "error[store.busy]: the store is locked; close the other process\n  path  /x\n  \
             caused by: database is locked\n  the same command may succeed later\n"
        );
        assert!(record(&error).contains("\"code\":\"store.busy\""));
    }
}
