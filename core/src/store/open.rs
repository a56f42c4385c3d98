//! Opening a file: is it ours, is it old enough, is it as durable as we say.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::Durability;
use super::fault::{Attempt, fault};
use super::log::{move_on_close, settle};
use super::schema::{APPLICATION_ID, MIGRATIONS, VERSION};
use super::sql::{Conn, Optional};
use crate::base::clock::instant;
use crate::error::{Error, Result};

/// Opens the writer's connection, and makes or migrates the store where needed.
pub(super) fn writer(path: &Path, durability: Durability, patience: Duration) -> Result<Conn> {
    let place = |error: Error| error.with("path", path.display());
    if path.is_dir() {
        return Err(place(Error::new(
            "store.not_a_store",
            format!("`{}` is a folder; name a file in it", path.display()),
        )));
    }
    if is_too_short(path) {
        return Err(place(Error::new(
            "store.not_a_store",
            format!("`{}` is not a store of this library; name another file", path.display()),
        )));
    }
    refuse_network(path).map_err(place)?;
    let opened = Connection::open_with_flags(path, flags()).map_err(|error| cannot_open(path, &error));
    let mut conn = opened.map_err(place)?;
    prepare(&conn, path, durability, patience).map_err(place)?;
    wait_turns(&mut conn, patience).map_err(place)?;
    Ok(conn.into())
}

/// Opens a connection that reads a file which [`writer`] has opened before.
pub(super) fn reader(path: &Path, patience: Duration) -> Result<Conn> {
    let mut conn = Connection::open_with_flags(path, flags())
        .map_err(|error| cannot_open(path, &error).with("path", path.display()))?;
    wait_turns(&mut conn, patience)?;
    move_on_close(&conn, false)?;
    set(&conn, "query_only", "1")?;
    conn.set_prepared_statement_cache_capacity(32);
    Ok(conn.into())
}

/// Waits while other processes write. SQLite's own waiting looks only every 100 ms after a while: where
/// many processes write all the time, one may then find the store taken at every look for seconds.
fn wait_turns(conn: &mut Connection, patience: Duration) -> Result<()> {
    let mut since = instant();
    // Not all at the same instants.
    let pause = Duration::from_micros(500 + u64::from(std::process::id() % 16) * 100);
    conn.busy_handler(Some(move |tries| {
        if tries == 0 {
            since = instant();
        }
        std::thread::sleep(pause);
        instant() < since + patience
    }))
    .when("set up the store")
}

/// Opens a store that lives in memory.
pub(super) fn memory() -> Result<Conn> {
    let conn = Connection::open_in_memory().when("open a store in memory")?;
    set(&conn, "foreign_keys", "1")?;
    conn.set_prepared_statement_cache_capacity(64);
    migrate(&conn)?;
    Ok(conn.into())
}

/// The number of this namespace; made where there is none.
pub(super) fn namespace(conn: &Conn, name: &str) -> Result<i64> {
    let what = "open a namespace";
    let find = || {
        conn.prepare("SELECT id FROM namespace WHERE name = ?1")
            .and_then(|mut found| found.query_row([name], |row| row.get::<i64>(0)).optional())
            .when(what)
    };
    if let Some(id) = find()? {
        return Ok(id);
    }
    conn.prepare(
        "INSERT INTO namespace (id, name) SELECT max(id) + 1, ?1 FROM namespace WHERE true
         ON CONFLICT (name) DO NOTHING",
    )
    .and_then(|mut insert| insert.execute([name]))
    .when(what)?;
    find()?.ok_or_else(|| Error::new("bug.store", "a namespace was not made"))
}

/// How many bytes are free for the user where `path` lies; `None` where nothing can be said.
pub(super) fn free_bytes(path: &Path) -> Option<u64> {
    let about = rustix::fs::statvfs(path.parent()?).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

/// Refuses a file on a network: its locks and its syncs cannot be relied on.
fn refuse_network(path: &Path) -> Result<()> {
    #[cfg(target_os = "linux")]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let Ok(about) = rustix::fs::statfs(folder) else { return Ok(()) };
        // Numbers of linux/magic.h and of the file systems' own sources.
        let name = match about.f_type as u32 {
            0x6969 => "NFS",
            0xff53_4d42 | 0xfe53_4d42 | 0x517b => "SMB",
            0x0102_1997 => "9p",
            0x7375_7245 => "Coda",
            0x5346_414f => "AFS",
            0x00c3_6400 => "Ceph",
            0x4750_4653 => "GPFS",
            0x0bd0_0bd0 => "Lustre",
            _ => return Ok(()),
        };
        return Err(Error::new(
            "store.network",
            format!(
                "`{}` lies on a network file system ({name}), where SQLite is not safe; name a store on a local disk, or a PostgreSQL database (postgres://...)",
                path.display()
            ),
        )
        .with("file_system", name));
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = path;
        Ok(())
    }
}

