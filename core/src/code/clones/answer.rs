//! Duplicates as an analysis of files, as an answer and as columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};

use super::record::{CloneGroup, ClonePlace, CodeClones};
use super::{Settings, Tokens, find, tokens};
use crate::base::cancel::CancelToken;
use crate::code::parse::Parsed;
use crate::code::scan::{Analysed, Analysis};
use crate::error::{Error, Result};

/// Reads the tokens of files.
pub struct Tokenise;

impl Analysis for Tokenise {
    type Out = Tokens;

    fn kind(&self) -> String {
        "clones/1".to_owned()
    }

    fn analyse(&self, parsed: &Parsed<'_>, cancel: &CancelToken) -> Result<Tokens> {
        tokens(parsed, cancel)
    }
}

/// The answer of `code.clones`.
///
/// Errors: those of [`find`].
pub fn answer(read: Analysed<Tokens>, settings: Settings, cancel: &CancelToken) -> Result<CodeClones> {
    let files: Vec<&Tokens> = read.files.iter().map(|one| &*one.result).collect();
    let clones = find(&files, settings, cancel)?;
    let place = |tokens: usize, (file, start): (usize, usize)| {
        let one = read.files.get(file)?;
        let line = one.result.line(start);
        Some(ClonePlace {
            path: one.file.path.clone(),
            line: line.into(),
            end_line: one.result.end_line(start + tokens - 1).into(),
            function: one.result.function(line).to_owned(),
        })
    };
    let groups = clones.groups.iter().map(|group| {
        let places: Vec<ClonePlace> = group.places.iter().filter_map(|at| place(group.tokens, *at)).collect();
        let lines = places.first().map_or(0, |first| first.end_line - first.line + 1);
        CloneGroup { tokens: group.tokens as u64, lines, places }
    });
    Ok(CodeClones {
        groups: groups.collect(),
        files: files.len() as u64,
        tokens: files.iter().map(|file| file.count() as u64).sum(),
        duplicated_tokens: clones.duplicated,
        skipped: read.skipped,
        unknown: read.unknown,
    })
}

impl CodeClones {
    /// The places as Arrow columns: `group` (from 1, longest first), `tokens`, `lines`, then the fields
    /// of [`ClonePlace`] in their order; none of them is null.
    ///
    /// Errors: `bug.panic` should the columns differ in length.
    pub fn to_columns(&self) -> Result<RecordBatch> {
        let rows = || {
            let groups = self.groups.iter().zip(1u64..);
            groups.flat_map(|(group, number)| group.places.iter().map(move |place| (number, group, place)))
        };
        let text = |field: fn(&ClonePlace) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rows().map(|(.., place)| field(place))))
        };
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("group", Arc::new(UInt64Array::from_iter_values(rows().map(|(number, ..)| number)))),
            ("tokens", Arc::new(UInt64Array::from_iter_values(rows().map(|(_, group, _)| group.tokens)))),
            ("lines", Arc::new(UInt64Array::from_iter_values(rows().map(|(_, group, _)| group.lines)))),
            ("path", text(|place| &place.path)),
            ("line", Arc::new(UInt64Array::from_iter_values(rows().map(|(.., place)| place.line)))),
            ("end_line", Arc::new(UInt64Array::from_iter_values(rows().map(|(.., place)| place.end_line)))),
            ("function", text(|place| &place.function)),
        ];
        RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, false)),
        )
        .map_err(|error| Error::new("bug.panic", format!("the columns do not fit together: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_row_for_each_place() {
        let group = CloneGroup { tokens: 100, lines: 9, places: vec![ClonePlace::default(); 3] };
        let clones = CodeClones { groups: vec![group.clone(), group], ..CodeClones::default() };
        let batch = clones.to_columns().unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (6, 7));
    }
}
