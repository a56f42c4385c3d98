//! Rows as CSV, one line each.

use std::borrow::Cow;
use std::io::{Error, Result, Write};

use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt32Array,
    UInt64Array,
};

/// How the columns of the change measures are named and written, where not by their own name and
/// as they are: the form in which the measures are published and compared.
const FEATURES: &[(&str, &str, Option<usize>)] = &[
    ("ns", "NS", None),
    ("nd", "ND", None),
    ("nf", "NF", None),
    ("entropy", "ENTROPY", Some(6)),
    ("la", "LA", None),
    ("ld", "LD", None),
    ("lt_sum", "LT_SUM", None),
    ("lt", "LT", Some(4)),
    ("fix", "FIX", None),
    ("ndev", "NDEV", None),
    ("age", "AGE", Some(6)),
    ("nuc", "NUC", None),
    ("nuc_last", "NUC_LAST", None),
    ("exp", "EXP", None),
    ("rexp", "REXP", Some(6)),
    ("sexp", "SEXP", None),
    ("ndev_mean", "NDEV_MEAN", Some(4)),
    ("nuc_mean", "NUC_MEAN", Some(4)),
];

/// Writes rows with a header line; the names and formats of `op` where it has its own.
pub(crate) fn write(op: &str, batch: &RecordBatch, out: &mut dyn Write) -> Result<()> {
    let known = if op == "git.features" { FEATURES } else { &[] };
    let schema = batch.schema();
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (at, (name, array)) in
        schema.fields().iter().map(|field| field.name()).zip(batch.columns()).enumerate()
    {
        let (title, decimals) = known
            .iter()
            .find(|column| column.0 == name)
            .map_or((name.as_str(), None), |column| (column.1, column.2));
        if at > 0 {
            out.write_all(b",")?;
        }
        out.write_all(field(title).as_bytes())?;
        columns.push((Column::of(array, name)?, decimals));
    }
    out.write_all(b"\n")?;
    for row in 0..batch.num_rows() {
        for (at, (column, decimals)) in columns.iter().enumerate() {
            if at > 0 {
                out.write_all(b",")?;
            }
            column.write(row, *decimals, out)?;
        }
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// A column by its type.
enum Column<'a> {
    Text(&'a StringArray),
    Whole(&'a UInt64Array),
    Small(&'a UInt32Array),
    Signed(&'a Int64Array),
    Real(&'a Float64Array),
    Truth(&'a BooleanArray),
}

impl<'a> Column<'a> {
    fn of(array: &'a ArrayRef, name: &str) -> Result<Column<'a>> {
        let any = array.as_any();
        if let Some(array) = any.downcast_ref() {
            return Ok(Column::Text(array));
        }
        if let Some(array) = any.downcast_ref() {
            return Ok(Column::Whole(array));
        }
        if let Some(array) = any.downcast_ref() {
            return Ok(Column::Signed(array));
        }
        if let Some(array) = any.downcast_ref() {
            return Ok(Column::Small(array));
        }
        if let Some(array) = any.downcast_ref() {
            return Ok(Column::Real(array));
        }
        any.downcast_ref().map(Column::Truth).ok_or_else(|| {
            Error::other(format!("the column {name} has a type that CSV has not; use --format json or arrow"))
        })
    }

    fn write(&self, row: usize, decimals: Option<usize>, out: &mut dyn Write) -> Result<()> {
        match self {
            Column::Text(array) if array.is_valid(row) => out.write_all(field(array.value(row)).as_bytes()),
            Column::Whole(array) if array.is_valid(row) => write!(out, "{}", array.value(row)),
            Column::Small(array) if array.is_valid(row) => write!(out, "{}", array.value(row)),
            Column::Signed(array) if array.is_valid(row) => write!(out, "{}", array.value(row)),
            Column::Real(array) if array.is_valid(row) => match decimals {
                Some(decimals) => write!(out, "{:.decimals$}", array.value(row)),
                // As JSON has it: the shortest number that reads back as the same.
                None => serde_json::to_writer(out, &array.value(row)).map_err(Error::from),
            },
            Column::Truth(array) if array.is_valid(row) => write!(out, "{}", array.value(row)),
            _ => Ok(()),
        }
    }
}

/// A field as RFC 4180 wants it: in quotes where it holds a comma, a quote or a line's end.
fn field(text: &str) -> Cow<'_, str> {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")).into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph::{FeatureRow, FeatureTable};
    use std::sync::Arc;

    fn csv(op: &str, batch: &RecordBatch) -> String {
        let mut out = Vec::new();
        write(op, batch, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    const PUBLISHED: &str = "order,sha,author,time,NS,ND,NF,ENTROPY,LA,LD,LT_SUM,LT,FIX,NDEV,AGE,NUC,NUC_LAST,EXP,REXP,\
                             SEXP,renames,NDEV_MEAN,NUC_MEAN\n";

    #[test]
    fn the_measures_have_the_published_columns_and_formats() {
        let row = FeatureRow {
            order: 1,
            sha: "8f09".into(),
            author: "7f69".into(),
            time: 1_378_248_349,
            entropy: 0.551,
            la: 132,
            lt: 2.0,
            age: 0.087_072_4,
            rexp: 1.0,
            ndev_mean: 1.0,
            ..FeatureRow::default()
        };
        let table = FeatureTable { rows: vec![row], ..FeatureTable::default() };
        assert_eq!(
            csv("git.features", &table.to_columns().unwrap()),
            format!(
                "{PUBLISHED}1,8f09,7f69,1378248349,0,0,0,0.551000,132,0,0,2.0000,0,0,0.087072,0,0,0,1.000000,0,0,1.0000,0.0000\n"
            )
        );
        assert_eq!(csv("git.features", &FeatureTable::default().to_columns().unwrap()), PUBLISHED);
    }

    #[test]
    fn fields_with_commas_are_quoted() {
        let columns: [(&str, ArrayRef); 4] = [
            ("a", Arc::new(StringArray::from(vec!["x,\"y\""]))),
            ("b", Arc::new(StringArray::from(vec![None::<&str>]))),
            ("c", Arc::new(Float64Array::from(vec![1.5]))),
            ("d", Arc::new(BooleanArray::from(vec![true]))),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, true)),
        );
        assert_eq!(csv("x.rows", &batch.unwrap()), "a,b,c,d\n\"x,\"\"y\"\"\",,1.5,true\n");
    }
}
