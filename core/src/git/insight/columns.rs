//! Rows as Arrow columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};

use crate::error::{Error, Result};
use crate::git::record::{
    CoupledFiles, FileCoupling, FileHistories, FileHistory, Hotspot, Hotspots, OwnedPath, Owner, Ownership,
};

/// Builds columns from rows.
struct Columns<'a, T> {
    rows: &'a [T],
    columns: Vec<(&'static str, ArrayRef, bool)>,
}

impl<'a, T> Columns<'a, T> {
    fn new(rows: &'a [T]) -> Self {
        Columns { rows, columns: Vec::new() }
    }

    fn text(mut self, name: &'static str, field: impl Fn(&T) -> &str) -> Self {
        let column = StringArray::from_iter_values(self.rows.iter().map(field));
        self.columns.push((name, Arc::new(column), false));
        self
    }

    fn text_or_null(mut self, name: &'static str, field: impl Fn(&T) -> Option<&str>) -> Self {
        let column: StringArray = self.rows.iter().map(field).collect();
        self.columns.push((name, Arc::new(column), true));
        self
    }

    fn whole(mut self, name: &'static str, field: impl Fn(&T) -> u64) -> Self {
        let column = UInt64Array::from(self.rows.iter().map(field).collect::<Vec<u64>>());
        self.columns.push((name, Arc::new(column), false));
        self
    }

    fn whole_or_null(mut self, name: &'static str, field: impl Fn(&T) -> Option<u64>) -> Self {
        let column: UInt64Array = self.rows.iter().map(field).collect();
        self.columns.push((name, Arc::new(column), true));
        self
    }

    fn signed(mut self, name: &'static str, field: impl Fn(&T) -> i64) -> Self {
        let column = Int64Array::from(self.rows.iter().map(field).collect::<Vec<i64>>());
        self.columns.push((name, Arc::new(column), false));
        self
    }

    fn real(mut self, name: &'static str, field: impl Fn(&T) -> f64) -> Self {
        let column = Float64Array::from(self.rows.iter().map(field).collect::<Vec<f64>>());
        self.columns.push((name, Arc::new(column), false));
        self
    }

    fn real_or_null(mut self, name: &'static str, field: impl Fn(&T) -> Option<f64>) -> Self {
        let column: Float64Array = self.rows.iter().map(field).collect();
        self.columns.push((name, Arc::new(column), true));
        self
    }

    fn flag(mut self, name: &'static str, field: impl Fn(&T) -> bool) -> Self {
        let column = BooleanArray::from(self.rows.iter().map(field).collect::<Vec<bool>>());
        self.columns.push((name, Arc::new(column), false));
        self
    }

    fn batch(self) -> Result<RecordBatch> {
        RecordBatch::try_from_iter_with_nullable(self.columns)
            .map_err(|error| Error::new("bug.panic", format!("the columns do not fit together: {error}")))
    }
}

impl FileHistories {
    /// The rows as Arrow columns: the fields of [`FileHistory`], in their order.
    ///
    /// Errors: `bug.panic` should the columns differ in length.
    pub fn to_columns(&self) -> Result<RecordBatch> {
        Columns::<FileHistory>::new(&self.files)
            .text("path", |row| &row.path)
            .whole("commits", |row| row.commits)
            .whole("added", |row| row.added)
            .whole("deleted", |row| row.deleted)
            .whole_or_null("lines", |row| row.lines)
            .real_or_null("relative_churn", |row| row.relative_churn)
            .real_or_null("age_days", |row| row.age_days)
            .real_or_null("last_change_days", |row| row.last_change_days)
            .whole("authors", |row| row.authors)
            .whole("minor_authors", |row| row.minor_authors)
            .real("ownership", |row| row.ownership)
            .text_or_null("main_author", |row| row.main_author.as_deref())
            .text_or_null("main_author_email", |row| row.main_author_email.as_deref())
            .whole("bus_factor", |row| row.bus_factor)
            .real("weighted_commits", |row| row.weighted_commits)
            .whole("fixes", |row| row.fixes)
            .real_or_null("last_fix_days", |row| row.last_fix_days)
            .flag("generated", |row| row.generated)
            .flag("vendored", |row| row.vendored)
            .real("weight", |row| row.weight)
            .batch()
    }
}

impl FileCoupling {
    /// The rows as Arrow columns: the fields of [`CoupledFiles`], in their order, none of them null.
    ///
    /// Errors: `bug.panic` should the columns differ in length.
    pub fn to_columns(&self) -> Result<RecordBatch> {
        Columns::<CoupledFiles>::new(&self.pairs)
            .text("path", |row| &row.path)
            .text("coupled", |row| &row.coupled)
            .real("degree", |row| row.degree)
            .whole("shared", |row| row.shared)
            .whole("revisions", |row| row.revisions)
            .whole("coupled_revisions", |row| row.coupled_revisions)
            .real("average_revisions", |row| row.average_revisions)
            .real("last_shared_days", |row| row.last_shared_days)
            .flag("same_folder", |row| row.same_folder)
            .batch()
    }
}

