//! The `barograph` command as a library: the Python wheel and the npm package run the same one.
//!
//! Commands come out of [`barograph::describe`]: a new operation is a new command without a line
//! here. By hand are only the answers that deserve better than a table (`text`), the progress bar,
//! signals, and how an error is shown.

mod arguments;
mod call;
mod command;
mod csv;
mod duration;
mod events;
mod follow;
mod interrupt;
mod output;
mod problem;
mod progress;
mod text;

use std::ffi::OsString;

use barograph::surface::Description;

use crate::call::Answered;
use crate::command::{Action, Format, Global};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::problem::Problem;

/// Runs the command line `args` (the program's name first) to its end and returns the exit status:
/// 0, the error's kind (`Kind::exit_code`), 2 for a wrong use, or 1 where the answer is a no.
///
/// Writes to the process's standard output and error, and owns SIGINT while an operation runs.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let _interrupt = Interrupt::release();
    let surface = barograph::describe();
    let mut command = command::build(&surface);
    let matches = match command.try_get_matches_from_mut(args) {
        Ok(matches) => matches,
        Err(error) => return problem::usage(&error),
    };
    let (global, action) = match command::read(&surface, &mut command, &matches) {
        Ok(read) => read,
        Err(error) => return problem::usage(&error),
    };
    match perform(&global, action, &surface) {
        Ok(status) => status,
        Err(problem) => problem::report(&problem, global.format == Format::Json),
    }
}

fn perform(global: &Global, action: Action, surface: &Description) -> Result<u8, Problem> {
    global.check_store()?;
    match action {
        Action::Operation { name, args } => {
            let answer = call::workspace(global, &name, &args)?;
            let no = matches!(&answer, Answered::Record(record) if text::says_no(&**record));
            Output::stdout().answer(global, &name, answer)?;
            return Ok(u8::from(no));
        }
        Action::Follow { name, args } => return follow::show(global, &name, &args),
        Action::Events { args, follow } => events::print(global, &args, follow)?,
        Action::Mcp => {
            let open = serde_json::from_value(global.open.clone().into()).map_err(std::io::Error::from)?;
            barograph_mcp::serve(&open)?;
        }
        Action::Describe => {
            let json = serde_json::to_string_pretty(surface).map_err(std::io::Error::from)?;
            Output::stdout().line(&json)?;
        }
    }
    Ok(0)
}
