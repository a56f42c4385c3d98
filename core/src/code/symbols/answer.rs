//! Symbols as an analysis of files, as an answer and as columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt32Array};

use super::record::{CodeSymbols, FileSymbols, Symbol, SymbolKind, SymbolRole};
use super::symbols;
use crate::base::cancel::CancelToken;
use crate::base::shared::Shared;
use crate::code::parse::Parsed;
use crate::code::scan::{Analysed, Analysis, SourceFile};
use crate::error::{Error, Result};

/// Reads the symbols of files.
pub struct Symbols;

impl Analysis for Symbols {
    type Out = FileSymbols;

    fn kind(&self) -> String {
        "symbols/1".to_owned()
    }

    fn analyse(&self, parsed: &Parsed<'_>, cancel: &CancelToken) -> Result<FileSymbols> {
        Ok(FileSymbols { symbols: symbols(parsed, cancel)?, ..FileSymbols::default() })
    }

    fn place(&self, out: &mut FileSymbols, file: &SourceFile) {
        out.path.clone_from(&file.path);
        file.language.name().clone_into(&mut out.language);
    }
}

/// The answer of `code.symbols`: only symbols of these roles and kinds; of none: all.
pub fn answer(read: Analysed<FileSymbols>, roles: &[SymbolRole], kinds: &[SymbolKind]) -> CodeSymbols {
    let wanted = |symbol: &&Symbol| {
        (roles.is_empty() || roles.contains(&symbol.role))
            && (kinds.is_empty() || kinds.contains(&symbol.kind))
    };
    let all = roles.is_empty() && kinds.is_empty();
    let files = read.files.into_iter().map(|one| one.result).map(|file| match all {
        true => file,
        false => Shared::new(FileSymbols {
            path: file.path.clone(),
            language: file.language.clone(),
            symbols: file.symbols.iter().filter(wanted).cloned().collect(),
        }),
    });
    CodeSymbols { files: files.collect(), skipped: read.skipped, unknown: read.unknown }
}

impl CodeSymbols {
    /// The symbols as Arrow columns: `path` and `language`, then the fields of [`Symbol`] in their
    /// order; none of them is null.
    ///
    /// Errors: `bug.panic` should the columns differ in length.
    pub fn to_columns(&self) -> Result<RecordBatch> {
        let rows = || self.files.iter().flat_map(|file| file.symbols.iter().map(move |row| (file, row)));
        let text = |field: fn(&Symbol) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rows().map(|(_, row)| field(row))))
        };
        let whole = |field: fn(&Symbol) -> u32| -> ArrayRef {
            Arc::new(UInt32Array::from_iter_values(rows().map(|(_, row)| field(row))))
        };
        let flag = |field: fn(&Symbol) -> bool| -> ArrayRef {
            Arc::new(BooleanArray::from(rows().map(|(_, row)| field(row)).collect::<Vec<bool>>()))
        };
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("path", Arc::new(StringArray::from_iter_values(rows().map(|(file, _)| &file.path)))),
            ("language", Arc::new(StringArray::from_iter_values(rows().map(|(file, _)| &file.language)))),
            ("role", text(|row| row.role.name())),
            ("kind", text(|row| row.kind.name())),
            ("name", text(|row| &row.name)),
            ("scope", text(|row| &row.scope)),
            ("origin", text(|row| &row.origin)),
            ("alias", text(|row| &row.alias)),
            ("line", whole(|row| row.line)),
            ("column", whole(|row| row.column)),
            ("end_line", whole(|row| row.end_line)),
            ("exported", flag(|row| row.exported)),
            ("relative", flag(|row| row.relative)),
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
        let symbol = Symbol { name: "f".into(), line: 3, ..Symbol::default() };
        let file = FileSymbols { path: "a.py".to_owned(), symbols: vec![symbol], ..FileSymbols::default() };
        let batch =
            CodeSymbols { files: vec![Shared::new(file)], ..CodeSymbols::default() }.to_columns().unwrap();
        let fields = serde_json::to_value(Symbol::default()).unwrap();
        let schema = batch.schema();
        let names: std::collections::BTreeSet<&str> =
            schema.fields().iter().map(|field| field.name().as_str()).skip(2).collect();
        assert_eq!(names, fields.as_object().unwrap().keys().map(String::as_str).collect());
        assert_eq!(batch.num_rows(), 1);
    }

    #[test]
    fn names_of_roles_and_kinds_are_those_of_the_records() {
        for role in
            [SymbolRole::Definition, SymbolRole::Declaration, SymbolRole::Reference, SymbolRole::Import]
        {
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
        for name in ["function", "method", "implementation", "wildcard"] {
            let kind = SymbolKind::of_name(name).unwrap();
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
