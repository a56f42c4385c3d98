//! One way to ask SQL, whatever database answers: statements, their values and their rows.
//!
//! Statements are written once, with numbered places (`?1`) and what SQLite and PostgreSQL share.

use std::cell::Cell;

use rusqlite::types::{FromSql, ToSql, Value, ValueRef};
use rusqlite::{CachedStatement, Connection};

use super::fault::Trouble;
use super::lease::Moment;
#[cfg(feature = "postgres")]
use super::postgres::{self, Link};

pub(super) type Outcome<T> = std::result::Result<T, Trouble>;

/// An open connection to the database.
#[allow(
    clippy::large_enum_variant,
    reason = "a store has a handful of connections, and they stay where they are"
)]
pub(super) enum Conn {
    /// A file, or memory; with what was last seen of other connections' commits.
    Sqlite(Connection, Cell<i64>),
    /// A schema on a server.
    #[cfg(feature = "postgres")]
    Postgres(Link),
}

impl From<Connection> for Conn {
    fn from(conn: Connection) -> Conn {
        Conn::Sqlite(conn, Cell::new(0))
    }
}

impl Conn {
    /// A statement, kept ready for the next time.
    pub fn prepare(&self, sql: &str) -> Outcome<Statement<'_>> {
        match self {
            Conn::Sqlite(conn, _) => Ok(Statement::Sqlite(conn.prepare_cached(sql)?)),
            // Prepared with its first run, so that it costs no trip of its own.
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => Ok(Statement::Postgres(link, sql.to_owned())),
        }
    }

    /// Runs statements that give no rows and take no values.
    pub fn batch(&self, sql: &str) -> Outcome<()> {
        match self {
            Conn::Sqlite(conn, _) => Ok(conn.execute_batch(sql)?),
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => link.batch(sql),
        }
    }

    /// Runs one statement that gives no rows and takes no values, kept ready for the next time.
    pub fn statement(&self, sql: &str) -> Outcome<()> {
        self.prepare(sql)?.execute([0i64; 0]).map(drop)
    }

    /// Runs a statement once for each of `rows`; a server gets many of them in one trip.
    pub fn execute_many(&self, sql: &str, rows: Vec<Vec<Value>>) -> Outcome<()> {
        match self {
            Conn::Sqlite(conn, _) => {
                let mut statement = conn.prepare_cached(sql)?;
                for row in rows {
                    statement.execute(rusqlite::params_from_iter(row))?;
                }
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => link.execute_many(sql, &rows),
        }
    }

    /// Begins a transaction that nobody else writes beside.
    pub fn begin_write(&self) -> Outcome<()> {
        match self {
            Conn::Sqlite(..) => self.statement("BEGIN IMMEDIATE"),
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => link.begin_write(),
        }
    }

    /// Begins a transaction in which everything that is read belongs together.
    pub fn begin_read(&self) -> Outcome<()> {
        match self {
            Conn::Sqlite(..) => self.statement("BEGIN"),
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => link.begin_read(),
        }
    }

    /// Commits; processes that listen are told whether there are new `events` and new `work`.
    pub fn commit(&self, events: bool, work: bool) -> Outcome<()> {
        match self {
            Conn::Sqlite(..) => {
                let _ = (events, work);
                self.statement("COMMIT")
            }
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => link.commit(match (events, work) {
                (true, true) => "events work",
                (true, false) => "events",
                (false, true) => "work",
                (false, false) => "",
            }),
        }
    }

    /// Gives the open transaction up.
    pub fn rollback(&self) -> Outcome<()> {
        match self {
            Conn::Sqlite(..) => self.statement("ROLLBACK"),
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => link.rollback(),
        }
    }

    /// Begins a part of the open transaction that can be undone alone.
    pub fn begin_part(&self) -> Outcome<()> {
        match self {
            Conn::Sqlite(..) => self.statement("SAVEPOINT job"),
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => {
                link.savepoint();
                Ok(())
            }
        }
    }

    /// Ends the part; what it did is kept or undone.
    pub fn end_part(&self, keep: bool) -> Outcome<()> {
        match self {
            Conn::Sqlite(..) => {
                if !keep {
                    self.statement("ROLLBACK TO job")?;
                }
                self.statement("RELEASE job")
            }
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => {
                link.end_savepoint(keep);
                Ok(())
            }
        }
    }

    /// This moment, by the clock that decides leases: on a server its own, which all hosts share.
    pub fn moment(&self) -> Moment {
        match self {
            Conn::Sqlite(..) => Moment::now(),
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => link.now().map_or_else(Moment::now, Moment::of_server),
        }
    }

    /// Says the last word of a writer.
    pub fn retire(&self) {
        #[cfg(feature = "postgres")]
        if let Conn::Postgres(link) = self {
            link.retire();
        }
    }

    /// What a check of the whole database finds wrong.
    pub fn damage(&self) -> Outcome<Vec<String>> {
        match self {
            Conn::Sqlite(..) => {
                let mut said = self
                    .prepare("PRAGMA quick_check(20)")?
                    .query_map([0i64; 0], |row| row.get::<String>(0))?;
                said.retain(|line| line != "ok");
                Ok(said)
            }
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => link.damage(),
        }
    }

    /// How many bytes the tables take on a server; a file is measured from outside.
    pub fn size(&self) -> Outcome<u64> {
        match self {
            Conn::Sqlite(..) => Ok(0),
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => link.size(),
        }
    }

    /// Whether any thread may use it, one at a time.
    pub fn is_local(&self) -> bool {
        matches!(self, Conn::Sqlite(..))
    }

    /// Whether another connection has committed since this was asked last.
    pub fn changed_by_others(&self) -> Outcome<bool> {
        match self {
            Conn::Sqlite(_, seen) => {
                let now: i64 = self.prepare("PRAGMA data_version")?.query_row([0i64; 0], |row| row.get(0))?;
                Ok(seen.replace(now) != now)
            }
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => link.heard(),
        }
    }

    /// Whether a transaction is open.
    pub fn in_transaction(&self) -> bool {
        match self {
            Conn::Sqlite(conn, _) => !conn.is_autocommit(),
            #[cfg(feature = "postgres")]
            Conn::Postgres(link) => link.in_transaction(),
        }
    }
}

