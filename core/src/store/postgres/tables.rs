//! Opening a database: is it ours, is it old enough, is it as durable as we say.

use std::sync::Arc;

use super::dialect::{identifier, tables};
use super::link::Link;
use super::target::Target;
use crate::error::{Error, Result};
use crate::store::Durability;
use crate::store::fault::{Attempt, Trouble};
use crate::store::schema::{MIGRATIONS, VERSION};
use crate::store::sql::Outcome;

/// What PostgreSQL has beside the shared tables. Its indexes do not end in the row's number, so the order
/// of claims stands in one in full; a row of `task` changes twice in its short life, so its page has room.
const BESIDE: &str = "
CREATE TABLE mark (writer BIGINT PRIMARY KEY, number BIGINT NOT NULL, at BIGINT NOT NULL) WITH (fillfactor = 50);
DROP INDEX task_ready;
CREATE INDEX task_ready ON task (queue, priority DESC, id) WHERE state = 0;
ALTER TABLE task SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE lease SET (fillfactor = 50);
ALTER TABLE queue SET (fillfactor = 50);
CREATE TABLE barograph (version BIGINT NOT NULL);
INSERT INTO barograph VALUES (0);
";

/// Marks that nobody has renewed for this long belong to nobody: a day, in milliseconds.
const STALE: i64 = 86_400_000;

impl Target {
    /// What every connection is set to.
    pub(super) fn settings(&self) -> String {
        // The tables are small or read by an index: a plan made while one was empty must not stay.
        let mut text = format!(
            "SET search_path TO {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = 15000; SET jit = off; SET enable_seqscan = off; SET client_min_messages = warning;",
            identifier(&self.schema),
            self.patience.as_millis().max(1)
        );
        match self.durability {
            Durability::Process => text += "SET synchronous_commit = off;",
            // What waits for more than the own disk is left as it is set.
            _ => {
                text += "SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false);";
            }
        }
        text
    }
}

/// Opens the writer's connection, and makes or migrates the tables where needed.
pub(in crate::store) fn writer(target: &Arc<Target>, number: i64) -> Result<Link> {
    let place = |error: Error| error.with("store", target.shown());
    let link = Link::open(target, number).when("open the store").map_err(place)?;
    durable(&link).map_err(place)?;
    migrate(&link).map_err(place)?;
    // What is left over is in nobody's way.
    let _ = sweep(&link);
    Ok(link)
}

/// Opens a connection that reads.
pub(in crate::store) fn reader(target: &Arc<Target>) -> Result<Link> {
    Link::open(target, 0).when("open the store").map_err(|error| error.with("store", target.shown()))
}

/// Refuses a server that would keep less than was promised.
fn durable(link: &Link) -> Result<()> {
    let what = "ask the server how it keeps what it is given";
    let rows = link
        .query(
            "SELECT pg_is_in_recovery(), current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')",
            &[],
        )
        .when(what)?;
    let Some(row) = rows.first() else {
        return Err(Error::new("bug.store", "a server answered with nothing"));
    };
    let said = |at: usize| row.try_get::<_, String>(at).map_err(Trouble::Postgres).when(what);
    if row.try_get::<_, bool>(0).map_err(Trouble::Postgres).when(what)? {
        return Err(Error::new(
            "store.read_only",
            "the server is a standby and takes no writes; name its primary, for example with target_session_attrs=read-write",
        ));
    }
    if link.target.durability != Durability::Full {
        return Ok(());
    }
    for (name, found) in
        [("fsync", said(1)?), ("full_page_writes", said(2)?), ("synchronous_commit", said(3)?)]
    {
        if found == "off" {
            return Err(Error::new(
                "store.unsupported",
                format!(
                    "the server runs with `{name} = off`, so it cannot keep what it is given through a loss of power; turn it on, or open with durability `process`"
                ),
            )
            .with("setting", name));
        }
    }
    Ok(())
}

