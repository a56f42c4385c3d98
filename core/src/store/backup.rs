//! A copy of the store as it is at one instant, made while it is written; and the way back.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, backup::Backup};

use super::fault::Attempt;
use super::schema::kind;
use super::{Durability, Store, open};
use crate::base::cancel::CancelToken;
use crate::error::{Error, Result};

/// How many pages are copied at a time: between two batches others write.
const PAGES: i32 = 1024;

impl Store {
    /// Copies the store to a file, whole or not at all; its size in bytes.
    ///
    /// `seen` is told how many pages are done, and of how many.
    pub(crate) fn backup(
        &self,
        to: &Path,
        replace: bool,
        cancel: &CancelToken,
        seen: impl Fn(u64, u64),
    ) -> Result<u64> {
        let Some(path) = self.path() else {
            return Err(Error::new(
                "store.unsupported",
                match self.shown() {
                    None => "a store in memory has no file to copy; open the workspace with a store on disk",
                    Some(_) => "a store on a server is copied by the server's own tools, such as pg_dump",
                },
            ));
        };
        if to.exists() && !replace {
            return Err(Error::new(
                "path.exists",
                format!("`{}` exists already; pass `replace`, or name another file", to.display()),
            )
            .with("path", to.display()));
        }
        let part = part_of(to);
        let copied = copy(path, &part, cancel, seen).and_then(|()| settle(&part, to));
        if copied.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        copied
    }

    /// Takes everything from a backup, in one transaction: what the store held before is gone.
    ///
    /// Sessions of the backup are nobody's afterwards. Numbers count on from the higher one of the
    /// two, so that cursors of events do not go back.
    pub(crate) fn restore(&self, from: &Path) -> Result<u64> {
        if self.path().is_none() && self.shown().is_some() {
            return Err(Error::new(
                "store.unsupported",
                "a store on a server is restored by the server's own tools, such as pg_restore",
            ));
        }
        if !from.is_file() {
            return Err(Error::new("path.missing", format!("there is no file `{}`", from.display()))
                .with("path", from.display()));
        }
        // A copy, as an older backup is brought to this version first, and the file is the user's.
        let part = part_of(self.path().unwrap_or(from));
        let copied = copy(from, &part, &CancelToken::new(), |_, _| ())
            .and_then(|()| open::writer(&part, Durability::Full, self.patience).map(drop))
            .and_then(|()| self.write_beside(&part, |tx| tx.take_backup()));
        for end in ["", "-wal", "-shm"] {
            let mut name = part.as_os_str().to_owned();
            name.push(end);
            let _ = std::fs::remove_file(name);
        }
        copied
    }
}

impl super::Tx<'_> {
    /// Replaces every table's rows by those of the file that is attached as `backup`.
    fn take_backup(&mut self) -> Result<u64> {
        let what = "take a backup's rows";
        let last = self.numbers(0)?;
        let tables = self
            .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?
            .query_map([0i64; 0], |row| row.get::<String>(0))
            .when(what)?;
        for table in &tables {
            if table == "lease" {
                continue;
            }
            self.conn().batch(&format!("DELETE FROM main.{table}")).when(what)?;
            self.conn()
                .batch(&format!("INSERT INTO main.{table} SELECT * FROM backup.{table}"))
                .when(what)?;
        }
        self.conn().batch("UPDATE session SET lease = NULL, epoch = epoch + 1").when(what)?;
        let back = "UPDATE task SET state = 0, lease = NULL WHERE state = 1";
        self.conn().batch(back).when(what)?;
        let count: i64 = self
            .prepare("SELECT count(*) FROM session")?
            .query_row([0i64; 0], |row| row.get(0))
            .when(what)?;
        self.forget_numbers();
        let next = self.numbers(1)?.max(last + 1);
        self.prepare("INSERT INTO event (seq, kind, subject, at, nth) VALUES (?1, ?2, 0, ?3, ?4)")?
            .execute([next, kind::STORE_RESTORED, self.at, count])
            .when(what)?;
        self.forget_numbers();
        self.wake_listeners();
        self.wake_workers();
        Ok(count as u64)
    }
}

fn part_of(to: &Path) -> std::path::PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(format!(".part-{}", crate::base::id::random()));
    name.into()
}

fn copy(from: &Path, to: &Path, cancel: &CancelToken, seen: impl Fn(u64, u64)) -> Result<()> {
    let what = "copy the store";
    let source = open::reader(from, Duration::from_secs(5))?;
    #[allow(
        irrefutable_let_patterns,
        reason = "there is one kind of connection without the feature `postgres`"
    )]
    let super::sql::Conn::Sqlite(source, _) = &source else {
        return Err(Error::new("bug.store", "a file was opened as a server"));
    };
    let mut target = Connection::open(to).when(what)?;
    {
        let backup = Backup::new(source, &mut target).when(what)?;
        loop {
            cancel.check()?;
            let step = backup.step(PAGES).when(what)?;
            let progress = backup.progress();
            let total = u64::try_from(progress.pagecount).unwrap_or(0);
            seen(total - u64::try_from(progress.remaining).unwrap_or(0).min(total), total);
            match step {
                rusqlite::backup::StepResult::Done => break,
                rusqlite::backup::StepResult::Busy | rusqlite::backup::StepResult::Locked => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                _ => {}
            }
        }
    }
    // A file by itself: opening it later makes no log beside it until somebody writes.
    target.close().map_err(|(_, error)| error).when(what)
}

/// Puts the copy in its place once it is on disk.
fn settle(part: &Path, to: &Path) -> Result<u64> {
    let failed = |error: std::io::Error| {
        Error::new("store.unreachable", format!("`{}` could not be written", to.display()))
            .because(&error)
            .with("path", to.display())
    };
    let file = std::fs::File::open(part).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    std::fs::rename(part, to).map_err(failed)?;
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty())
        && let Ok(folder) = std::fs::File::open(folder)
    {
        let _ = folder.sync_all();
    }
    Ok(bytes)
}