/// A prepared statement.
pub(super) enum Statement<'c> {
    Sqlite(CachedStatement<'c>),
    #[cfg(feature = "postgres")]
    Postgres(&'c Link, String),
}

impl Statement<'_> {
    /// Runs it, and counts the rows that it changed.
    pub fn execute(&mut self, values: impl Values) -> Outcome<usize> {
        values.with(|values| match self {
            Statement::Sqlite(statement) => Ok(statement.execute(values)?),
            #[cfg(feature = "postgres")]
            Statement::Postgres(link, sql) => link.execute(sql, values),
        })
    }

    /// Reads its rows one after the other.
    pub fn query(&mut self, values: impl Values) -> Outcome<Rows<'_>> {
        values.with(|values| match self {
            Statement::Sqlite(statement) => Ok(Rows::Sqlite(statement.query(values)?)),
            #[cfg(feature = "postgres")]
            Statement::Postgres(link, sql) => Ok(Rows::Postgres(link.query(sql, values)?.into_iter())),
        })
    }

    /// Reads its first row, which must be there.
    pub fn query_row<T>(
        &mut self,
        values: impl Values,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Outcome<T> {
        let mut rows = self.query(values)?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok(read(&row)?)
    }

    /// Reads all of its rows.
    pub fn query_map<T>(
        &mut self,
        values: impl Values,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Outcome<Vec<T>> {
        let mut rows = self.query(values)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(&row)?);
        }
        Ok(found)
    }
}

/// Tells a row that is not there from a failure.
pub(super) trait Optional<T> {
    /// `None` where no row came.
    fn optional(self) -> Outcome<Option<T>>;
}

impl<T> Optional<T> for Outcome<T> {
    fn optional(self) -> Outcome<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(Trouble::Sqlite(rusqlite::Error::QueryReturnedNoRows)) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }
}

/// Rows that are still to be read.
pub(super) enum Rows<'s> {
    Sqlite(rusqlite::Rows<'s>),
    #[cfg(feature = "postgres")]
    Postgres(std::vec::IntoIter<tokio_postgres::Row>),
}

impl Rows<'_> {
    /// The next row; `None` behind the last.
    pub fn next(&mut self) -> Outcome<Option<Row<'_>>> {
        match self {
            Rows::Sqlite(rows) => Ok(rows.next()?.map(Row::Sqlite)),
            #[cfg(feature = "postgres")]
            Rows::Postgres(rows) => Ok(rows.next().map(Row::Postgres)),
        }
    }
}

/// One row.
pub(super) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    #[cfg(feature = "postgres")]
    Postgres(tokio_postgres::Row),
}

impl Row<'_> {
    /// The value of the column at this place, from 0.
    pub fn get<T: FromSql>(&self, at: usize) -> rusqlite::Result<T> {
        match self {
            Row::Sqlite(row) => row.get(at),
            #[cfg(feature = "postgres")]
            Row::Postgres(row) => postgres::get(row, at),
        }
    }

    /// The value of the column at this place as it rests.
    pub fn get_ref(&self, at: usize) -> rusqlite::Result<ValueRef<'_>> {
        match self {
            Row::Sqlite(row) => row.get_ref(at),
            #[cfg(feature = "postgres")]
            Row::Postgres(row) => postgres::value(row, at),
        }
    }
}

/// The values of a statement's places, in order.
pub(super) trait Values {
    fn with<R>(self, run: impl FnOnce(&[&dyn ToSql]) -> R) -> R;
}

impl Values for &[&dyn ToSql] {
    fn with<R>(self, run: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        run(self)
    }
}

impl<T: ToSql, const N: usize> Values for [T; N] {
    fn with<R>(self, run: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        run(&self.each_ref().map(|value| value as &dyn ToSql))
    }
}

impl Values for &[Value] {
    fn with<R>(self, run: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        let values: Vec<&dyn ToSql> = self.iter().map(|value| value as &dyn ToSql).collect();
        run(&values)
    }
}
