//! The command line as `npx barograph` runs it.

use std::ffi::OsString;

use napi_derive::napi;

/// Runs the command line, the program's name first, on the calling thread; gives back its exit status.
#[napi(catch_unwind)]
pub fn command(args: Vec<String>) -> u32 {
    u32::from(barograph_cli::run(args.into_iter().map(OsString::from)))
}
