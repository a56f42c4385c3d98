//! `--follow`: a picture that is kept up to date on a terminal, lines of events elsewhere.

use std::collections::BTreeSet;

use barograph::surface::Record;
use barograph::{Event, EventPage, SessionDetail, SessionList, SessionStatus};
use serde_json::{Value, json};

use crate::call;
use crate::command::{Format, Global};
use crate::interrupt::Interrupt;
use crate::output::{Output, terminal};
use crate::problem::Problem;
use crate::text::{self, Reader};

/// Without an event the picture is drawn anew after this long, in milliseconds: ages grow, owners die.
const REDRAW_MS: u64 = 1_000;

/// How long one wait for the next event lasts where nothing is drawn, in milliseconds.
const WAIT_MS: u64 = 10_000;

/// Exit status of a view that was left with Ctrl-C, which is how one leaves it.
const LEFT: u8 = 130;

/// What is followed.
struct View<'a> {
    global: &'a Global,
    interrupt: &'a Interrupt,
    workspace: u64,
    op: &'a str,
    args: &'a [u8],
}

/// Shows the answer of `op` until what it is of has ended, or Ctrl-C; returns the exit status.
pub(crate) fn show(global: &Global, op: &str, args: &[u8]) -> Result<u8, Problem> {
    let interrupt = Interrupt::watch();
    let workspace = call::open(global, &interrupt)?;
    // Opened before the first look, so that nothing in between is missed.
    let open = json!({ "follow": true, "from_now": true }).to_string();
    let stream = call::opened(&call::wait(&interrupt, workspace.0, "events.open", open.as_bytes())?)?;
    let view = View { global, interrupt: &interrupt, workspace: workspace.0, op, args };
    let shown = match (global.format == Format::Text && terminal().is_some(), op) {
        (true, _) => view.draw(stream.0),
        (false, "session.show") => view.print_session(stream.0),
        (false, _) => view.print_listed(stream.0),
    };
    match shown {
        Err(Problem::Failed(error)) if interrupt.pressed() && error.code() == "call.cancelled" => Ok(LEFT),
        shown => shown.map(|()| 0),
    }
}

impl View<'_> {
    fn answer(&self) -> Result<Box<dyn Record>, Problem> {
        Ok(call::record(self.interrupt, self.workspace, self.op, self.args)?)
    }

    /// What has happened since the last time, or nothing where it took too long.
    fn next(&self, stream: u64, wait_ms: u64) -> Result<Vec<Event>, Problem> {
        let next = json!({ "max": 1000, "wait_ms": wait_ms }).to_string();
        page(&call::wait(self.interrupt, stream, "events.next", next.as_bytes())?).map(|page| page.events)
    }

    fn draw(&self, stream: u64) -> Result<(), Problem> {
        let mut screen = Screen::default();
        loop {
            let record = self.answer()?;
            let (rows, width) = terminal().unwrap_or((24, 80));
            let reader = Reader { width: Some(width), clock: self.global.clock() };
            screen.draw(&text::render(self.op, &*record, reader), rows, width)?;
            let detail = record.as_any().downcast_ref::<SessionDetail>();
            if detail.is_some_and(|detail| has_ended(detail.session.status)) {
                return Ok(());
            }
            self.next(stream, REDRAW_MS)?;
        }
    }

    /// Everything that has happened to a session, and then what happens.
    fn print_session(&self, stream: u64) -> Result<(), Problem> {
        let mut args: Value = serde_json::from_slice(self.args).map_err(std::io::Error::from)?;
        let mut out = Output::stdout();
        loop {
            // Asked first: what is written after an end is printed all the same.
            let record = self.answer()?;
            loop {
                let asked = args.to_string();
                let found =
                    page(&call::wait(self.interrupt, self.workspace, "session.history", asked.as_bytes())?)?;
                self.print(&mut out, &found.events)?;
                args["after"] = found.cursor.into();
                if found.ended {
                    break;
                }
            }
            let detail = record.as_any().downcast_ref::<SessionDetail>();
            if detail.is_some_and(|detail| has_ended(detail.session.status)) {
                return Ok(());
            }
            self.next(stream, WAIT_MS)?;
        }
    }

    /// What happens to the listed sessions from now on, also to those that leave the list thereby.
    fn print_listed(&self, stream: u64) -> Result<(), Problem> {
        let mut out = Output::stdout();
        let mut known = self.listed()?;
        loop {
            let events = self.next(stream, WAIT_MS)?;
            let listed = self.listed()?;
            known.extend(listed.iter().cloned());
            let ours = |event: &&Event| known.contains(&event.subject) && !event.kind.starts_with("task.");
            let ours: Vec<Event> = events.iter().filter(ours).cloned().collect();
            self.print(&mut out, &ours)?;
            known = listed;
        }
    }

    fn listed(&self) -> Result<BTreeSet<String>, Problem> {
        let record = self.answer()?;
        let list = record.as_any().downcast_ref::<SessionList>();
        Ok(list.into_iter().flat_map(|list| &list.sessions).map(|session| session.id.clone()).collect())
    }

    fn print(&self, out: &mut Output, events: &[Event]) -> Result<(), Problem> {
        for event in events {
            match self.global.format {
                Format::Json => out.line(&serde_json::to_string(event).map_err(std::io::Error::from)?)?,
                _ => out.line(&text::line(event))?,
            }
        }
        Ok(())
    }
}

fn page(json: &[u8]) -> Result<EventPage, Problem> {
    Ok(serde_json::from_slice(json).map_err(std::io::Error::from)?)
}

fn has_ended(status: SessionStatus) -> bool {
    matches!(status, SessionStatus::Completed | SessionStatus::Failed | SessionStatus::Cancelled)
}

/// The picture on the terminal.
#[derive(Default)]
struct Screen {
    shown: String,
    rows: usize,
}

impl Screen {
    /// Puts `text` in the place of what was drawn before, cut to what the terminal holds.
    fn draw(&mut self, text: &str, rows: usize, width: usize) -> Result<(), Problem> {
        let mut lines: Vec<String> =
            text.lines().map(|line| console::truncate_str(line, width, "…").into_owned()).collect();
        // The line below the last one is the cursor's.
        let most = rows.saturating_sub(1).max(1);
        if lines.len() > most {
            lines.truncate(most - 1);
            lines.push("…".to_owned());
        }
        let picture = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        if picture == self.shown {
            return Ok(());
        }
        if self.rows > 0 {
            // Past what takes the styles out where no colour is wanted: it is no style.
            console::Term::stdout().write_str(&format!("\x1b[{}F\x1b[J", self.rows))?;
        }
        Output::stdout().write(picture.as_bytes())?;
        (self.shown, self.rows) = (picture, lines.len());
        Ok(())
    }
}