/// Brings the tables to this version, in one transaction.
fn migrate(link: &Link) -> Result<()> {
    let what = "make the store's tables";
    if version(link).when(what)? == Some(i64::from(VERSION)) {
        return Ok(());
    }
    link.begin_write().when(what)?;
    let done = migrate_locked(link);
    match done {
        Ok(()) => link.commit("").when(what),
        Err(error) => {
            let _ = link.rollback();
            Err(error)
        }
    }
}

fn migrate_locked(link: &Link) -> Result<()> {
    let what = "make the store's tables";
    let schema = &link.target.schema;
    // Looked at again under the lock: another process may have been first.
    let found = version(link).when(what)?;
    let newest = i64::from(VERSION);
    if let Some(found) = found
        && found > newest
    {
        return Err(Error::new(
            "store.newer",
            format!("schema `{schema}` has version {found}, this release reads up to {VERSION}; use a newer release"),
        )
        .with("version", found)
        .with("supported", VERSION));
    }
    if found.is_none() {
        if count(link, "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(?1)").when(what)?
            > 0
        {
            return Err(Error::new(
                "store.not_a_store",
                format!("schema `{schema}` holds tables of another program; name another with `?schema=`"),
            ));
        }
        // One that an administrator made may be all that this role is allowed to have.
        if count(link, "SELECT count(to_regnamespace(?1))").when(what)? == 0 {
            link.batch(&format!("CREATE SCHEMA {}", identifier(schema))).when(what)?;
        }
    }
    let from = usize::try_from(found.unwrap_or(0)).unwrap_or(0);
    for script in MIGRATIONS.iter().skip(from) {
        link.batch(&tables(script)).when(what)?;
    }
    if found.is_none() {
        link.batch(BESIDE).when(what)?;
    }
    link.execute("UPDATE barograph SET version = ?1", &[&newest]).when(what)?;
    Ok(())
}

/// The version of the tables; `None` where there are none of ours.
fn version(link: &Link) -> Outcome<Option<i64>> {
    let ours =
        "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace(?1) AND relname = 'barograph'";
    if count(link, ours)? == 0 {
        return Ok(None);
    }
    let rows = link.query("SELECT version FROM barograph", &[])?;
    rows.first().map(|row| row.try_get(0)).transpose().map_err(Trouble::Postgres)
}

fn count(link: &Link, sql: &str) -> Outcome<i64> {
    // The name is quoted, as it is read as an identifier.
    let rows = link.query(&sql.replace("?1", "?1::text"), &[&identifier(&link.target.schema)])?;
    match rows.first() {
        Some(row) => row.try_get(0).map_err(Trouble::Postgres),
        None => Ok(0),
    }
}

/// Removes the marks of writers that are long gone.
fn sweep(link: &Link) -> Outcome<()> {
    let now = link.now().unwrap_or(0);
    link.execute("DELETE FROM mark WHERE at < ?1", &[&(now - STALE)]).map(drop)
}

impl Link {
    /// How many bytes the tables and their indexes take.
    pub fn size(&self) -> Outcome<u64> {
        let size = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
             WHERE relnamespace = to_regnamespace(?1) AND relkind = 'r'";
        Ok(u64::try_from(count(self, size)?).unwrap_or(0))
    }

    /// Reads every row; what the server says where it cannot.
    pub fn damage(&self) -> Outcome<Vec<String>> {
        for table in
            ["event", "session", "label", "lease", "queue", "task", "task_key", "segment", "chunk", "blob"]
        {
            // A row as a whole is not to be had from an index, nor a long value's length without reading it.
            let read = self.query(&format!("SELECT count(every::text) FROM {table} AS every"), &[]);
            match read {
                Err(Trouble::Postgres(error))
                    if error.code().is_some_and(|code| code.code().starts_with("XX")) =>
                {
                    return Ok(vec![format!("{table}: {error}")]);
                }
                other => drop(other?),
            }
        }
        Ok(Vec::new())
    }
}
