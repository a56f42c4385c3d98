//! `barograph events`: a stream of events as lines of JSON.

use serde_json::{Value, json};

use crate::call;
use crate::command::Global;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::problem::Problem;

/// How long one wait for the next event lasts, in milliseconds; then the next wait begins.
const WAIT_MS: u64 = 10_000;

/// Prints events from a cursor on, to the end or (with `follow`) until Ctrl-C.
pub(crate) fn print(global: &Global, args: &[u8], follow: bool) -> Result<(), Problem> {
    let interrupt = Interrupt::watch();
    let workspace = call::open(global, &interrupt)?;
    let stream = call::opened(&call::wait(&interrupt, workspace.0, "events.open", args)?)?;
    let mut output = Output::stdout();
    let next = json!({ "max": 1000, "wait_ms": if follow { WAIT_MS } else { 0 } }).to_string();
    loop {
        let page = call::wait(&interrupt, stream.0, "events.next", next.as_bytes())?;
        let page: Value = serde_json::from_slice(&page).map_err(std::io::Error::from)?;
        let events = page["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        let lines: String = events.iter().map(|event| format!("{event}\n")).collect();
        if !lines.is_empty() {
            output.write(lines.as_bytes())?;
        }
        if page["ended"] == true || (!follow && events.is_empty()) {
            return Ok(());
        }
    }
}
