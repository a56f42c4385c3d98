//! SQLite's write-ahead log: made sure of when a store is opened, moved into its file when it is long.
//!
//! The system reports a failed sync once, and takes what was to be synced for written from then on. SQLite
//! guards against that where it writes the same pages again: a commit that could not be synced is written
//! anew by the next one, at the same place. Two places are left, and are guarded here.

use std::ffi::c_int;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ffi};

use super::fault::{Attempt, fault};
use super::open::patiently;
use super::sql::Conn;
use crate::error::{Error, Result};

/// The log is moved once it has so many pages, as SQLite does by itself.
const LONG: c_int = 1000;

/// Closes a connection to a file that cannot be vouched for: the last one out does not move the log.
pub(super) fn abandon(conn: Conn) {
    #[allow(
        irrefutable_let_patterns,
        reason = "there is one kind of connection without the feature `postgres`"
    )]
    if let Conn::Sqlite(inner, _) = &conn {
        // Nothing can be done where even this fails.
        let _ = inner.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }
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

/// How many pages the log has, and how many of them are in the file already. Asked of the library itself,
/// as the pragma would be compiled anew after every commit.
fn length(conn: &Connection) -> Option<(c_int, c_int)> {
    let (mut log, mut moved) = (0, 0);
    // SAFETY: the connection is open, and the text and the numbers outlive the call.
    let code = unsafe {
        let main = c"main".as_ptr();
        let noop = ffi::SQLITE_CHECKPOINT_NOOP;
        ffi::sqlite3_wal_checkpoint_v2(conn.handle(), main, noop, &raw mut log, &raw mut moved)
    };
    (code == ffi::SQLITE_OK).then_some((log, moved))
}

/// Moves the log into the file where it is long. An error means that the file cannot be vouched for any
/// more: no reader and no writer may go on with it, and every connection is to be [abandoned](abandon).
///
/// SQLite does not sync a part that it moves while a reader elsewhere holds on to the rest, and counts it
/// as moved. If the sync that comes with the rest fails, it would move only the rest again. Once everyone
/// has closed the file, the log is moved from its beginning.
pub(super) fn shorten(conn: &Conn) -> Result<()> {
    #[allow(
        irrefutable_let_patterns,
        reason = "there is one kind of connection without the feature `postgres`"
    )]
    let Conn::Sqlite(inner, _) = conn else { return Ok(()) };
    match length(inner) {
        Some((log, moved)) if log >= LONG && moved < log => {}
        // What cannot be read now is told to the next who writes.
        _ => return Ok(()),
    }
    let Err(error) = inner.query_row("PRAGMA main.wal_checkpoint(PASSIVE)", [], |_| Ok(())) else {
        return Ok(());
    };
    match error {
        rusqlite::Error::SqliteFailure(code, _) if code.extended_code == ffi::SQLITE_IOERR_FSYNC => {
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
