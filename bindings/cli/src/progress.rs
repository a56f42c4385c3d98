//! The progress bar: on standard error, for a person at a terminal, once work takes its time.

use std::io::IsTerminal;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use barograph::surface::Form;
use barograph::surface::door::{self, Answer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::call::{Opened, opened};

/// Work that is done sooner shows no bar.
const PATIENCE: Duration = Duration::from_millis(300);

/// A durable cursor that no event has reached: only transient events are wanted.
const NO_DURABLE: u64 = (1 << 53) - 1;

/// Follows the reports of one workspace.
pub(crate) struct Progress {
    stream: Opened,
    pages: Receiver<Option<Value>>,
    started: Instant,
    newest: Option<Value>,
    /// The part of the work that the bar shows (its name, whether its total is known).
    bar: Option<((String, bool), ProgressBar)>,
}

impl Progress {
    /// Follows a workspace's reports where a person reads standard error.
    pub(crate) fn watch(workspace: u64, quiet: bool) -> Option<Progress> {
        if quiet || !std::io::stderr().is_terminal() {
            return None;
        }
        let open = json!({ "transient": true, "follow": true, "after": NO_DURABLE }).to_string();
        // Without events there is no bar, which is no reason to fail.
        let answer = door::call(workspace, "events.open", open.as_bytes(), door::NO_TOKEN).ok()?;
        let stream = opened(&answer).ok()?;
        let pages = next(stream.0);
        Some(Progress { stream, pages, started: Instant::now(), newest: None, bar: None })
    }

    /// Takes what was reported since the last time, and draws.
    pub(crate) fn show(&mut self) {
        if let Ok(Some(page)) = self.pages.try_recv() {
            let reported = |event: &&Value| event["kind"] == "progress.reported";
            let newest = page["events"].as_array().into_iter().flatten().rfind(reported).cloned();
            self.newest = newest.or(self.newest.take());
            if page["ended"] != true {
                self.pages = next(self.stream.0);
            }
        }
        if self.started.elapsed() < PATIENCE {
            return;
        }
        let Some(event) = &self.newest else { return };
        let subject = event["subject"].as_str().unwrap_or_default().to_owned();
        let done = event["data"]["done"].as_u64().unwrap_or_default();
        let total = event["data"]["total"].as_u64().unwrap_or_default();
        let unit = event["data"]["unit"].as_str().unwrap_or_default().to_owned();
        // The same work may learn its total on the way: then a count becomes a bar.
        let part = (subject, total > 0);
        if self.bar.as_ref().is_none_or(|(of, _)| *of != part) {
            self.clear();
            let bar = bar(&part.0, total, &unit);
            self.bar = Some((part, bar));
        }
        if let Some((_, bar)) = &self.bar {
            if total > 0 {
                bar.set_length(total);
            }
            bar.set_position(done);
            bar.tick();
        }
    }

    fn clear(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // The answer takes the bar's place.
        self.clear();
    }
}

/// Asks for the next page; it arrives on the receiver.
fn next(stream: u64) -> Receiver<Option<Value>> {
    let (send, receive) = channel();
    let args = json!({ "max": 1000, "wait_ms": 10_000 }).to_string();
    door::start(stream, "events.next", Form::Records, args.as_bytes(), door::NO_TOKEN, move |answer| {
        let page = answer.and_then(Answer::into_json).ok();
        // Nobody waits any more once the call is over.
        drop(send.send(page.and_then(|page| serde_json::from_slice(&page).ok())));
    });
    receive
}

fn bar(subject: &str, total: u64, unit: &str) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let (bar, template) = match total {
        0 => {
            (ProgressBar::with_draw_target(None, target), "{spinner} {msg}: {human_pos} {prefix}, {elapsed}")
        }
        total => (
            ProgressBar::with_draw_target(Some(total), target),
            "{msg} [{bar:30}] {human_pos}/{human_len} {prefix}, {eta} left",
        ),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style.progress_chars("=> ")).with_message(subject.to_owned()).with_prefix(unit.to_owned())
}
