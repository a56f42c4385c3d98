//! A connection that answers as SQLite's does: one call after the other, on the calling thread.
//!
//! What needs no answer of its own (a savepoint, the end of one) travels with what comes next, so that
//! every trip to the server carries a question.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::types::{ToSql, Value};
use tokio::runtime::Runtime;
use tokio_postgres::{Row, Statement};

use super::listen::{Heard, Hearing};
use super::target::Target;
use super::value::Outgoing;
use super::wire::{Answer, Wire, is_lost, is_passing, together};
use crate::base::clock::instant;
use crate::store::fault::Trouble;
use crate::store::sql::Outcome;

/// How many requests travel together at most, so that neither side has to keep more.
const ABREAST: usize = 512;

/// The longest pause before the next attempt to connect.
const PAUSE: Duration = Duration::from_millis(500);

/// What a statement gave.
pub(super) enum Given {
    Count(u64),
    Rows(Vec<Row>),
}

/// A connection to the server, made again where it was lost.
pub(in crate::store) struct Link {
    /// `None` only while it is dropped. One thread serves both ends: no other has to be woken.
    runtime: Option<Runtime>,
    pub(super) target: Arc<Target>,
    wire: RefCell<Option<Wire>>,
    /// What travels with the next request.
    ahead: RefCell<String>,
    open: Cell<bool>,
    /// Whether the open transaction may have written.
    wrote: Cell<bool>,
    /// The server's clock at an instant of ours.
    clock: Cell<Option<(i64, Instant)>>,
    /// The number of this connection's last transaction.
    pub(super) number: Cell<i64>,
    /// What this writer's transactions are called by.
    pub(super) writer: i64,
    /// What the store's listener has heard of other writers.
    ear: Arc<Heard>,
}

