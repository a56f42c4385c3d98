//! What other processes write: whoever waits for it here is woken.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rusqlite::params;

use super::fault::Attempt;
use super::live::Halt;
use super::schema::kind;
use super::sql::Conn;
use super::tx::Around;
use crate::base::clock::instant;
use crate::error::Result;

/// How often a store that anybody waits on is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// What other processes have written since the last look.
#[derive(Default)]
pub(super) struct News {
    /// When the store was last looked at.
    looked: Option<Instant>,
    /// The newest event that was seen.
    seen: Option<i64>,
}

impl News {
    /// Wakes whoever waits for what other processes have written. A look that fails is made again.
    pub fn look(&mut self, conn: &Conn, around: &Around) {
        let now = instant();
        if self.looked.is_some_and(|looked| now < looked + LOOK / 2) {
            return;
        }
        self.looked = Some(now);
        if let Ok(true) = conn.changed_by_others() {
            let _ = self.tell(conn, around);
            around.bus.wake();
            around.work.notify_waiters();
        }
    }

    pub fn tell(&mut self, conn: &Conn, around: &Around) -> Result<()> {
        let what = "look for what other processes wrote";
        let last: i64 = conn
            .prepare("SELECT coalesce(max(seq), 0) FROM event")
            .and_then(|mut found| found.query_row(params![], |row| row.get(0)))
            .when(what)?;
        if let Some(seen) = self.seen {
            let said: Vec<(i64, i64)> = conn
                .prepare(
                    "SELECT subject, kind FROM event WHERE seq > ?1 AND seq <= ?2 AND kind IN (7, 8, 9, 10, 13) ORDER BY seq",
                )
                .and_then(|mut found| found.query_map([seen, last], |row| Ok((row.get(0)?, row.get(1)?))))
                .when(what)?;
            // The last word about a session counts: it may have been cancelled and restored since.
            let mut halts = HashMap::new();
            for (session, said) in said {
                match said {
                    kind::SESSION_CANCELLED => drop(halts.insert(session, Some(Halt::Cancelled))),
                    kind::SESSION_PAUSED => drop(halts.insert(session, Some(Halt::Paused))),
                    kind::SIGNAL => around.owned.wake(session),
                    _ => drop(halts.insert(session, None)),
                }
            }
            halts.into_iter().for_each(|(session, halt)| around.owned.tell(session, halt));
        }
        self.seen = Some(last);
        Ok(())
    }
}