/// SQLite takes a file that is shorter than a page for an empty one, and writes over it. Only its length is
/// looked at: closing a handle would drop the locks that this process has on the file.
fn is_too_short(path: &Path) -> bool {
    // What cannot be read is for SQLite to report.
    std::fs::metadata(path).is_ok_and(|file| (1..512).contains(&file.len()))
}

fn flags() -> OpenFlags {
    // One thread at a time has a connection, so SQLite need not lock it; no URI, as a file may be
    // called `file:x?mode=memory`.
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// SQLite says only "unable to open"; the file system says why.
fn cannot_open(path: &Path, error: &rusqlite::Error) -> Error {
    if error.sqlite_error_code() != Some(ErrorCode::CannotOpen) {
        return fault("open the store", error);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Error::new(
            "store.unreachable",
            format!("the folder `{}` does not exist; make it or name another store", folder.display()),
        )
        .because(error);
    }
    match std::fs::OpenOptions::new().append(true).create(true).open(path) {
        Ok(file) => {
            // Closing it would drop the locks that this process may have on the file.
            std::mem::forget(file);
            fault("open the store", error)
        }
        Err(reason) => Error::new(
            "store.read_only",
            format!("`{}` cannot be written; check its permissions or name another store", path.display()),
        )
        .because(&reason),
    }
}

fn prepare(conn: &Connection, path: &Path, durability: Durability, patience: Duration) -> Result<()> {
    conn.busy_timeout(patience).when("set up the store")?;
    // Not before it is known to be ours and sound.
    move_on_close(conn, false)?;
    // First look, then touch: a file of someone else's must stay as it is.
    let what = "open the store";
    let (version, empty) = patiently(patience, || identify(conn, path))?;
    if conn.is_readonly("main").when(what)? {
        return Err(Error::new(
            "store.read_only",
            format!("`{}` cannot be written; check its permissions or name another store", path.display()),
        ));
    }
    debug_assert!(empty || version > 0, "identify refuses everything else");
    // Changing to WAL needs the file alone and may answer "busy" at once, whatever the timeout:
    // several processes may open a new file at the same time.
    patiently(patience, || {
        let mode: String = conn
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .when("change the store to WAL")?;
        match mode.as_str() {
            "wal" => Ok(()),
            other => Err(Error::new(
                "store.unreachable",
                format!(
                    "the store's file system offers no WAL (journal mode is `{other}`); name a store on a local disk"
                ),
            )),
        }
    })?;
    // NORMAL keeps a file whole through the loss of power, but not the commits since the last checkpoint.
    let synchronous = if durability == Durability::Process { "1" } else { "2" };
    set(conn, "synchronous", synchronous)?;
    set(conn, "foreign_keys", "1")?;
    conn.set_prepared_statement_cache_capacity(64);
    settle(conn, patience)?;
    // SQLite would do it unseen, whether it fails or not.
    set(conn, "wal_autocheckpoint", "0")?;
    patiently(patience, || migrate(conn))?;
    identify(conn, path)?;
    move_on_close(conn, true)
}

/// Sets a pragma and refuses to go on where it is not in force.
fn set(conn: &Connection, name: &str, value: &str) -> Result<()> {
    let what = "set up the store";
    conn.execute_batch(&format!("PRAGMA {name} = {value}")).when(what)?;
    let found: i64 = conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).when(what)?;
    in_force(name, &found.to_string(), value)
}

fn in_force(name: &str, found: &str, wanted: &str) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    Err(Error::new(
        "store.unreachable",
        format!(
            "SQLite does not keep `{name} = {wanted}` (it is {found}); the store would be less durable than promised"
        ),
    ))
}