impl Ownership {
    /// A row for each owner of each path, as Arrow columns: the fields of [`OwnedPath`], those of
    /// the path first (`path_commits` is its `commits`), then those of [`Owner`]; none of them null.
    ///
    /// Errors: `bug.panic` should the columns differ in length.
    pub fn to_columns(&self) -> Result<RecordBatch> {
        let rows: Vec<(&OwnedPath, &Owner)> =
            self.paths.iter().flat_map(|path| path.owners.iter().map(move |owner| (path, owner))).collect();
        Columns::new(&rows)
            .text("path", |row| &row.0.path)
            .whole("files", |row| row.0.files)
            .whole("path_commits", |row| row.0.commits)
            .whole("authors", |row| row.0.authors)
            .whole("bus_factor", |row| row.0.bus_factor)
            .whole("truck_factor", |row| row.0.truck_factor)
            .text("name", |row| &row.1.name)
            .text("email", |row| &row.1.email)
            .whole("commits", |row| row.1.commits)
            .real("share", |row| row.1.share)
            .real("weighted_commits", |row| row.1.weighted_commits)
            .whole("added", |row| row.1.added)
            .whole("deleted", |row| row.1.deleted)
            .text("last_active", |row| &row.1.last_active)
            .batch()
    }
}

impl Hotspots {
    /// The rows as Arrow columns: the fields of [`Hotspot`], in their order, none of them null.
    ///
    /// Errors: `bug.panic` should the columns differ in length.
    pub fn to_columns(&self) -> Result<RecordBatch> {
        Columns::<Hotspot>::new(&self.files)
            .text("path", |row| &row.path)
            .real("score", |row| row.score)
            .whole("commits", |row| row.commits)
            .real("weighted_commits", |row| row.weighted_commits)
            .real("complexity", |row| row.complexity)
            .text("complexity_basis", |row| row.complexity_basis.name())
            .whole("lines", |row| row.lines)
            .whole("recent_commits", |row| row.recent_commits)
            .whole("earlier_commits", |row| row.earlier_commits)
            .text("trend", |row| row.trend.name())
            .signed("growth", |row| row.growth)
            .whole("fixes", |row| row.fixes)
            .whole("authors", |row| row.authors)
            .text("reason", |row| &row.reason)
            .batch()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the columns, and of the members of the row's record.
    fn names(batch: &RecordBatch, row: &impl serde::Serialize) -> (Vec<String>, Vec<String>) {
        let columns = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let text = serde_json::to_string(row).unwrap();
        let mut reader = serde_json::Deserializer::from_str(&text);
        let members: indexed::Names = serde::Deserialize::deserialize(&mut reader).unwrap();
        (columns, members.0)
    }

    mod indexed {
        /// The names of an object's members, in their order.
        pub struct Names(pub Vec<String>);

        impl<'de> serde::Deserialize<'de> for Names {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Visit;
                impl<'de> serde::de::Visitor<'de> for Visit {
                    type Value = Names;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                        let mut names = Vec::new();
                        while let Some((name, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                            names.push(name);
                        }
                        Ok(Names(names))
                    }
                }
                from.deserialize_map(Visit)
            }
        }
    }

    #[test]
    fn columns_are_the_fields_of_the_records_in_order() {
        let files = FileHistories { files: vec![FileHistory::default()], ..Default::default() };
        let (columns, members) = names(&files.to_columns().unwrap(), &files.files[0]);
        assert_eq!(columns, members);
        let pairs = FileCoupling { pairs: vec![CoupledFiles::default()], ..Default::default() };
        let (columns, members) = names(&pairs.to_columns().unwrap(), &pairs.pairs[0]);
        assert_eq!(columns, members);
        let spots = Hotspots { files: vec![Hotspot::default()], ..Default::default() };
        let (columns, members) = names(&spots.to_columns().unwrap(), &spots.files[0]);
        assert_eq!(columns, members);
        let path = OwnedPath { owners: vec![Owner::default(); 2], ..OwnedPath::default() };
        let owners = Ownership { paths: vec![path, OwnedPath::default()], ..Default::default() };
        let batch = owners.to_columns().unwrap();
        let (columns, members) = names(&batch, &owners.paths[0].owners[0]);
        assert_eq!(columns[6..], members);
        assert_eq!(batch.num_rows(), 2);
    }
}
