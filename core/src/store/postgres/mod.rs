//! The store on PostgreSQL: the same rows, rules and statements as in a file.
//!
//! One connection writes, a few read and one listens. See [`transaction`] for why writers take turns.

mod dialect;
mod fault;
mod link;
mod listen;
mod tables;
mod target;
#[cfg(test)]
mod tests;
mod transaction;
mod value;
mod wire;

use rusqlite::types::ValueRef;
use rusqlite::types::{FromSql, FromSqlError, Type};

pub(super) use fault::fault;
pub(super) use link::Link;
pub(super) use listen::Ear;
pub(super) use tables::{reader, writer};
pub(super) use target::Target;

/// The value of a row at this place, as SQLite would have it.
pub(super) fn value(row: &tokio_postgres::Row, at: usize) -> rusqlite::Result<ValueRef<'_>> {
    let failed = |error| rusqlite::Error::FromSqlConversionFailure(at, Type::Null, error);
    let found: value::Incoming<'_> = row.try_get(at).map_err(|error| failed(error.into()))?;
    found.read().map_err(failed)
}

/// The value of a row at this place, as the host's type.
pub(super) fn get<T: FromSql>(row: &tokio_postgres::Row, at: usize) -> rusqlite::Result<T> {
    let found = value(row, at)?;
    T::column_result(found).map_err(|error| match error {
        FromSqlError::OutOfRange(number) => rusqlite::Error::IntegralValueOutOfRange(at, number),
        other => rusqlite::Error::FromSqlConversionFailure(at, found.data_type(), Box::new(other)),
    })
}
