//! What goes into a queue.

use std::sync::Arc;

use super::record::*;
use crate::error::{Error, Result};
use crate::store::{NewRow, Store, encode};

/// The longest delay: ten years, in milliseconds.
const LONGEST_DELAY: u64 = 315_576_000_000;

/// Refuses a number outside `range`.
pub(super) fn check_range<T: PartialOrd + std::fmt::Display>(
    what: &str,
    value: T,
    range: std::ops::RangeInclusive<T>,
) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(Error::new(
        "args.invalid",
        format!("`{what}` is {value}; it takes {} to {}", range.start(), range.end()),
    )
    .with("argument", what))
}

/// Refuses a text that is empty or longer than 200 characters.
pub(super) fn check_name(what: &str, text: &str) -> Result<()> {
    match text.chars().count() {
        1..=200 => Ok(()),
        length => {
            Err(Error::new("args.invalid", format!("`{what}` has {length} characters; it takes 1 to 200"))
                .with("argument", what))
        }
    }
}

/// Puts tasks into a queue, all or none.
pub(crate) async fn enqueue(store: &Arc<Store>, args: EnqueueArgs) -> Result<Enqueued> {
    check_name("queue", &args.queue)?;
    if args.tasks.is_empty() {
        return Ok(Enqueued::default());
    }
    check_range("tasks", args.tasks.len(), 1..=10_000)?;
    let mut rows = Vec::with_capacity(args.tasks.len());
    for (at, task) in args.tasks.iter().enumerate() {
        let place = |field: &str| format!("tasks[{at}].{field}");
        check_name(&place("name"), &task.name)?;
        if let Some(key) = &task.key {
            check_name(&place("key"), key)?;
        }
        check_range(&place("priority"), task.priority, -1000..=1000)?;
        check_range(&place("max_attempts"), task.max_attempts, 1..=1000)?;
        check_range(&place("delay_ms"), task.delay_ms, 0..=LONGEST_DELAY)?;
        rows.push(NewRow {
            name: task.name.clone(),
            body: encode(&task.payload, &place("payload"))?,
            key: task.key.clone(),
            priority: i64::from(task.priority),
            max_attempts: i64::from(task.max_attempts),
            delay_ms: task.delay_ms as i64,
        });
    }
    let ids = store.write(move |tx| tx.enqueue(&args.queue, &rows)).await?;
    Ok(Enqueued { ids: ids.into_iter().map(|id| id.to_string()).collect() })
}

/// How many tasks of a queue are in which state; all zero for a queue that has had none.
pub(crate) async fn show(store: &Arc<Store>, args: QueueShowArgs) -> Result<QueueSummary> {
    check_name("queue", &args.queue)?;
    let (queue, namespace) = (args.queue.clone(), store.namespace());
    let counts = store.read(move |view| view.count_tasks(namespace, &queue)).await?;
    Ok(QueueSummary {
        queue: args.queue,
        waiting: counts.waiting as u64,
        running: counts.running as u64,
        done: counts.done as u64,
        dead: counts.dead as u64,
    })
}
