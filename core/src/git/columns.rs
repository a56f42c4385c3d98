//! Rows as Arrow columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};

use super::record::{FeatureRow, FeatureTable};
use crate::error::{Error, Result};

impl FeatureTable {
    /// The rows as Arrow columns: the fields of [`FeatureRow`], in their order, none of them null.
    ///
    /// Errors: `bug.panic` should the columns differ in length.
    pub fn to_columns(&self) -> Result<RecordBatch> {
        let rows = &self.rows;
        let whole = |field: fn(&FeatureRow) -> u64| -> ArrayRef {
            Arc::new(rows.iter().map(field).collect::<Vec<u64>>().into_iter().collect::<UInt64Array>())
        };
        let real = |field: fn(&FeatureRow) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from(rows.iter().map(field).collect::<Vec<f64>>()))
        };
        let text = |field: fn(&FeatureRow) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rows.iter().map(field)))
        };
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("order", whole(|row| row.order)),
            ("sha", text(|row| &row.sha)),
            ("author", text(|row| &row.author)),
            ("time", Arc::new(Int64Array::from(rows.iter().map(|row| row.time).collect::<Vec<i64>>()))),
            ("ns", whole(|row| row.ns)),
            ("nd", whole(|row| row.nd)),
            ("nf", whole(|row| row.nf)),
            ("entropy", real(|row| row.entropy)),
            ("la", whole(|row| row.la)),
            ("ld", whole(|row| row.ld)),
            ("lt_sum", whole(|row| row.lt_sum)),
            ("lt", real(|row| row.lt)),
            ("fix", whole(|row| row.fix)),
            ("ndev", whole(|row| row.ndev)),
            ("age", real(|row| row.age)),
            ("nuc", whole(|row| row.nuc)),
            ("nuc_last", whole(|row| row.nuc_last)),
            ("exp", whole(|row| row.exp)),
            ("rexp", real(|row| row.rexp)),
            ("sexp", whole(|row| row.sexp)),
            ("renames", whole(|row| row.renames)),
            ("ndev_mean", real(|row| row.ndev_mean)),
            ("nuc_mean", real(|row| row.nuc_mean)),
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
    fn columns_are_the_fields_of_the_record_in_order() {
        let table = FeatureTable {
            rows: vec![FeatureRow { nf: 3, ..FeatureRow::default() }],
            ..FeatureTable::default()
        };
        let batch = table.to_columns().unwrap();
        let text = serde_json::to_string(&FeatureRow::default()).unwrap();
        let fields: Vec<&str> = text.split('"').skip(1).step_by(2).filter(|word| !word.is_empty()).collect();
        let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, fields);
        assert_eq!(batch.num_rows(), 1);
    }
}
