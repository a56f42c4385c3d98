//! Progress: what the library reports while a call runs, as notifications to the client.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use barograph::surface::{Form, door};
use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;
use serde_json::{Value, json};

use crate::tools::HANDLE;

/// A durable cursor that no event has reached: only transient events are wanted.
const NO_DURABLE: u64 = (1 << 53) - 1;

/// Closes its handle when dropped.
struct Stream(u64);

impl Drop for Stream {
    fn drop(&mut self) {
        door::close(self.0);
    }
}

/// Passes on reports of progress for as long as it is polled, where the client asked for them.
///
/// Reports are the workspace's: while several calls run it is not known whose they are, and none
/// is passed on.
pub(crate) async fn relay(
    workspace: u64,
    calls: &AtomicUsize,
    context: &RequestContext<RoleServer>,
) -> Infallible {
    if let Some(token) = context.meta.get_progress_token() {
        let open = json!({ "transient": true, "follow": true, "after": NO_DURABLE });
        if let Some(stream) =
            ask(workspace, "events.open", &open).await.and_then(|open| open[HANDLE].as_u64())
        {
            let stream = Stream(stream);
            let mut whole = Whole::default();
            while let Some(page) =
                ask(stream.0, "events.next", &json!({ "max": 1000, "wait_ms": 10_000 })).await
            {
                // Of a page only the newest report tells something.
                let newest = page["events"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .rfind(|event| event["kind"] == "progress.reported");
                if let (Some(event), 1) = (newest, calls.load(Ordering::Relaxed))
                    && let Some((progress, total)) = whole.add(event)
                {
                    let mut report = ProgressNotificationParam::new(token.clone(), progress);
                    report.total = total;
                    report.message = event["subject"].as_str().map(str::to_owned);
                    if context.peer.notify_progress(report).await.is_err() {
                        break;
                    }
                }
                if page["ended"] == true {
                    break;
                }
            }
        }
    }
    std::future::pending().await
}

async fn ask(handle: u64, op: &str, args: &Value) -> Option<Value> {
    let answer = door::begin(handle, op, Form::Records, args.to_string().as_bytes(), door::NO_TOKEN).await;
    serde_json::from_slice(&answer.ok()?.into_json().ok()?).ok()
}

/// One count over all parts of the work: the protocol wants numbers that only grow.
#[derive(Debug, Default)]
struct Whole {
    subject: String,
    /// Units of the parts that are over.
    before: f64,
    /// Units of this part.
    done: f64,
    last: Option<f64>,
}

impl Whole {
    /// Progress and total after `event`; nothing where it is no step forward.
    fn add(&mut self, event: &Value) -> Option<(f64, Option<f64>)> {
        let done = event["data"]["done"].as_f64()?;
        let total = event["data"]["total"].as_f64().filter(|total| *total > 0.0);
        let subject = event["subject"].as_str().unwrap_or_default();
        if subject != self.subject || done < self.done {
            self.before += self.done;
            subject.clone_into(&mut self.subject);
        }
        self.done = done;
        let progress = self.before + done;
        if self.last.is_some_and(|last| progress <= last) {
            return None;
        }
        self.last = Some(progress);
        Some((progress, total.map(|total| self.before + total)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_only_grows_over_the_parts_of_the_work() {
        let event = |subject: &str, done: u64, total: u64| json!({ "subject": subject, "data": { "done": done, "total": total } });
        let mut whole = Whole::default();
        assert_eq!(whole.add(&event("history", 5, 10)), Some((5.0, Some(10.0))));
        assert_eq!(whole.add(&event("history", 5, 10)), None);
        assert_eq!(whole.add(&event("history", 10, 10)), Some((10.0, Some(10.0))));
        assert_eq!(whole.add(&event("features", 0, 0)), None);
        assert_eq!(whole.add(&event("features", 3, 0)), Some((13.0, None)));
    }
}