/// The file's version, and whether it is new; an error where it is not ours or too new.
fn identify(conn: &Connection, path: &Path) -> Result<(i32, bool)> {
    let what = "open the store";
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i32>(0)).when(what);
    // One transaction, as another process may be making the tables.
    conn.execute_batch("BEGIN").when(what)?;
    let seen = number("SELECT count(*) FROM sqlite_schema")
        .and_then(|tables| Ok((tables, number("PRAGMA application_id")?, number("PRAGMA user_version")?)));
    let _ = conn.execute_batch("ROLLBACK");
    match seen? {
        (0, 0, 0) => Ok((0, true)),
        (_, APPLICATION_ID, version) if version > VERSION => Err(Error::new(
            "store.newer",
            format!(
                "`{}` has version {version}, this release reads up to {VERSION}; use a newer release",
                path.display()
            ),
        )
        .with("version", version)
        .with("supported", VERSION)),
        (_, APPLICATION_ID, version) if version > 0 => Ok((version, false)),
        _ => Err(Error::new(
            "store.not_a_store",
            format!("`{}` is a database of another program; name another store", path.display()),
        )),
    }
}

/// Brings the tables to this version, in one transaction.
fn migrate(conn: &Connection) -> Result<()> {
    let what = "make the store's tables";
    let version = |conn: &Connection| conn.query_row("PRAGMA user_version", [], |row| row.get::<_, i32>(0));
    if version(conn).when(what)? >= VERSION {
        return Ok(());
    }
    conn.execute_batch("BEGIN IMMEDIATE").when(what)?;
    let done = (|| {
        // Looked at again under the lock: another process may have been first.
        let found = version(conn)?;
        for script in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
            conn.execute_batch(script)?;
        }
        if found < VERSION {
            conn.execute_batch(&format!(
                "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
            ))?;
        }
        conn.execute_batch("COMMIT")
    })();
    if done.is_err() && !conn.is_autocommit() {
        let _ = conn.execute_batch("ROLLBACK");
    }
    done.when(what)
}

/// Tries again while the store is busy and patience lasts.
pub(super) fn patiently<T>(patience: Duration, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let until = instant() + patience;
    loop {
        match attempt() {
            Err(error) if error.code() == "store.busy" && instant() < until => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;
    use crate::observe::bus::Bus;
    use crate::store::{Settings, StepMark, Store};

    #[test]
    fn a_file_of_version_one_is_brought_to_this_one_with_all_that_it_holds() {
        let path = std::env::temp_dir().join(format!("barograph-version-1-{}.db", std::process::id()));
        let old = Connection::open(&path).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;
             INSERT INTO event (seq, kind, subject, at) VALUES (1, 4, 1, 500);
             INSERT INTO event (seq, kind, subject, at, place, nth, name, flags, attempt, took, body)
               VALUES (2, 1, 1, 700, 0, 0, 'build', 0, 1, 9, '\"done\"');
             INSERT INTO session VALUES (1, 'release', 0, 3, 77, NULL, '{{\"team\":\"a\"}}');
             INSERT INTO label VALUES ('team', 'a', 1);
             INSERT INTO queue VALUES (5, 'q', 4, 0);
             INSERT INTO task VALUES (3, 5, 0, 0, NULL, NULL, 0, 3, 't', NULL);
             INSERT INTO event (seq, kind, subject, at, place, nth) VALUES (3, 10, 3, 800, 5, 1);"
        ))
        .unwrap();
        drop(old);
        let store = Store::open(&path, &Settings::new(Clock::fixed(0), Bus::default())).unwrap();
        let row = store.read_blocking(|view| view.session(0, "release")).unwrap();
        assert_eq!(
            (row.created, row.updated, row.steps_done, row.labels["team"].as_str()),
            (500, 700, 1, "a")
        );
        let steps = store.read_blocking(move |view| view.steps(row.id)).unwrap();
        assert_eq!((steps[0].state, steps[0].step.name.as_str()), (StepMark::Finished, "build"));
        let counts = store.read_blocking(|view| view.count_tasks(0, "q")).unwrap();
        assert_eq!((counts.waiting, counts.done), (1, 4));
        let span = crate::store::Span { namespace: 0, session: None, after: 0, max: 9 };
        let events = store.read_blocking(move |view| view.events(span)).unwrap();
        let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["session.created", "step.finished", "task.enqueued"]);
        drop(store);
        std::fs::remove_file(&path).unwrap();
    }
}
