//! Large values, each kept once under the hash of its content.

use rusqlite::params;
use rusqlite::types::{Value, ValueRef};

use super::body::{Body, Packed, failure, payload, unpack};
use super::fault::Attempt;
use super::sql::{Optional, Row};
use super::{Tx, View};
use crate::base::value::{Failure, Payload};
use crate::error::{Error, Result};

/// A value as two columns hold it: itself, or the number of a large one.
#[derive(Clone, Debug)]
pub(super) struct Resting {
    pub body: Value,
    pub blob: Option<i64>,
}

impl Tx<'_> {
    /// Puts a value to rest; a large one that is there already is not written again.
    pub(super) fn rest(&mut self, body: &Body) -> Result<Resting> {
        match body {
            Body::Inline(value) => Ok(Resting { body: value.clone(), blob: None }),
            Body::Apart(packed) => Ok(Resting { body: Value::Null, blob: Some(self.blob(packed)?) }),
        }
    }

    fn blob(&mut self, packed: &Packed) -> Result<i64> {
        let what = "write a large value";
        let known: Option<i64> = self
            .prepare("SELECT id FROM blob WHERE hash = ?1")?
            .query_row([packed.hash.as_slice()], |row| row.get(0))
            .optional()
            .when(what)?;
        if let Some(id) = known {
            return Ok(id);
        }
        self.prepare(
            "INSERT INTO blob (id, hash, size, body)
             SELECT coalesce(max(id), 0) + 1, ?1, ?2, ?3 FROM blob RETURNING id",
        )?
        .query_row(params![packed.hash.as_slice(), packed.size, packed.bytes], |row| row.get(0))
        .when(what)
    }

    /// Removes large values that nothing names any more, and counts them.
    pub(super) fn sweep_blobs(&mut self) -> Result<usize> {
        self.prepare("DELETE FROM blob WHERE NOT EXISTS (SELECT 1 FROM event WHERE event.blob = blob.id)")?
            .execute(params![])
            .when("remove large values")
    }
}

impl View<'_> {
    /// The value in these two columns of a row.
    pub(super) fn whole(&self, row: &Row<'_>, body: usize, blob: usize) -> Result<Value> {
        let what = "read a stored value";
        match row.get::<Option<i64>>(blob).when(what)? {
            None => row.get(body).when(what),
            Some(id) => {
                let found: Option<(Vec<u8>, i64, Vec<u8>)> = self
                    .0
                    .prepare("SELECT hash, size, body FROM blob WHERE id = ?1")
                    .and_then(|mut found| {
                        found.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
                    })
                    .when(what)?;
                let (hash, size, packed) = found.ok_or_else(|| {
                    Error::new("store.damaged", "a large value is gone; restore the store from a backup")
                })?;
                unpack(&hash, size, &packed)
            }
        }
    }

    /// The payload in these two columns of a row.
    pub(super) fn payload(&self, row: &Row<'_>, body: usize, blob: usize) -> Result<Payload> {
        payload(ValueRef::from(&self.whole(row, body, blob)?))
    }

    /// The failure in these two columns of a row.
    pub(super) fn failure_in(&self, row: &Row<'_>, body: usize, blob: usize) -> Result<Failure> {
        failure(ValueRef::from(&self.whole(row, body, blob)?))
    }
}
