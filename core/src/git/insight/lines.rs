//! How many lines the files of a tip have: each content is counted once, and kept.
//!
//! The log alone cannot tell: what a merge joins is in no commit's counts.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;

use super::Contents;
use super::complexity::read_all;
use super::kept::Kept;
use super::tip::TipFile;
use crate::base::cancel::CancelToken;
use crate::error::Result;

const SEGMENT: &str = "git/lines/v1";

/// Lines by content, in memory and in the store.
#[derive(Debug, Default)]
pub(super) struct LineCounts(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: HashMap<ObjectId, u32>,
    /// The store's; `None` until it was read.
    kept: Option<Kept>,
}

impl LineCounts {
    /// The lines of each of `files`, 0 where it is binary; `None` where it is not in this clone.
    ///
    /// Errors: `call.cancelled`; what was counted by then is kept.
    pub(super) fn of(
        &self,
        files: &[&TipFile],
        contents: Contents<'_>,
        cancel: &CancelToken,
    ) -> Result<Vec<Option<u32>>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State { known, kept } = &mut *state;
        let kept = kept.get_or_insert_with(|| {
            Kept::read(contents.segments, SEGMENT, |mut rows| {
                while let Some((id, lines, rest)) = row(rows) {
                    known.insert(id, lines);
                    rows = rest;
                }
            })
        });
        let open: Vec<&TipFile> =
            files.iter().copied().filter(|file| !known.contains_key(&file.id)).collect();
        let (found, ended) = read_all(&open, contents, cancel, |reader, _, file| {
            Ok(reader.blob(&file.id).map(|blob| (file.id, blob.lines)))
        });
        if !found.is_empty() {
            known.extend(found.iter().copied());
            kept.add(contents.segments, &rows(found.into_iter()), || {
                rows(files.iter().filter_map(|file| Some((file.id, *known.get(&file.id)?))))
            });
        }
        ended?;
        Ok(files.iter().map(|file| known.get(&file.id).copied()).collect())
    }
}

/// A row for each content: the length of its id, the id, the lines (u32).
fn rows(found: impl Iterator<Item = (ObjectId, u32)>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (id, lines) in found {
        bytes.push(id.as_bytes().len() as u8);
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&lines.to_le_bytes());
    }
    bytes
}

/// The first row and what comes behind it.
fn row(bytes: &[u8]) -> Option<(ObjectId, u32, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    let (lines, rest) = rest.split_first_chunk::<4>()?;
    Some((ObjectId::try_from(id).ok()?, u32::from_le_bytes(*lines), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_back() {
        let id = |byte: u8| ObjectId::from_bytes_or_panic(&[byte; 20]);
        let bytes = rows([(id(1), 7), (id(2), 0)].into_iter());
        let (first, lines, rest) = row(&bytes).unwrap();
        assert_eq!((first, lines), (id(1), 7));
        assert_eq!(row(rest).map(|(id, lines, rest)| (id, lines, rest.len())), Some((id(2), 0, 0)));
    }
}
