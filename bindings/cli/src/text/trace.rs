//! What is left of a session as text: its history, its log, its checkpoints.

use barograph::{CheckpointList, EntryPage, Event, EventPage};
use serde_json::Value;

use super::layout::{Align, DIM, Page, safe, styled};
use super::session::shown;

/// Writes a session's history.
pub(crate) fn history(page: &mut Page, found: &EventPage) {
    let rows: Vec<Vec<String>> = found
        .events
        .iter()
        .map(|event| vec![event.seq.to_string(), event.time.clone(), safe(&event.kind), details(&event.data)])
        .collect();
    let align = [Align::Right, Align::Left, Align::Left, Align::Left];
    page.table(&["seq", "time", "what", "of what"], &align, &rows);
    more(page, !found.ended, found.cursor);
}

/// Writes a page of a session's log.
pub(crate) fn entries(page: &mut Page, found: &EntryPage) {
    let rows: Vec<Vec<String>> = found
        .entries
        .iter()
        .map(|entry| {
            vec![entry.seq.to_string(), entry.time.clone(), safe(&entry.name), safe(&shown(&entry.value))]
        })
        .collect();
    if rows.is_empty() {
        page.line("no entries");
        return;
    }
    let align = [Align::Right, Align::Left, Align::Left, Align::Left];
    page.table(&["seq", "time", "part", "entry"], &align, &rows);
}

/// Writes a session's checkpoints, newest first.
pub(crate) fn checkpoints(page: &mut Page, found: &CheckpointList) {
    let rows: Vec<Vec<String>> = found
        .checkpoints
        .iter()
        .map(|one| {
            let state = one.state.as_ref().map(shown).unwrap_or_default();
            vec![
                safe(&one.id),
                safe(&one.name),
                one.position.to_string(),
                format!("{} ago", page.age(&one.time)),
                if one.automatic { "by itself" } else { "on request" }.to_owned(),
                safe(&state),
            ]
        })
        .collect();
    if rows.is_empty() {
        page.line("no checkpoints");
        return;
    }
    let align = [Align::Left, Align::Left, Align::Right, Align::Right, Align::Left, Align::Left];
    page.table(&["id", "name", "position", "made", "how", "state"], &align, &rows);
}

fn more(page: &mut Page, more: bool, cursor: u64) {
    if more {
        page.line("");
        page.line(&styled(DIM, &format!("there may be more: --after {cursor}")));
    }
}

/// An event in one line, as it stands below others of many sessions.
pub(crate) fn line(event: &Event) -> String {
    let line =
        format!("{}  {}  {}  {}", event.time, safe(&event.kind), safe(&event.subject), details(&event.data));
    line.trim_end().to_owned()
}

/// What an event says of itself, in one line.
fn details(data: &Value) -> String {
    let text = |name: &str| data[name].as_str().unwrap_or_default();
    let mut parts = vec![text("name").to_owned()];
    if let Some(key) = data["key"].as_str() {
        parts.push(format!("({key})"));
    }
    if let Some(position) = data["position"].as_u64() {
        parts.push(format!("at {position}"));
    }
    if let Some(attempt) = data["attempt"].as_u64().filter(|&attempt| attempt > 1) {
        parts.push(format!("try {attempt}"));
    }
    if text("policy") == "once" {
        parts.push("once".to_owned());
    }
    if data["automatic"] == true {
        parts.push("by itself".to_owned());
    }
    let sentence = data["failure"]["message"].as_str();
    let head = parts.join(" ").trim().to_owned();
    safe(&match sentence {
        Some(message) if head.is_empty() => message.to_owned(),
        Some(message) => format!("{head}: {message}"),
        None => head,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(kind: &str, data: Value) -> Event {
        Event {
            seq: 7,
            time: "2026-01-31T12:00:00.000Z".into(),
            kind: kind.into(),
            subject: "r1".into(),
            data,
        }
    }

    #[test]
    fn an_event_is_one_line() {
        let failed = json!({
            "name": "publish", "position": 2, "attempt": 2, "policy": "once", "key": "eu",
            "failure": { "message": "no\u{1b}[2J disk" }
        });
        assert_eq!(
            line(&event("step.failed", failed)),
            "2026-01-31T12:00:00.000Z  step.failed  r1  publish (eu) at 2 try 2 once: no\u{fffd}[2J disk"
        );
        assert_eq!(
            line(&event("session.created", json!({}))),
            "2026-01-31T12:00:00.000Z  session.created  r1"
        );
        let cancelled = json!({ "failure": { "message": "not today" } });
        assert!(line(&event("session.cancelled", cancelled)).ends_with("r1  not today"));
    }

    #[test]
    fn a_history_says_where_it_goes_on() {
        let found = EventPage {
            events: vec![event("step.finished", json!({ "name": "build", "position": 0, "attempt": 1 }))],
            cursor: 7,
            ended: false,
            dropped: 0,
        };
        let mut page = Page::new(None);
        history(&mut page, &found);
        let plain = anstream::adapter::strip_str(&page.into_text()).to_string();
        assert_eq!(
            plain,
            "  seq  time                      what           of what\n    7  2026-01-31T12:00:00.000Z  step.finished  build at 0\n\n\
             there may be more: --after 7\n"
        );
    }
}
