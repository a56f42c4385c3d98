//! Transactions: alone while they write, of one state while they read, and never told wrongly.
//!
//! Whoever writes holds one lock of the schema until its commit is visible, so numbers of events appear
//! in their order over all processes. A commit whose answer was lost is found out afterwards: it has left
//! a mark, and the lock is only to be had once its connection has ended one way or the other.

use std::time::Duration;

use super::link::{Link, in_order, send_ahead};
use super::wire::{is_lost, together};
use crate::base::clock::instant;
use crate::store::fault::Trouble;
use crate::store::sql::Outcome;

/// How long the outcome of a lost commit is looked for, in times of the store's patience: an answer that
/// comes late is worth more than none.
const DOUBT: u32 = 6;

const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
const MARK: &str = "INSERT INTO mark (writer, number, at) VALUES (?1, ?2, ?3)
  ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = excluded.at";

impl Link {
    /// Begins a transaction that nobody else writes beside. A connection that was lost is made again,
    /// as nothing has been asked of it yet.
    pub fn begin_write(&self) -> Outcome<()> {
        let until = instant() + self.target.patience;
        loop {
            self.connect(until.saturating_duration_since(instant()))?;
            match self.take_lock() {
                Err(Trouble::Postgres(error)) if is_lost(&error) && instant() < until => {}
                other => return other,
            }
        }
    }

    fn take_lock(&self) -> Outcome<()> {
        // The clock is read behind the lock: the wait for it may be long.
        let sql = format!("SELECT pg_advisory_xact_lock(?1), {NOW}");
        let lock = self.target.lock();
        self.later("BEGIN");
        self.opened();
        match self.query(&sql, &[&lock]) {
            Ok(rows) => {
                if let Some(row) = rows.first() {
                    self.set_clock(row.try_get(1).map_err(Trouble::Postgres)?);
                }
                Ok(())
            }
            Err(trouble) => {
                let _ = self.rollback();
                Err(trouble)
            }
        }
    }

    /// Begins a transaction that sees one state; it travels with its first question.
    pub fn begin_read(&self) -> Outcome<()> {
        self.connect(self.target.patience)?;
        self.later("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
        self.opened();
        if self.has_clock() {
            return Ok(());
        }
        let rows = self.query(&format!("SELECT {NOW}"), &[])?;
        if let Some(row) = rows.first() {
            self.set_clock(row.try_get(0).map_err(Trouble::Postgres)?);
        }
        Ok(())
    }

    /// Gives the transaction up.
    pub fn rollback(&self) -> Outcome<()> {
        if !self.in_transaction() {
            return Ok(());
        }
        self.closed();
        self.batch("ROLLBACK")
    }

    /// Commits, and tells other processes what it was about: `news` is empty where it is of no interest.
    pub fn commit(&self, news: &str) -> Outcome<()> {
        if !self.has_written() {
            let ended = self.batch("COMMIT");
            self.closed();
            return ended;
        }
        let number = self.number.get() + 1;
        self.number.set(number);
        let at = self.now().unwrap_or(0);
        let ahead = self.take_ahead();
        let channel = self.target.channel();
        let news = format!("{} {news}", self.writer);
        let silent = news.ends_with(' ');
        let backend = self.backend();
        let sent = self.with_wire(async |wire| {
            let mark = wire.statement(MARK).await?;
            let notify = wire.statement("SELECT pg_notify(?1, ?2)").await?;
            let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&self.writer, &number, &at];
            let words: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&channel, &news];
            let before = send_ahead(wire, &ahead);
            // The mark fails where anything before it has failed: then COMMIT would undo in silence.
            let marked = wire.client.execute(&mark, &values);
            let told = async {
                match silent {
                    true => Ok(0),
                    false => wire.client.execute(&notify, &words).await,
                }
            };
            let committed = wire.client.batch_execute("COMMIT");
            let (before, (marked, (told, committed))) =
                in_order(before, in_order(marked, in_order(told, committed))).await;
            before.and(marked).and(told).and(committed)
        });
        self.closed();
        match sent {
            Err(Trouble::Postgres(error)) if is_lost(&error) => self.find_out(number, backend, error),
            other => other,
        }
    }

    /// What became of a commit whose answer was lost.
    fn find_out(
        &self,
        number: i64,
        backend: Option<(i32, String)>,
        error: tokio_postgres::Error,
    ) -> Outcome<()> {
        let until = instant() + DOUBT * self.target.patience;
        loop {
            match self.look(number, backend.as_ref()) {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(Trouble::Postgres(error)),
                Err(trouble) if instant() >= until => {
                    drop(trouble);
                    return Err(Trouble::Doubt(error));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Whether the transaction of this number is there, once it has ended.
    fn look(&self, number: i64, backend: Option<&(i32, String)>) -> Outcome<bool> {
        self.connect(Duration::from_secs(1))?;
        if let Some((pid, start)) = backend {
            // A connection that was cut on its way may still hold the lock at the server's end.
            self.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ?1 AND backend_start::text = ?2",
                &[&i64::from(*pid), start],
            )?;
        }
        self.take_lock()?;
        let rows = self.query("SELECT number FROM mark WHERE writer = ?1", &[&self.writer]);
        let ended = self.rollback();
        let found: Option<i64> = match rows?.first() {
            Some(row) => row.try_get(0).map_err(Trouble::Postgres)?,
            None => None,
        };
        ended?;
        Ok(found == Some(number))
    }

    /// Removes this writer's mark, which nobody will ask for again.
    pub fn retire(&self) {
        if self.number.get() == 0 {
            return;
        }
        let _ = self.with_wire(async |wire| {
            let gone = wire.statement("DELETE FROM mark WHERE writer = ?1").await?;
            together(vec![wire.client.execute(&gone, &[&self.writer])]).await.remove(0)
        });
    }
}