impl Link {
    /// Connects, and tries again while the server is only away and patience lasts.
    pub fn open(target: &Arc<Target>, writer: i64) -> Outcome<Link> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Trouble::Local(error.to_string()))?;
        let link = Link {
            runtime: Some(runtime),
            target: target.clone(),
            wire: RefCell::default(),
            ahead: RefCell::default(),
            open: Cell::new(false),
            wrote: Cell::new(false),
            clock: Cell::new(None),
            number: Cell::new(0),
            writer,
            ear: Heard::new(),
        };
        link.connect(target.patience)?;
        Ok(link)
    }

    /// Waits for an answer on the calling thread.
    pub(super) fn wait<T>(&self, request: impl Future<Output = T>) -> T {
        match &self.runtime {
            Some(runtime) => runtime.block_on(request),
            None => unreachable!("the runtime is taken only by drop"),
        }
    }

    /// Makes sure that there is a connection.
    pub(super) fn connect(&self, patience: Duration) -> Outcome<()> {
        if let Some(wire) = self.wire.borrow().as_ref()
            && !self.wait(wire.ended())
        {
            return Ok(());
        }
        self.forget();
        let until = instant() + patience;
        let mut pause = Duration::from_millis(10);
        loop {
            match self.wait(Wire::open(&self.target)) {
                Ok(wire) => {
                    *self.wire.borrow_mut() = Some(wire);
                    return Ok(());
                }
                Err(error) if is_passing(&error) && instant() + pause < until => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(PAUSE);
                }
                Err(error) => return Err(Trouble::Connect(error)),
            }
        }
    }

    /// Lets go of a connection that is lost, with the transaction in it.
    pub(super) fn forget(&self) {
        self.wire.borrow_mut().take();
        self.ahead.borrow_mut().clear();
        self.open.set(false);
    }

    /// The server's process of the connection.
    pub(super) fn backend(&self) -> Option<(i32, String)> {
        self.wire.borrow().as_ref().map(|wire| wire.backend.clone())
    }

    fn checked<T>(&self, answer: Answer<T>) -> Outcome<T> {
        answer.map_err(|error| {
            if is_lost(&error) {
                self.forget();
            }
            Trouble::Postgres(error)
        })
    }

    /// Runs several requests in one trip behind what waits to travel, unless their values do not fit the
    /// statement: then nothing has travelled.
    fn trip<T>(
        &self,
        sql: &str,
        fit: impl FnOnce(&Statement) -> Outcome<()>,
        requests: impl AsyncFnOnce(&Wire, &Statement, &str) -> Outcome<T>,
    ) -> Outcome<T> {
        let wire = self.wire.borrow();
        let Some(open) = wire.as_ref() else { return Err(Trouble::Gone) };
        let outcome = self.wait(async {
            if open.known(sql).is_none() {
                // A statement that cannot be prepared must fail behind its savepoint.
                send_ahead(open, &self.take_ahead()).await?;
            }
            let statement = open.statement(sql).await?;
            fit(&statement)?;
            requests(open, &statement, &self.take_ahead()).await
        });
        drop(wire);
        if let Err(Trouble::Postgres(error)) = &outcome
            && is_lost(error)
        {
            self.forget();
        }
        outcome
    }

    fn note(&self, sql: &str) {
        if !sql.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("SELECT")) {
            self.wrote.set(true);
        }
    }

    /// Runs a statement and counts the rows that it changed.
    pub fn execute(&self, sql: &str, values: &[&dyn ToSql]) -> Outcome<usize> {
        match self.run(sql, values, false)? {
            Given::Count(count) => Ok(count as usize),
            Given::Rows(rows) => Ok(rows.len()),
        }
    }

    /// Runs a statement and reads its rows.
    pub fn query(&self, sql: &str, values: &[&dyn ToSql]) -> Outcome<Vec<Row>> {
        match self.run(sql, values, true)? {
            Given::Rows(rows) => Ok(rows),
            Given::Count(_) => Ok(Vec::new()),
        }
    }

    fn run(&self, sql: &str, values: &[&dyn ToSql], rows: bool) -> Outcome<Given> {
        let values = outgoing(values)?;
        self.note(sql);
        let fit = |statement: &Statement| check(statement, &values);
        self.trip(sql, fit, async |wire, statement, ahead| {
            let values = refer(&values);
            let first = send_ahead(wire, ahead);
            let second = async {
                match rows {
                    true => wire.client.query(statement, &values).await.map(Given::Rows),
                    false => wire.client.execute(statement, &values).await.map(Given::Count),
                }
            };
            let (first, second) = in_order(first, second).await;
            first?;
            Ok(second?)
        })
    }

    /// Runs a statement once for each of `rows`, many in one trip.
    pub fn execute_many(&self, sql: &str, rows: &[Vec<Value>]) -> Outcome<()> {
        let rows: Vec<Vec<Outgoing<'_>>> =
            rows.iter().map(|values| values.iter().map(Outgoing::of).collect()).collect();
        self.note(sql);
        for rows in rows.chunks(ABREAST) {
            let fit = |statement: &Statement| rows.iter().try_for_each(|values| check(statement, values));
            self.trip(sql, fit, async |wire, statement, ahead| {
                let rows: Vec<_> = rows.iter().map(|values| refer(values)).collect();
                let all =
                    together(rows.iter().map(|values| wire.client.execute(statement, values)).collect());
                let (first, all) = in_order(send_ahead(wire, ahead), all).await;
                first?;
                all.into_iter().try_for_each(|answer| answer.map(drop))?;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Runs statements that take no values and give no rows, at once.
    pub fn batch(&self, sql: &str) -> Outcome<()> {
        let ahead = std::mem::take(&mut *self.ahead.borrow_mut());
        self.note(sql);
        let answer = match self.wire.borrow().as_ref() {
            None => return Err(Trouble::Gone),
            Some(wire) => self.wait(wire.client.batch_execute(&(ahead + sql))),
        };
        self.checked(answer)
    }

    /// Has a statement travel with the next request.
    pub(super) fn later(&self, sql: &str) {
        let mut ahead = self.ahead.borrow_mut();
        ahead.push_str(sql);
        ahead.push(';');
    }

    /// Begins a savepoint.
    pub fn savepoint(&self) {
        self.later("SAVEPOINT job");
    }

    /// Ends the savepoint; what was done since it is kept or undone.
    pub fn end_savepoint(&self, keep: bool) {
        let mut ahead = self.ahead.borrow_mut();
        // Nothing was asked since it: then it need not be told at all.
        if let Some(before) = ahead.strip_suffix("SAVEPOINT job;").map(str::len) {
            ahead.truncate(before);
            return;
        }
        drop(ahead);
        if !keep {
            self.later("ROLLBACK TO job");
        }
        self.later("RELEASE job");
    }

    /// What a listener for this writer needs.
    pub fn hearing(&self) -> Hearing {
        Hearing { target: self.target.clone(), me: self.writer, heard: self.ear.clone() }
    }

    /// Whether other writers may have committed since this was asked last.
    pub fn heard(&self) -> Outcome<bool> {
        if !self.ear.take() {
            return Ok(false);
        }
        // What was heard is read by this connection, which may not have been used for long.
        let ready = self.connect(Duration::ZERO);
        if ready.is_err() {
            self.ear.again();
        }
        ready.map(|()| true)
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        self.open.get()
    }

    pub(super) fn opened(&self) {
        self.open.set(true);
        self.wrote.set(false);
    }

    /// Ends the transaction in this connection's eyes, and says whether it may have written.
    pub(super) fn closed(&self) -> bool {
        self.open.set(false);
        self.ahead.borrow_mut().clear();
        self.wrote.get()
    }

    /// Whether the open transaction may have written.
    pub(super) fn has_written(&self) -> bool {
        self.wrote.get()
    }

    pub(super) fn take_ahead(&self) -> String {
        std::mem::take(&mut *self.ahead.borrow_mut())
    }

    /// Runs requests on the open connection; one that is lost is forgotten.
    pub(super) fn with_wire<T>(&self, requests: impl AsyncFnOnce(&Wire) -> Answer<T>) -> Outcome<T> {
        let answer = match self.wire.borrow().as_ref() {
            None => return Err(Trouble::Gone),
            Some(wire) => self.wait(requests(wire)),
        };
        self.checked(answer)
    }

    pub(super) fn set_clock(&self, now: i64) {
        self.clock.set(Some((now, instant())));
    }

    /// Whether the server's clock was read lately, so that ours has not gone far from it.
    pub(super) fn has_clock(&self) -> bool {
        self.clock.get().is_some_and(|(_, at)| at.elapsed() < Duration::from_secs(10))
    }

    /// The server's wall clock, in milliseconds since the Unix epoch, carried on by ours.
    pub fn now(&self) -> Option<i64> {
        self.clock.get().map(|(then, at)| then + at.elapsed().as_millis() as i64)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.wire.get_mut().take();
        if let Some(runtime) = self.runtime.take() {
            // The last user may be gone on a thread of another runtime, where waiting is forbidden.
            runtime.shutdown_background();
        }
    }
}

/// Sends what waits to travel.
pub(super) async fn send_ahead(wire: &Wire, ahead: &str) -> Answer<()> {
    match ahead.is_empty() {
        true => Ok(()),
        false => wire.client.batch_execute(ahead).await,
    }
}

/// Polls `first` before `second`, so that it is sent before it, and awaits both.
pub(super) async fn in_order<A, B>(
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    tokio::join!(biased; first, second)
}

fn refer<'v>(values: &'v [Outgoing<'_>]) -> Vec<&'v (dyn tokio_postgres::types::ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn tokio_postgres::types::ToSql + Sync)).collect()
}

fn outgoing<'v>(values: &'v [&'v dyn ToSql]) -> Outcome<Vec<Outgoing<'v>>> {
    Ok(values.iter().map(|value| value.to_sql().map(Outgoing)).collect::<rusqlite::Result<_>>()?)
}

fn check(statement: &Statement, values: &[Outgoing<'_>]) -> Outcome<()> {
    if statement.params().len() != values.len() {
        return Err(Trouble::Local(format!(
            "a statement has {} places and got {} values",
            statement.params().len(),
            values.len()
        )));
    }
    match statement.params().iter().zip(values).any(|(place, value)| value.has_nul(place)) {
        true => Err(Trouble::Nul),
        false => Ok(()),
    }
}
