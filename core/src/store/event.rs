//! The history as events: rows by `seq`.

use rusqlite::params;
use serde_json::json;

use super::View;
use super::fault::Attempt;
use super::schema::kind;
use crate::base::clock::rfc3339;
use crate::error::Result;
use crate::observe::event::Event;

/// Which events are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub namespace: i64,
    /// Only this session's.
    pub session: Option<i64>,
    /// Only numbers above this one.
    pub after: i64,
    pub max: usize,
}

impl View<'_> {
    /// The number of the newest event; 0 where nothing has happened yet.
    pub(crate) fn last_event(&self) -> Result<u64> {
        let last: i64 = self
            .0
            .prepare("SELECT coalesce(max(seq), 0) FROM event")
            .and_then(|mut last| last.query_row(params![], |row| row.get(0)))
            .when("look for the newest event")?;
        Ok(last as u64)
    }

    /// Events in the order of their numbers, oldest first.
    pub(crate) fn events(&self, span: Span) -> Result<Vec<Event>> {
        let what = "read events";
        // A session's row carries its name, a task's that of its queue; what is neither's is everybody's.
        let of_session = match span.session {
            Some(session) => format!(" AND e.subject = {session} AND e.kind < 100"),
            None => String::new(),
        };
        let mut statement = self
            .0
            .prepare(&format!(
                "SELECT e.seq, e.kind, e.subject, e.at, e.place, e.nth, e.name, e.key, e.flags, e.attempt,
                   e.body, e.blob, coalesce(s.name, q.name)
                 FROM event e
                 LEFT JOIN session s ON e.kind < 100 AND s.id = e.subject
                 LEFT JOIN queue q ON e.kind >= 100 AND q.id = e.place
                 WHERE e.seq > ?1 AND coalesce(s.namespace, q.namespace, ?2) = ?2{of_session}
                 ORDER BY e.seq LIMIT ?3"
            ))
            .when(what)?;
        let limit = i64::try_from(span.max).unwrap_or(i64::MAX);
        let mut rows = statement.query([span.after, span.namespace, limit]).when(what)?;
        let mut events = Vec::new();
        while let Some(row) = rows.next().when(what)? {
            let seq: i64 = row.get(0).when(what)?;
            let number: i64 = row.get(1).when(what)?;
            // A kind that a newer release of the same version wrote would be passed over.
            let Some(name) = kind::name(number) else { continue };
            let subject: i64 = row.get(2).when(what)?;
            let owner: Option<String> = row.get(12).when(what)?;
            let owner = owner.unwrap_or_default();
            let step: Option<String> = row.get(6).when(what)?;
            let attempt: Option<i64> = row.get(9).when(what)?;
            let (subject, mut data) = match number {
                kind::SESSION_CREATED..=kind::SESSION_RESUMED | kind::SESSION_ARCHIVED => (owner, json!({})),
                kind::SESSION_RESTORED => {
                    (owner, json!({ "position": row.get::<Option<i64>>(4).when(what)? }))
                }
                kind::CHECKPOINT => {
                    let position: Option<i64> = row.get(4).when(what)?;
                    let flags: Option<i64> = row.get(8).when(what)?;
                    (owner, json!({ "name": step, "position": position, "automatic": flags == Some(1) }))
                }
                kind::SIGNAL | kind::ENTRY => (owner, json!({ "name": step })),
                kind::PRUNED | kind::STORE_RESTORED => {
                    (String::new(), json!({ "sessions": row.get::<Option<i64>>(5).when(what)? }))
                }
                kind::STEP_STARTED | kind::STEP_FINISHED | kind::STEP_FAILED => {
                    let position: Option<i64> = row.get(4).when(what)?;
                    let key: Option<String> = row.get(7).when(what)?;
                    let flags: Option<i64> = row.get(8).when(what)?;
                    let policy = if flags.unwrap_or(0) & 1 == 1 { "once" } else { "retry" };
                    let mut data =
                        json!({ "name": step, "position": position, "attempt": attempt, "policy": policy });
                    if let Some(key) = key {
                        data["key"] = key.into();
                    }
                    (owner, data)
                }
                kind::TASK_ENQUEUED => {
                    let count: Option<i64> = row.get(5).when(what)?;
                    (owner.clone(), json!({ "queue": owner, "count": count }))
                }
                _ => (subject.to_string(), json!({ "queue": owner, "name": step, "attempt": attempt })),
            };
            let failed = matches!(
                number,
                kind::STEP_FAILED
                    | kind::SESSION_FAILED
                    | kind::SESSION_CANCELLED
                    | kind::TASK_FAILED
                    | kind::TASK_DEAD
            );
            if failed {
                data["failure"] = json!({ "message": self.failure_in(&row, 10, 11)?.message });
            }
            events.push(Event {
                seq: seq as u64,
                time: rfc3339(row.get(3).when(what)?),
                kind: name.to_owned(),
                subject,
                data,
            });
        }
        Ok(events)
    }
}
