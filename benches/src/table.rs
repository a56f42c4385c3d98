//! Reading the commit-level tables, and bringing their columns to one definition.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use barograph::learn::{FEATURES, WIDTH};

/// Which set a table is of: the two read several columns differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// jit-issta21, MIT.
    Issta21,
    /// jit-apache8, Apache-2.0.
    Apache8,
}

/// One commit of a table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Committer time, Unix seconds.
    pub time: i64,
    /// Values in schema order, in the reference's units.
    pub vector: [f64; WIDTH],
    /// The label.
    pub defective: bool,
    /// When the label became known, where the table says so.
    pub fixed: Option<i64>,
}

/// One project's window, oldest first.
#[derive(Clone, Debug)]
pub struct Table {
    /// The file's name without its ends, for example `go-2011`.
    pub name: String,
    /// The project: windows of one project are never split between training and unseen.
    pub project: String,
    /// Which set it is of.
    pub set: Set,
    /// The commits, oldest first.
    pub rows: Vec<Row>,
}

const ISSTA21: [&str; 6] = ["go-2011", "go", "jdt", "openstack-2011", "openstack", "qt"];
const APACHE8: [&str; 6] = ["activemq", "camel", "cassandra", "flink", "groovy", "ignite"];

/// Reads every table of `folder` that is trained on. jdt-2011 is left out: it shares commits with jdt.
pub fn read_all(folder: &Path) -> Result<Vec<Table>, String> {
    let issta21 = ISSTA21.map(|name| (name, Set::Issta21, "jit-issta21"));
    let apache8 = APACHE8.map(|name| (name, Set::Apache8, "jit-apache8"));
    issta21
        .into_iter()
        .chain(apache8)
        .map(|(name, set, part)| {
            let path = folder.join(part).join(format!("{name}.csv.gz"));
            let file = std::fs::File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let rows = read(BufReader::new(flate2::read::GzDecoder::new(file)))
                .map_err(|error| format!("{}: {error}", path.display()))?;
            let project = name.trim_end_matches("-2011").to_owned();
            Ok(Table { name: name.to_owned(), project, set, rows })
        })
        .collect()
}

/// Reads one table: a header row, commas, no quotes.
pub fn read(text: impl BufRead) -> Result<Vec<Row>, String> {
    let mut lines = text.lines();
    let header = lines.next().ok_or("it is empty")?.map_err(|error| error.to_string())?;
    let places: HashMap<&str, usize> =
        header.split(',').enumerate().map(|(place, name)| (name.trim(), place)).collect();
    let place = |name: &str| places.get(name).copied().ok_or(format!("column `{name}` is absent"));
    let columns: Vec<usize> = FEATURES.iter().map(|name| place(name)).collect::<Result<_, _>>()?;
    let (time, bug, nf) = (place("date")?, place("bug")?, place("nf")?);
    let fix_date = place("fix_date").ok();
    let mut rows = Vec::new();
    for (number, line) in lines.enumerate() {
        let line = line.map_err(|error| error.to_string())?;
        let cells: Vec<&str> = line.split(',').collect();
        let real = |place: usize| -> Result<f64, String> {
            let cell = cells.get(place).map(|cell| cell.trim()).unwrap_or_default();
            cell.parse().map_err(|_| format!("row {}: `{cell}` is not a number", number + 1))
        };
        let mut vector = [0.0; WIDTH];
        for (feature, column) in columns.iter().enumerate() {
            vector[feature] = real(*column)?;
        }
        // Both sets publish the sum of the lines; the reference's LT is the mean per file.
        let lt = FEATURES.iter().position(|name| *name == "lt").ok_or("no feature lt")?;
        vector[lt] /= real(nf)?.max(1.0);
        let fixed = match fix_date.and_then(|column| cells.get(column)).map(|cell| cell.trim()) {
            Some(cell) if !cell.is_empty() => {
                Some(cell.parse::<f64>().map_err(|_| format!("row {}: fix_date `{cell}`", number + 1))? as i64)
            }
            _ => None,
        };
        rows.push(Row { time: real(time)? as i64, vector, defective: real(bug)? == 1.0, fixed });
    }
    // Stable: rows of equal time keep the file's order.
    rows.sort_by_key(|row| row.time);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_by_the_names_of_its_columns() {
        let text = "bug,date,fix_date,sexp,rexp,exp,nuc,age,ndev,fix,lt,ld,la,entropy,nf,nd,ns\n\
                    1,200,300,14,13,12,11,10,9,1,60,6,5,0.5,3,2,1\n\
                    0,100,,0,0,0,0,0,0,0,7,0,0,0,0,0,0\n";
        let rows = read(text.as_bytes()).unwrap();
        assert_eq!(rows[0].time, 100);
        assert_eq!((rows[1].defective, rows[1].fixed), (true, Some(300)));
        let lt = 60.0 / 3.0;
        assert_eq!(
            rows[1].vector,
            [1.0, 2.0, 3.0, 0.5, 5.0, 6.0, lt, 1.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0]
        );
        assert_eq!(rows[0].vector[6], 7.0);
        assert!(read("date,bug\n".as_bytes()).is_err());
        assert!(read(text.replace(",14,", ",x,").as_bytes()).unwrap_err().contains("row 1"));
    }
}
