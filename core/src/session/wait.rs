//! Waits of a session, for a signal or a time: they survive restarts and need no thread.

use std::time::Duration;

use super::handle::{Handle, Ownership, check_text};
use super::life::{LONGEST, LONGEST_WAIT, check_range};
use super::plan::{Answer, Asked, SIGNAL};
use super::record::*;
use crate::base::clock::{Clock, instant};
use crate::error::{Error, Result};
use crate::exec::worker::sleep;
use crate::store::{Arrived, NEVER, WaitWrite};

/// A wait looks at the clock this often: the wall clock may be set, and the machine may have slept.
const LOOK: Duration = Duration::from_secs(10);

/// A wait that somebody is in; when it is left before its end it goes on by itself.
struct Waiting {
    own: std::sync::Arc<Ownership>,
    token: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.own.plan().abandon(self.token);
    }
}

/// How a wait ended, and where that is written.
struct Ended {
    seq: i64,
    timed_out: bool,
    payload: Option<crate::base::value::Payload>,
}

impl Handle {
    /// Waits for a message.
    pub async fn wait_signal(&self, args: WaitSignalArgs) -> Result<SignalReceived> {
        self.alive()?;
        check_text("name", &args.name, 150)?;
        if let Some(timeout) = args.timeout_ms {
            check_range("timeout_ms", timeout, 0..=LONGEST)?;
        }
        let until = args.timeout_ms.map_or(NEVER, |timeout| Clock::system().now_ms() + timeout as i64);
        let name = format!("{SIGNAL}{}", args.name);
        let ended = self.wait(name, args.key, Some(args.name), until, args.wait_ms).await?;
        let value = if ended.timed_out { None } else { ended.payload };
        Ok(SignalReceived { value, timed_out: ended.timed_out })
    }

    /// Waits for a time.
    pub async fn sleep(&self, args: SleepArgs) -> Result<Slept> {
        self.alive()?;
        check_range("duration_ms", args.duration_ms, 0..=LONGEST)?;
        let until = Clock::system().now_ms() + args.duration_ms as i64;
        let ended = self.wait("sleep".to_owned(), args.key, None, until, args.wait_ms).await?;
        Ok(Slept { seq: ended.seq as u64 })
    }

    async fn wait(
        &self,
        name: String,
        key: Option<String>,
        signal: Option<String>,
        until: i64,
        wait_ms: Option<u64>,
    ) -> Result<Ended> {
        if let Some(key) = &key {
            check_text("key", key, 200)?;
        }
        check_range("wait_ms", wait_ms.unwrap_or(0), 0..=LONGEST_WAIT)?;
        let asked = Asked { name: name.clone(), key, hash: None, once: false, wait: Some(until) };
        let found = self.found();
        let (token, intent, until) = match self.ask(&asked).await? {
            Answer::Done { seq, timed_out, .. } => {
                let payload = match timed_out {
                    true => None,
                    false => Some(self.store().read(move |view| view.result(seq)).await?),
                };
                return Ok(Ended { seq, timed_out, payload });
            }
            Answer::Run { token, intent, until, .. } => (token, intent, until),
            Answer::Unknown { .. } => {
                return Err(Error::new("bug.store", "a wait was taken for a step of the host's"));
            }
        };
        let _waiting = Waiting { own: self.own().clone(), token };
        if let Some(intent) = intent {
            let own = self.own().clone();
            self.store()
                .write_then(
                    move |tx| tx.start_step(found.id, found.epoch, &intent, None),
                    move |result| own.plan().started(token, result.is_ok()),
                )
                .await?;
        }
        let patience = wait_ms.map(|wait| instant() + Duration::from_millis(wait));
        loop {
            let live = self.live().cloned();
            let said = live.as_ref().map(|live| live.said.notified());
            tokio::pin!(said);
            if let Some(said) = said.as_mut().as_pin_mut() {
                // Registered before the look, so that a signal that comes in between is not missed.
                said.enable();
            }
            if let Some(refusal) = self.refusal() {
                return Err(refusal);
            }
            if let Some(arrived) = self.end_wait(token, signal.clone(), until).await? {
                return Ok(Ended {
                    seq: arrived.seq,
                    timed_out: arrived.payload.is_none(),
                    payload: arrived.payload,
                });
            }
            let now = Clock::system().now_ms();
            let mut left = LOOK.min(Duration::from_millis((until - now).max(1) as u64));
            if let Some(patience) = patience {
                let rest = patience.saturating_duration_since(instant());
                if rest.is_zero() {
                    return Err(Error::new(
                        "session.waiting",
                        format!(
                            "session `{}` waits at `{name}`; close it: session.claim gives it out when that is there",
                            self.name()
                        ),
                    )
                    .with("id", self.name())
                    .with("step", &name));
                }
                left = left.min(rest);
            }
            match said.as_mut().as_pin_mut() {
                Some(said) => tokio::select! {
                    () = said => {}
                    () = sleep(left) => {}
                },
                None => sleep(left).await,
            }
        }
    }

    /// Ends the wait where what it waits for is there.
    async fn end_wait(&self, token: u64, signal: Option<String>, until: i64) -> Result<Option<Arrived>> {
        let found = self.found();
        let now = self.store().clock().now_ms();
        let Ok(step) = self.plan().finishing(token, now)? else {
            return Err(super::plan::unknown_token());
        };
        let wait = WaitWrite { step, signal, until };
        let own = self.own().clone();
        self.store()
            .write_then(
                move |tx| tx.end_wait(found.id, found.epoch, &wait),
                move |result| {
                    let mut plan = own.plan();
                    match result {
                        Ok(Some(arrived)) => {
                            if arrived.payload.is_none() {
                                plan.ended_by_time(token);
                            }
                            plan.settled(token, Some((arrived.seq, false)), None);
                        }
                        _ => plan.settled(token, None, None),
                    }
                },
            )
            .await
    }
}
