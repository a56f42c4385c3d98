//! `events.*`: what happened, by durable cursor.

use std::sync::Arc;
use std::time::Duration;

use super::Workspace;
use super::record::*;
use crate::base::clock::instant;
use crate::error::{Error, Result};
use crate::exec::worker::sleep;
use crate::observe::bus::Listener;
use crate::observe::event::EventPage;
use crate::store::Span;

/// How often a follower looks for rows of other processes.
const LOOK: Duration = Duration::from_millis(100);

/// What happened, by durable cursor.
#[derive(Clone, Debug)]
pub struct Events(pub(crate) Workspace);

/// A stream of events: the durable trace of sessions and tasks, and progress where asked for.
/// Clones share one cursor.
///
/// ```
/// # barograph::blocking::wait(async {
/// use barograph::*;
/// let ws = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() }).await?;
/// ws.session().open(SessionOpenArgs { id: "a".into(), ..Default::default() }).await?;
/// let page = ws.events().open(EventsOpenArgs::default()).await?.next(EventsNextArgs::default()).await?;
/// assert_eq!(page.events[0].kind, "session.created");
/// assert!(page.ended);
/// # Ok::<(), barograph::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct EventStream(Arc<Stream>);

#[derive(Debug)]
struct Stream {
    workspace: Workspace,
    follow: bool,
    transient: bool,
    listener: Arc<Listener>,
    /// The `seq` up to which events were handed out; locked for a whole call, so that two calls at
    /// once share the stream instead of both getting the same events.
    cursor: tokio::sync::Mutex<u64>,
}

impl Events {
    /// Opens a stream of the events after a durable cursor.
    ///
    /// Errors: `args.invalid` for a cursor that no store can have reached, `store.*`.
    pub async fn open(&self, args: EventsOpenArgs) -> Result<EventStream> {
        self.0.alive()?;
        if i64::try_from(args.after).is_err() {
            return Err(Error::new(
                "args.invalid",
                format!("`after` is {}; pass the `cursor` of a page as it is", args.after),
            ));
        }
        // Listens from now on, so that nothing between this call and the first `next` is missed.
        let listener = self.0.shared().bus.listen();
        let cursor = match args.from_now {
            true => self.0.shared().store.read(|view| view.last_event()).await?,
            false => args.after,
        };
        Ok(EventStream(Arc::new(Stream {
            workspace: self.0.clone(),
            follow: args.follow,
            transient: args.transient,
            listener,
            cursor: tokio::sync::Mutex::new(cursor),
        })))
    }
}

impl EventStream {
    /// The next batch: at most `max` events, oldest first. With `follow` it waits up to `wait_ms`
    /// for the first one and may answer with none; without, the page at the end says `ended`.
    ///
    /// A call that is cancelled has taken no durable event.
    ///
    /// Errors: `args.invalid` for numbers out of range, `store.*`.
    pub async fn next(&self, args: EventsNextArgs) -> Result<EventPage> {
        let stream = &self.0;
        stream.workspace.alive()?;
        if !(1..=10_000).contains(&args.max) {
            return Err(Error::new("args.invalid", format!("`max` is {}; it takes 1 to 10,000", args.max)));
        }
        if args.wait_ms > 86_400_000 {
            return Err(Error::new(
                "args.invalid",
                format!("`wait_ms` is {}; it takes 0 to 86,400,000", args.wait_ms),
            ));
        }
        let until = instant() + Duration::from_millis(args.wait_ms);
        let max = args.max as usize;
        let mut cursor = stream.cursor.lock().await;
        loop {
            let after = i64::try_from(*cursor).unwrap_or(i64::MAX);
            let store = &stream.workspace.shared().store;
            let span = Span { namespace: store.namespace(), session: None, after, max };
            let mut events = store.read(move |view| view.events(span)).await?;
            let room = max - events.len();
            let full = room == 0;
            let mut dropped = 0;
            if let Some(last) = events.last() {
                *cursor = last.seq;
            }
            if stream.transient && !full {
                let (transient, lost) = stream.listener.take(room);
                events.extend(transient);
                dropped = lost;
            }
            let ended = !stream.follow && !full;
            let left = until.saturating_duration_since(instant());
            if !events.is_empty() || dropped > 0 || ended || left.is_zero() {
                return Ok(EventPage { events, cursor: *cursor, ended, dropped });
            }
            let pause = sleep(left.min(LOOK));
            tokio::select! {
                () = stream.listener.arrived() => {}
                () = pause => {}
            }
        }
    }
}
