//! The bounded bus of transient events: who is slow loses the oldest, and is told how many.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Notify;

use super::event::Event;
use crate::base::clock::{Clock, rfc3339};
use crate::base::port::Progress;

/// How many events wait for one listener before the oldest is dropped.
const CAPACITY: usize = 1024;

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Event>,
    dropped: u64,
}

/// One listener's end of the bus.
#[derive(Debug, Default)]
pub struct Listener {
    queue: Mutex<Queue>,
    arrived: Notify,
}

impl Listener {
    /// Takes up to `max` events and the number dropped since the last call.
    pub fn take(&self, max: usize) -> (Vec<Event>, u64) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let count = queue.waiting.len().min(max);
        let events = queue.waiting.drain(..count).collect();
        (events, std::mem::take(&mut queue.dropped))
    }

    /// Returns when an event or a wake-up has arrived since the last wait.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }
}

/// Hands transient events to every listener, and wakes listeners when durable rows were written.
#[derive(Clone, Debug, Default)]
pub struct Bus {
    listeners: Arc<Mutex<Vec<Weak<Listener>>>>,
    clock: Clock,
}

impl Bus {
    /// A bus that stamps events with `clock`.
    pub fn new(clock: Clock) -> Self {
        Bus { listeners: Arc::default(), clock }
    }

    /// A new listener; it is forgotten when the last reference goes.
    pub fn listen(&self) -> Arc<Listener> {
        let listener = Arc::new(Listener::default());
        let mut all = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| known.strong_count() > 0);
        all.push(Arc::downgrade(&listener));
        listener
    }

    fn each(&self, mut visit: impl FnMut(&Listener)) {
        let all = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(Weak::upgrade).for_each(|listener| visit(&listener));
    }

    /// Hands a transient event to every listener.
    pub fn send(&self, kind: &str, subject: &str, data: serde_json::Value) {
        let event = Event {
            seq: 0,
            time: rfc3339(self.clock.now_ms()),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            data,
        };
        self.each(|listener| {
            let mut queue = listener.queue.lock().unwrap_or_else(PoisonError::into_inner);
            if queue.waiting.len() >= CAPACITY {
                queue.waiting.pop_front();
                queue.dropped += 1;
            }
            queue.waiting.push_back(event.clone());
            drop(queue);
            listener.arrived.notify_one();
        });
    }

    /// Wakes every listener: durable rows were written.
    pub fn wake(&self) {
        self.each(|listener| listener.arrived.notify_one());
    }
}

impl Progress for Bus {
    fn report(&self, done: u64, total: u64, unit: &str, message: &str) {
        self.send(
            "progress.reported",
            message,
            serde_json::json!({ "done": done, "total": total, "unit": unit }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_listener_loses_the_oldest_and_is_told() {
        let bus = Bus::new(Clock::fixed(0));
        let listener = bus.listen();
        for done in 0..CAPACITY as u64 + 3 {
            bus.report(done, 0, "commits", "history");
        }
        let (events, dropped) = listener.take(usize::MAX);
        assert_eq!((events.len(), dropped), (CAPACITY, 3));
        assert_eq!(events[0].data["done"], 3);
    }
}
