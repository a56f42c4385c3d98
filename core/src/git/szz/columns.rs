//! Rows as Arrow columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};

use super::record::{SzzRow, SzzTable};
use crate::error::{Error, Result};

impl SzzTable {
    /// Fix, inducing commit, path and line of every row as Arrow columns, none of them null.
    ///
    /// Errors: `bug.panic` should the columns differ in length.
    pub fn to_columns(&self) -> Result<RecordBatch> {
        let text = |field: fn(&SzzRow) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(self.rows.iter().map(field)))
        };
        let lines: Vec<u64> = self.rows.iter().map(|row| row.line).collect();
        let columns: [(&str, ArrayRef); 4] = [
            ("fix", text(|row| &row.fix)),
            ("inducing", text(|row| &row.inducing)),
            ("path", text(|row| &row.path)),
            ("line", Arc::new(UInt64Array::from(lines))),
        ];
        RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, false)),
        )
        .map_err(|error| Error::new("bug.panic", format!("the columns do not fit together: {error}")))
    }
}
