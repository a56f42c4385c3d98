//! SQLite's write-ahead log: made sure of when a store is opened, moved into its file when it is long.
//!
//! The system reports a failed sync once, and takes what was to be synced for written from then on. SQLite
//! guards against that where it writes the same pages again: a commit that could not be synced is written
//! anew by the next one, at the same place. Two places are left, and are guarded here.

use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ffi, params};

use super::fault::{Attempt, Trouble, fault};
use super::open::patiently;
use super::sql::{Conn, Optional, Outcome};
use crate::error::{Error, Result};

/// The log is moved once it has so many pages, as SQLite does by itself.
const LONG: i64 = 1000;

/// Whether the last one out moves the log into the file and removes it.
pub(super) fn move_on_close(conn: &Connection, wanted: bool) -> Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !wanted).map(drop).when("set up the store")
}

/// Makes sure of what the log holds before anything of it is shown or built upon.
///
/// A process that was killed before its sync, or after a failed one, leaves commits that look like any
/// other, and that a loss of power takes away together with all that was synced behind them. So they are
/// written to the file, which is synced, and the log is begun anew. Where others have the store open one
/// of them has done so, or is at it.
pub(super) fn settle(conn: &Connection, patience: Duration) -> Result<()> {
    let what = "make sure of what the store holds";
    // Neither a writer nor a reader elsewhere is waited for: then this process is not the first.
    conn.busy_timeout(Duration::ZERO).when(what)?;
    let settled = patiently(patience, || {
        let moved = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        match conn.query_row("PRAGMA wal_checkpoint(RESTART)", [], moved).when(what)? {
            (1, -1) => {
                Err(Error::new("store.busy", "another process is making sure of the store; try again"))
            }
            _ => Ok(()),
        }
    });
    conn.busy_timeout(patience).when(what)?;
    settled
}

/// Moves the log into the file where it is long. An error means that the file cannot be vouched for any
/// more: no reader and no writer may go on with it, and it must not be moved again on closing.
///
/// SQLite does not sync a part that it moves while a reader elsewhere holds on to the rest, and counts it
/// as moved. If the sync that comes with the rest fails, it would move only the rest again. Once everyone
/// has closed the file, the log is moved from its beginning.
pub(super) fn shorten(conn: &Conn) -> Result<()> {
    let Conn::Sqlite(inner, _) = conn;
    let size = |sql: &str| -> Outcome<(i64, i64)> {
        let read = conn.prepare(sql)?.query_row(params![], |row| Ok((row.get(1)?, row.get(2)?)));
        Ok(read.optional()?.unwrap_or_default())
    };
    match size("PRAGMA wal_checkpoint(NOOP)") {
        Ok((log, moved)) if log >= LONG && moved < log => {}
        // What cannot be read now is told to the next who writes.
        _ => return Ok(()),
    }
    let Err(Trouble::Sqlite(error)) = size("PRAGMA wal_checkpoint(PASSIVE)") else { return Ok(()) };
    match error {
        rusqlite::Error::SqliteFailure(code, _) if code.extended_code == ffi::SQLITE_IOERR_FSYNC => {
            // Nothing can be done where even this fails.
            let _ = move_on_close(inner, false);
            let cause = fault("move the log into the store's file", &error);
            Err(Error::new(
                "store.unreachable",
                "the disk did not confirm what was written to the store's file; what was answered before is in its log: close this workspace and open it again",
            )
            .because(&cause))
        }
        // It is still in the log, and is moved from there with what comes next.
        _ => Ok(()),
    }
}
