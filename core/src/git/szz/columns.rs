//! Rows as Arrow columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};

use super::record::{SzzRow, SzzTable};
use crate::error::{Error, Result};

impl SzzTable {
    /// The rows as Arrow columns: the fields of [`SzzRow`], in their order, none of them null.
    ///
    /// Errors: `bug.panic` should the columns differ in length.
    pub fn to_columns(&self) -> Result<RecordBatch> {
        let text = |field: fn(&SzzRow) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(self.rows.iter().map(field)))
        };
        let number = |field: fn(&SzzRow) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from(self.rows.iter().map(field).collect::<Vec<u64>>()))
        };
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("fix", text(|row| &row.fix)),
            ("inducing", text(|row| &row.inducing)),
            ("path", text(|row| &row.path)),
            ("line", number(|row| row.line)),
            ("inducing_path", text(|row| &row.inducing_path)),
            ("inducing_line", number(|row| row.inducing_line)),
            ("source", text(|row| row.source.name())),
        ];
        RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, false)),
        )
        .map_err(|error| Error::new("bug.panic", format!("the columns do not fit together: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::SzzSource;
    use super::*;

    #[test]
    fn columns_are_the_fields_of_the_record_in_order() {
        let row = SzzRow { line: 3, source: SzzSource::Trailer, ..SzzRow::default() };
        let text = serde_json::to_string(&row).unwrap();
        assert!(text.ends_with(&format!("\"source\":\"{}\"}}", row.source.name())), "{text}");
        let batch = SzzTable { rows: vec![row], ..SzzTable::default() }.to_columns().unwrap();
        let fields: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let mut rest = text.as_str();
        for field in &fields {
            let at = rest.find(&format!("\"{field}\":")).unwrap();
            rest = &rest[at + field.len()..];
        }
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap().as_object().unwrap().len(),
            fields.len()
        );
    }
}
