//! `session.list`, `session.show` and everything else that answers with a session, as text.

use barograph::{Payload, SessionDetail, SessionList, SessionOwner, SessionStatus, SessionSummary};
use barograph::{StepPolicy, StepRecord, StepStatus};
use clap::builder::styling::{AnsiColor, Style};

use super::layout::{Align, BOLD, DIM, Page, between, columns, safe, styled, thousands};
/// Of a value only its beginning is shown; all of it is in the JSON.
const VALUE: usize = 100;

/// Times from this year on stand for never: the core writes the last that can be written.
const NEVER: &str = "9999-";

/// Writes the sessions, newest first.
pub(crate) fn list(page: &mut Page, found: &SessionList) {
    let rows: Vec<Vec<String>> = found
        .sessions
        .iter()
        .map(|session| {
            vec![
                safe(&session.id),
                status(session),
                thousands(session.steps_done),
                page.age(&session.created),
                safe(&concern(page, session)),
            ]
        })
        .collect();
    if rows.is_empty() {
        page.line("no sessions");
        return;
    }
    let align = [Align::Left, Align::Left, Align::Right, Align::Right, Align::Left];
    page.table(&["id", "status", "steps", "age", "owner, or what it waits for"], &align, &rows);
    if let Some(next) = &found.next {
        page.line("");
        page.line(&styled(DIM, &format!("there are more: --after {next}")));
    }
}

/// Writes one session without its steps.
pub(crate) fn summary(page: &mut Page, session: &SessionSummary) {
    page.line(&format!("{}  {}", styled(BOLD, &safe(&session.id)), status(session)));
    let fact = |page: &mut Page, name: &str, text: &str| {
        page.paragraph(&styled(DIM, &format!("{name:<13}")), &safe(text));
    };
    fact(page, "made", &format!("{} ago, {}", page.age(&session.created), session.created));
    fact(page, "last row", &format!("{} ago, {}", page.age(&session.updated), session.updated));
    fact(page, "steps done", &thousands(session.steps_done));
    if let Some(owner) = &session.owner {
        fact(page, "owner", &owned(owner));
    }
    if let Some(waits) = waits(page, session) {
        fact(page, "waits", &waits);
    }
    if let Some(deadline) = &session.deadline {
        fact(page, "deadline", &format!("{}, {deadline}", page.until(deadline)));
    }
    if !session.labels.is_empty() {
        let labels: Vec<String> =
            session.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        fact(page, "labels", &labels.join(" "));
    }
    if let Some(parent) = &session.parent {
        fact(page, "parent", parent);
    }
    if let Some(fork) = &session.forked_from {
        fact(page, "forked from", &format!("{} at {}", fork.id, fork.position));
    }
    for (name, value) in [("input", &session.input), ("output", &session.output)] {
        if let Some(value) = value {
            fact(page, name, &shown(value));
        }
    }
    if let Some(failure) = &session.failure {
        fact(page, "failure", &failure.message);
    }
}

/// Writes a session with its steps.
pub(crate) fn detail(page: &mut Page, found: &SessionDetail) {
    summary(page, &found.session);
    if found.steps.is_empty() {
        return;
    }
    page.heading("Steps");
    let rows: Vec<Vec<String>> = found
        .steps
        .iter()
        .map(|step| {
            vec![
                step.position.to_string(),
                safe(&called(step)),
                styled(colour_of_step(step.status), step_word(step)),
                step.attempts.to_string(),
                took(page, step),
                safe(&outcome(step)),
            ]
        })
        .collect();
    let align = [Align::Right, Align::Left, Align::Left, Align::Right, Align::Right, Align::Left];
    page.table(&["#", "step", "status", "tries", "took", "result"], &align, &rows);
}

/// A step's name, with what else it is known by.
fn called(step: &StepRecord) -> String {
    let key = step.key.as_ref().map_or_else(String::new, |key| format!(" ({key})"));
    let once = if step.policy == StepPolicy::Once { ", once" } else { "" };
    format!("{}{key}{once}", step.name)
}

fn step_word(step: &StepRecord) -> &'static str {
    match step.status {
        // Its intent is on disk and nothing else: who runs it, or whether anybody does, is not known here.
        StepStatus::Running => "begun",
        StepStatus::Waiting => "waiting",
        StepStatus::Done if step.timed_out => "timed out",
        StepStatus::Done => "done",
        StepStatus::Failed => "failed",
    }
}

fn took(page: &Page, step: &StepRecord) -> String {
    match &step.finished {
        Some(finished) => between(&step.started, finished),
        None => format!("{} so far", page.age(&step.started)),
    }
}

fn outcome(step: &StepRecord) -> String {
    match (&step.result, &step.failure) {
        (_, Some(failure)) => failure.message.clone(),
        (Some(result), None) if *result != Payload::default() => shown(result),
        _ => String::new(),
    }
}

/// The beginning of a value.
pub(super) fn shown(value: &Payload) -> String {
    let text = match &value.bytes {
        Some(bytes) => {
            let kind = value.media_type.as_deref().unwrap_or("application/octet-stream");
            return format!("{} bytes of {kind}", thousands(bytes.0.len() as u64));
        }
        None => value.json.to_string(),
    };
    if columns(&text) <= VALUE {
        return text;
    }
    let head: String = text.chars().take(VALUE - 1).collect();
    format!("{head}…")
}

fn status(session: &SessionSummary) -> String {
    let (word, style) = match session.status {
        SessionStatus::Open => ("open", AnsiColor::Cyan.on_default()),
        SessionStatus::Completed => ("completed", AnsiColor::Green.on_default()),
        SessionStatus::Failed => ("failed", AnsiColor::Red.on_default()),
        SessionStatus::Cancelled => ("cancelled", AnsiColor::Yellow.on_default()),
        SessionStatus::Paused => ("paused", AnsiColor::Yellow.on_default()),
    };
    let away = if session.archived { ", put away" } else { "" };
    styled(style, &format!("{word}{away}"))
}

fn colour_of_step(status: StepStatus) -> Style {
    match status {
        StepStatus::Running => AnsiColor::Cyan.on_default(),
        StepStatus::Waiting => AnsiColor::Yellow.on_default(),
        StepStatus::Done => AnsiColor::Green.on_default(),
        StepStatus::Failed => AnsiColor::Red.on_default(),
    }
}

/// What there is to know about a session in a list: why it ended, who has it, what it waits for.
fn concern(page: &Page, session: &SessionSummary) -> String {
    if let Some(failure) = &session.failure {
        return failure.message.clone();
    }
    let parts =
        [session.owner.as_ref().map(owned), waits(page, session).map(|waits| format!("waits {waits}"))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn owned(owner: &SessionOwner) -> String {
    let host = if owner.host.is_empty() { String::new() } else { format!(" on {}", owner.host) };
    let gone = if owner.alive { "" } else { ", gone" };
    format!("pid {}{host}{gone}", owner.pid)
}

/// What an open session waits for, and until when at most.
fn waits(page: &Page, session: &SessionSummary) -> Option<String> {
    let until = session.waits_until.as_ref()?;
    let time = if until.starts_with(NEVER) { None } else { Some(page.until(until)) };
    let signals: Vec<&str> =
        session.waits_for.iter().filter_map(|name| name.strip_prefix("signal:")).collect();
    Some(match (signals.is_empty(), time) {
        (true, time) => format!("for its time, {}", time.unwrap_or_default()),
        (false, None) => format!("for {}", signals.join(", ")),
        (false, Some(time)) => format!("for {}, or its time {time}", signals.join(", ")),
    })
}
