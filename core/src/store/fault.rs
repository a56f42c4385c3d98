//! What a database reports, as errors of this library.

use rusqlite::ErrorCode;

use crate::error::Error;

/// Why a statement failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// SQLite's own word, or that a value could not be read or written.
    Sqlite(rusqlite::Error),
    /// What a server or its connection reports.
    #[cfg(feature = "postgres")]
    Postgres(tokio_postgres::Error),
    /// A server that could not be connected to.
    #[cfg(feature = "postgres")]
    Connect(tokio_postgres::Error),
    /// The connection was lost in mid-transaction, some time before.
    #[cfg(feature = "postgres")]
    Gone,
    /// The connection was lost while it committed, and what came of it could not be found out.
    #[cfg(feature = "postgres")]
    Doubt(tokio_postgres::Error),
    /// A server's text has no place for U+0000.
    #[cfg(feature = "postgres")]
    Nul,
    /// Something failed before the server was asked.
    #[cfg(feature = "postgres")]
    Local(String),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Trouble {
        Trouble::Sqlite(error)
    }
}

#[cfg(feature = "postgres")]
impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Trouble {
        Trouble::Postgres(error)
    }
}

/// The error for a failed statement; `what` names what was tried, for example `finish a step`.
pub(super) fn fault(what: &str, error: &rusqlite::Error) -> Error {
    let code = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "store.busy",
        Some(ErrorCode::DiskFull) => "store.full",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => "store.read_only",
        Some(ErrorCode::NotADatabase) => "store.not_a_store",
        Some(ErrorCode::DatabaseCorrupt) => "store.damaged",
        Some(ErrorCode::TooBig) => "args.invalid",
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::SystemIoFailure
            | ErrorCode::OutOfMemory
            | ErrorCode::FileLockingProtocolFailed,
        ) => "store.unreachable",
        _ => "bug.store",
    };
    let advice = match code {
        "store.busy" => "another process held the store for too long; try again",
        "store.full" => "the disk is full; make room and try again",
        "store.read_only" => "the store cannot be written; check its permissions or name another store",
        "store.not_a_store" => "the file is not a store of this library; name another store",
        "store.damaged" => "the store's file is damaged; restore it from a backup",
        "args.invalid" => "a value is too large for the store (at most 64 MiB)",
        "store.unreachable" => "the store could not be opened, read or written; check the disk",
        _ => "a defect of the library; please report it with its causes",
    };
    Error::new(code, format!("could not {what}: {advice}")).because(error)
}

/// Makes `?` work on results of a database.
pub(super) trait Attempt<T> {
    /// Turns the error into ours, with what was tried.
    fn when(self, what: &str) -> crate::error::Result<T>;
}

impl<T> Attempt<T> for rusqlite::Result<T> {
    fn when(self, what: &str) -> crate::error::Result<T> {
        self.map_err(|error| fault(what, &error))
    }
}

impl<T> Attempt<T> for Result<T, Trouble> {
    fn when(self, what: &str) -> crate::error::Result<T> {
        self.map_err(|trouble| match trouble {
            Trouble::Sqlite(error) => fault(what, &error),
            #[cfg(feature = "postgres")]
            other => super::postgres::fault(what, &other),
        })
    }
}
