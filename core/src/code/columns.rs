//! Metrics as Arrow columns: a row for each function, class or file.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt64Array};

use super::record::{ClassMetrics, CodeMetrics, FileMetrics, FunctionMetrics, Halstead, Lines, MetricRows};
use crate::error::{Error, Result};

type Columns = Vec<(&'static str, ArrayRef)>;

impl CodeMetrics {
    /// The functions, classes or files (as `rows` says) as Arrow columns, none of them null.
    ///
    /// Errors: `bug.panic` should the columns differ in length.
    pub fn to_columns(&self) -> Result<RecordBatch> {
        let columns = match self.rows {
            MetricRows::Functions => self.functions(),
            MetricRows::Classes => self.classes(),
            MetricRows::Files => self.files(),
        };
        RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, false)),
        )
        .map_err(|error| Error::new("bug.panic", format!("the columns do not fit together: {error}")))
    }

    fn functions(&self) -> Columns {
        let count = self.files.iter().map(|file| file.functions.len()).sum();
        let mut rows: Vec<(&FileMetrics, &FunctionMetrics)> = Vec::with_capacity(count);
        for file in &self.files {
            rows.extend(file.functions.iter().map(|function| (&**file, function)));
        }
        let mut columns: Columns = vec![
            ("path", text(rows.iter().map(|(file, _)| &file.path))),
            ("language", text(rows.iter().map(|(file, _)| &file.language))),
            ("name", text(rows.iter().map(|(_, one)| &one.name))),
            ("qualified", text(rows.iter().map(|(_, one)| &one.qualified))),
            ("line", whole(rows.iter().map(|(_, one)| one.line))),
            ("end_line", whole(rows.iter().map(|(_, one)| one.end_line))),
            ("cyclomatic", whole(rows.iter().map(|(_, one)| one.cyclomatic))),
            ("cyclomatic_with_nested", whole(rows.iter().map(|(_, one)| one.cyclomatic_with_nested))),
            ("cognitive", whole(rows.iter().map(|(_, one)| one.cognitive))),
            ("cognitive_own", whole(rows.iter().map(|(_, one)| one.cognitive_own))),
            ("nesting", whole(rows.iter().map(|(_, one)| one.nesting))),
            ("parameters", whole(rows.iter().map(|(_, one)| one.parameters))),
            ("exits", whole(rows.iter().map(|(_, one)| one.exits))),
            ("tokens", whole(rows.iter().map(|(_, one)| one.tokens))),
        ];
        columns.extend(lines(rows.iter().map(|(_, one)| &one.lines)));
        columns.extend(halstead(rows.iter().map(|(_, one)| &one.halstead)));
        columns.push(("maintainability", real(rows.iter().map(|(_, one)| one.maintainability))));
        columns.push(("identity", text(rows.iter().map(|(_, one)| &one.identity))));
        columns
    }

    fn classes(&self) -> Columns {
        let rows: Vec<(&FileMetrics, &ClassMetrics)> = self
            .files
            .iter()
            .flat_map(|file| file.classes.iter().map(move |class| (&**file, class)))
            .collect();
        let mut columns: Columns = vec![
            ("path", text(rows.iter().map(|(file, _)| &file.path))),
            ("language", text(rows.iter().map(|(file, _)| &file.language))),
            ("name", text(rows.iter().map(|(_, one)| &one.name))),
            ("line", whole(rows.iter().map(|(_, one)| one.line))),
            ("end_line", whole(rows.iter().map(|(_, one)| one.end_line))),
            ("methods", whole(rows.iter().map(|(_, one)| one.methods))),
            ("fields", whole(rows.iter().map(|(_, one)| one.fields))),
            ("weighted_methods", whole(rows.iter().map(|(_, one)| one.weighted_methods))),
            ("cognitive", whole(rows.iter().map(|(_, one)| one.cognitive))),
        ];
        columns.extend(lines(rows.iter().map(|(_, one)| &one.lines)));
        columns
    }

    fn files(&self) -> Columns {
        let rows = || self.files.iter();
        let mut columns: Columns = vec![
            ("path", text(rows().map(|file| &file.path))),
            ("language", text(rows().map(|file| &file.language))),
            ("bytes", whole(rows().map(|file| file.bytes))),
            ("generated", Arc::new(BooleanArray::from_iter(rows().map(|file| Some(file.generated))))),
            ("functions", whole(rows().map(|file| file.functions.len() as u64))),
            ("classes", whole(rows().map(|file| file.classes.len() as u64))),
            ("cyclomatic", whole(rows().map(|file| file.cyclomatic))),
            ("cognitive", whole(rows().map(|file| file.cognitive))),
            ("tokens", whole(rows().map(|file| file.tokens))),
        ];
        columns.extend(lines(rows().map(|file| &file.lines)));
        columns.extend(halstead(rows().map(|file| &file.halstead)));
        columns.push(("maintainability", real(rows().map(|file| file.maintainability))));
        columns.push(("parse_errors", whole(rows().map(|file| file.parse_errors))));
        columns.push(("damaged_bytes", whole(rows().map(|file| file.damaged_bytes))));
        columns
    }
}

fn text<'a>(values: impl Iterator<Item = &'a String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn whole(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(values))
}

fn real(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

fn lines<'a>(rows: impl Iterator<Item = &'a Lines> + Clone) -> Columns {
    vec![
        ("lines", whole(rows.clone().map(|lines| lines.total))),
        ("lines_code", whole(rows.clone().map(|lines| lines.code))),
        ("lines_logical", whole(rows.clone().map(|lines| lines.logical))),
        ("lines_comment", whole(rows.clone().map(|lines| lines.comment))),
        ("lines_blank", whole(rows.map(|lines| lines.blank))),
    ]
}

fn halstead<'a>(rows: impl Iterator<Item = &'a Halstead> + Clone) -> Columns {
    vec![
        ("halstead_distinct_operators", whole(rows.clone().map(|one| one.distinct_operators))),
        ("halstead_distinct_operands", whole(rows.clone().map(|one| one.distinct_operands))),
        ("halstead_operators", whole(rows.clone().map(|one| one.operators))),
        ("halstead_operands", whole(rows.clone().map(|one| one.operands))),
        ("halstead_volume", real(rows.clone().map(|one| one.volume))),
        ("halstead_difficulty", real(rows.clone().map(|one| one.difficulty))),
        ("halstead_effort", real(rows.map(|one| one.effort))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::shared::Shared;

    #[test]
    fn every_kind_of_row_has_its_columns() {
        let file = FileMetrics {
            path: "a.py".into(),
            functions: vec![FunctionMetrics { name: "f".into(), cognitive: 3, ..Default::default() }; 3],
            classes: vec![ClassMetrics { name: "C".into(), ..Default::default() }; 2],
            ..FileMetrics::default()
        };
        let mut metrics = CodeMetrics { files: vec![Shared::new(file)], ..CodeMetrics::default() };
        for (rows, count, column) in [
            (MetricRows::Functions, 3, "cognitive_own"),
            (MetricRows::Classes, 2, "weighted_methods"),
            (MetricRows::Files, 1, "parse_errors"),
        ] {
            metrics.rows = rows;
            let batch = metrics.to_columns().unwrap();
            assert_eq!(batch.num_rows(), count);
            assert!(batch.column_by_name(column).is_some(), "{column}");
            assert!(batch.column_by_name("path").is_some());
        }
        let none = CodeMetrics::default().to_columns().unwrap();
        assert_eq!(none.num_rows(), 0);
    }
}
