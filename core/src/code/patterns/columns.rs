//! Findings as columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema};

use super::record::CodePatterns;
use crate::error::{Error, Result};
use crate::evidence::record::Finding;

impl CodePatterns {
    /// The findings as Arrow columns: the fields of [`Finding`] in their order, of which `author`
    /// and `age_days` may be null.
    ///
    /// Errors: `bug.panic` should the columns differ in length.
    pub fn to_columns(&self) -> Result<RecordBatch> {
        let rows = &self.findings;
        let whole = |field: fn(&Finding) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(field)))
        };
        let text = |field: fn(&Finding) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rows.iter().map(field)))
        };
        let columns: Vec<(&str, ArrayRef, bool)> = vec![
            ("rule", text(|row| &row.rule), false),
            ("severity", text(|row| row.severity.name()), false),
            ("path", text(|row| &row.path), false),
            ("line", whole(|row| row.line), false),
            ("column", whole(|row| row.column), false),
            ("end_line", whole(|row| row.end_line), false),
            ("function", text(|row| &row.function), false),
            ("reason", text(|row| &row.reason), false),
            ("action", text(|row| &row.action), false),
            ("excerpt", text(|row| &row.excerpt), false),
            ("author", Arc::new(StringArray::from_iter(rows.iter().map(|row| row.author.as_deref()))), true),
            ("age_days", Arc::new(rows.iter().map(|row| row.age_days).collect::<UInt64Array>()), true),
        ];
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, column, nullable)| Field::new(*name, DataType::clone(column.data_type()), *nullable))
            .collect();
        let arrays = columns.into_iter().map(|(_, column, _)| column).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .map_err(|error| Error::new("bug.panic", format!("the columns do not fit together: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_the_fields_of_a_finding_in_order() {
        let one = Finding { author: Some("a".to_owned()), age_days: Some(3), ..Finding::default() };
        let text = serde_json::to_string(&one).unwrap();
        let names: Vec<String> = CodePatterns { findings: vec![one], ..CodePatterns::default() }
            .to_columns()
            .unwrap()
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        let mut at = 0;
        for name in &names {
            let place = text.find(&format!("\"{name}\":")).unwrap();
            assert!(place >= at, "{name}");
            at = place;
        }
        assert_eq!(text.matches("\":").count(), names.len());
    }
}
