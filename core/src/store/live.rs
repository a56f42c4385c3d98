//! The sessions that this process owns, and what others say to them meanwhile.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::base::cancel::CancelToken;

/// What keeps an owned session from going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// Somebody cancelled it.
    Cancelled,
    /// Somebody paused it.
    Paused,
    /// Another owner has it.
    Lost,
}

/// A session that this process owns, as all of its parts see it.
#[derive(Debug)]
pub(crate) struct Live {
    epoch: i64,
    halt: AtomicU8,
    /// Set for good once the session must do nothing more here: what runs for it is stopped.
    pub stop: CancelToken,
    /// Something was said to the session: a signal, a pause, an end.
    pub said: Notify,
}

impl Live {
    fn new(epoch: i64) -> Live {
        Live { epoch, halt: AtomicU8::new(0), stop: CancelToken::new(), said: Notify::new() }
    }

    /// What keeps it from going on.
    pub fn halt(&self) -> Option<Halt> {
        match self.halt.load(Ordering::Acquire) {
            1 => Some(Halt::Cancelled),
            2 => Some(Halt::Paused),
            3 => Some(Halt::Lost),
            _ => None,
        }
    }

    /// The session was paused before this process had it.
    pub fn pause(&self) {
        self.set(Some(Halt::Paused));
    }

    fn set(&self, halt: Option<Halt>) {
        let number = match halt {
            None => 0,
            Some(Halt::Cancelled) => 1,
            Some(Halt::Paused) => 2,
            Some(Halt::Lost) => 3,
        };
        // Whoever has lost it stays so; a newer handle has an entry of its own.
        let _ =
            self.halt.fetch_update(Ordering::AcqRel, Ordering::Acquire, |old| (old != 3).then_some(number));
        if matches!(halt, Some(Halt::Cancelled | Halt::Lost)) {
            self.stop.cancel();
        }
        self.said.notify_waiters();
    }
}

#[derive(Debug, Default)]
struct Inner {
    sessions: Mutex<HashMap<i64, Arc<Live>>>,
    watchers: AtomicUsize,
}

/// Every session that this process owns, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owned(Arc<Inner>);

/// Keeps the writer looking for what other processes write.
#[derive(Debug)]
pub(crate) struct Watching(Arc<Inner>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.watchers.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Owned {
    fn sessions(&self) -> MutexGuard<'_, HashMap<i64, Arc<Live>>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no session is owned.
    pub fn is_empty(&self) -> bool {
        self.sessions().is_empty()
    }

    /// Whether anybody needs to know what other processes write.
    pub fn watched(&self) -> bool {
        self.0.watchers.load(Ordering::Acquire) > 0 || !self.is_empty()
    }

    /// Counts one more who needs to know.
    pub fn watch(&self) -> Watching {
        self.0.watchers.fetch_add(1, Ordering::AcqRel);
        Watching(self.0.clone())
    }

    /// Notes the newest owner of a session within this process; an earlier one has lost it.
    pub fn take_over(&self, session: i64, epoch: i64) -> Arc<Live> {
        let live = Arc::new(Live::new(epoch));
        let earlier = self.sessions().insert(session, live.clone());
        if let Some(earlier) = earlier {
            earlier.set(Some(Halt::Lost));
        }
        live
    }

    /// Forgets a session, unless a newer owner of this process has it.
    pub fn let_go(&self, session: i64, epoch: i64) {
        let mut sessions = self.sessions();
        if sessions.get(&session).is_some_and(|live| live.epoch == epoch) {
            sessions.remove(&session);
        }
    }

    /// Tells a session what holds it up, or that it may go on.
    pub fn tell(&self, session: i64, halt: Option<Halt>) {
        if let Some(live) = self.sessions().get(&session).cloned() {
            live.set(halt);
        }
    }

    /// Wakes whoever waits for a message to the session.
    pub fn wake(&self, session: i64) {
        if let Some(live) = self.sessions().get(&session).cloned() {
            live.said.notify_waiters();
        }
    }

    /// Tells the owner of this epoch that another has the session.
    pub fn lose(&self, session: i64, epoch: i64) {
        let found = self.sessions().get(&session).filter(|live| live.epoch == epoch).cloned();
        if let Some(live) = found {
            live.set(Some(Halt::Lost));
        }
    }

    /// Tells every session that is not among `kept` (number, epoch) that another owner has it.
    pub fn lose_all_but(&self, kept: &[(i64, i64)]) {
        let kept: HashMap<i64, i64> = kept.iter().copied().collect();
        let lost: Vec<Arc<Live>> = {
            let mut sessions = self.sessions();
            let gone: Vec<i64> = sessions
                .iter()
                .filter(|(session, live)| kept.get(session) != Some(&live.epoch))
                .map(|(&session, _)| session)
                .collect();
            gone.iter().filter_map(|session| sessions.remove(session)).collect()
        };
        lost.iter().for_each(|live| live.set(Some(Halt::Lost)));
    }
}
