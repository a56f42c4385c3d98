//! The history as events: rows by `seq`.

use serde_json::json;

use super::View;
use super::body::failure;
use super::fault::Attempt;
use super::schema::kind;
use crate::base::clock::rfc3339;
use crate::error::Result;
use crate::observe::event::Event;

impl View<'_> {
    /// At most `max` events with a number above `after`, oldest first.
    pub(crate) fn events(&self, after: i64, max: usize) -> Result<Vec<Event>> {
        let what = "read events";
        // A session's row carries its name, a task's that of its queue.
        let mut statement = self
            .0
            .prepare(
                "SELECT e.seq, e.kind, e.subject, e.at, e.place, e.nth, e.name, e.key, e.flags, e.attempt,
                   CASE WHEN e.kind IN (2, 6, 12, 13) THEN e.body END,
                   CASE WHEN e.kind < 10 THEN (SELECT name FROM session WHERE id = e.subject)
                        ELSE (SELECT name FROM queue WHERE id = e.place) END
                 FROM event e WHERE e.seq > ?1 ORDER BY e.seq LIMIT ?2",
            )
            .when(what)?;
        let mut rows = statement.query([after, i64::try_from(max).unwrap_or(i64::MAX)]).when(what)?;
        let mut events = Vec::new();
        while let Some(row) = rows.next().when(what)? {
            let seq: i64 = row.get(0).when(what)?;
            let number: i64 = row.get(1).when(what)?;
            // A kind that a newer release of the same version wrote would be passed over.
            let Some(name) = kind::name(number) else { continue };
            let subject: i64 = row.get(2).when(what)?;
            let owner: Option<String> = row.get(11).when(what)?;
            let owner = owner.unwrap_or_default();
            let step: Option<String> = row.get(6).when(what)?;
            let attempt: Option<i64> = row.get(9).when(what)?;
            let (subject, mut data) = match number {
                kind::SESSION_CREATED | kind::SESSION_COMPLETED | kind::SESSION_FAILED => (owner, json!({})),
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
            let body = row.get_ref(10).when(what)?;
            if body != rusqlite::types::ValueRef::Null {
                data["failure"] = json!({ "message": failure(body)?.message });
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
