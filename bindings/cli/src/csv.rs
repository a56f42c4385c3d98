//! Rows as CSV: the first list of records in an answer, one line each.

use std::io::{Error, Result};

use serde_json::Value;

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

/// The rows in the answer of `op`, with a header line.
pub(crate) fn table(op: &str, answer: &[u8]) -> Result<Vec<u8>> {
    let answer: Value = serde_json::from_slice(answer)?;
    let rows = answer
        .as_object()
        .and_then(|members| members.values().find_map(Value::as_array))
        .ok_or_else(|| Error::other("the answer holds no rows; use --format json"))?;
    match op {
        "git.owners" => return owners(rows),
        "code.symbols" => return nested(rows, &["path", "language"], "symbols", &SYMBOL),
        "code.clones" => return clones(rows),
        _ => {}
    }
    let known = if op == "git.features" { FEATURES } else { &[] };
    // The surface always gives every member, so the first row has all names. No row, no names:
    // the known ones still make a header.
    let names: Vec<&str> = match rows.first().and_then(Value::as_object) {
        Some(first) => first.keys().map(String::as_str).collect(),
        None if known.is_empty() => return Ok(Vec::new()),
        None => HEADER.to_vec(),
    };
    let columns: Vec<(&str, &str, Option<usize>)> = names
        .into_iter()
        .map(|name| known.iter().find(|column| column.0 == name).copied().unwrap_or((name, name, None)))
        .collect();
    let mut text: Vec<u8> = Vec::with_capacity(rows.len() * 160 + 256);
    line(&mut text, columns.iter().map(|column| field(column.1)));
    for row in rows {
        line(&mut text, columns.iter().map(|&(name, _, decimals)| cell(&row[name], decimals)));
    }
    Ok(text)
}

/// The members of a row of `git.features`, in order, for a table without any row.
const HEADER: &[&str] = &[
    "order",
    "sha",
    "author",
    "time",
    "ns",
    "nd",
    "nf",
    "entropy",
    "la",
    "ld",
    "lt_sum",
    "lt",
    "fix",
    "ndev",
    "age",
    "nuc",
    "nuc_last",
    "exp",
    "rexp",
    "sexp",
    "renames",
    "ndev_mean",
    "nuc_mean",
];

/// A line for each owner of each path.
fn owners(paths: &[Value]) -> Result<Vec<u8>> {
    const PATH: [(&str, &str); 6] = [
        ("path", "path"),
        ("files", "files"),
        ("commits", "path_commits"),
        ("authors", "authors"),
        ("bus_factor", "bus_factor"),
        ("truck_factor", "truck_factor"),
    ];
    const OWNER: [&str; 8] =
        ["name", "email", "commits", "share", "weighted_commits", "added", "deleted", "last_active"];
    let mut text = Vec::new();
    line(&mut text, PATH.iter().map(|column| column.1).chain(OWNER).map(str::to_owned));
    for path in paths {
        for owner in path["owners"].as_array().into_iter().flatten() {
            let first = PATH.iter().map(|column| cell(&path[column.0], None));
            line(&mut text, first.chain(OWNER.iter().map(|name| cell(&owner[name], None))));
        }
    }
    Ok(text)
}

const SYMBOL: [&str; 11] = [
    "role", "kind", "name", "scope", "origin", "alias", "line", "column", "end_line", "exported", "relative",
];

/// A line for each record of a list inside of each row, after some members of the row.
fn nested(rows: &[Value], outer: &[&str], list: &str, inner: &[&str]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    line(&mut text, outer.iter().chain(inner).map(|&name| name.to_owned()));
    for row in rows {
        for record in row[list].as_array().into_iter().flatten() {
            let first = outer.iter().map(|&name| cell(&row[name], None));
            line(&mut text, first.chain(inner.iter().map(|&name| cell(&record[name], None))));
        }
    }
    Ok(text)
}

/// A line for each place of each group, with the group's number.
fn clones(groups: &[Value]) -> Result<Vec<u8>> {
    let numbered: Vec<Value> = groups
        .iter()
        .zip(1u64..)
        .map(|(group, number)| {
            let mut group = group.clone();
            group["group"] = Value::from(number);
            group
        })
        .collect();
    nested(&numbered, &["group", "tokens", "lines"], "places", &["path", "line", "end_line", "function"])
}

fn line(text: &mut Vec<u8>, cells: impl Iterator<Item = String>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        text.extend_from_slice(cell.as_bytes());
    }
    text.push(b'\n');
}

fn cell(value: &Value, decimals: Option<usize>) -> String {
    match (value, decimals) {
        (Value::Number(number), Some(decimals)) => {
            number.as_f64().map_or_else(|| number.to_string(), |number| format!("{number:.decimals$}"))
        }
        (Value::Null, _) => String::new(),
        (Value::String(text), _) => field(text),
        (other, _) => field(&other.to_string()),
    }
}

/// A field as RFC 4180 wants it: in quotes where it holds a comma, a quote or a line's end.
fn field(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph::{FeatureRow, FeatureTable};

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
        let answer =
            serde_json::to_vec(&FeatureTable { rows: vec![row], ..FeatureTable::default() }).unwrap();
        let text = String::from_utf8(table("git.features", &answer).unwrap()).unwrap();
        assert_eq!(
            text,
            format!(
                "{PUBLISHED}1,8f09,7f69,1378248349,0,0,0,0.551000,132,0,0,2.0000,0,0,0.087072,0,0,0,1.000000,0,0,1.0000,0.0000\n"
            )
        );
        let none = serde_json::to_vec(&FeatureTable::default()).unwrap();
        assert_eq!(table("git.features", &none).unwrap(), PUBLISHED.as_bytes());
    }

    #[test]
    fn owners_have_a_line_each() {
        let text = table(
            "git.owners",
            br#"{"paths":[{"path":"","files":2,"commits":9,"owners":[{"name":"A","commits":4},{"name":"B"}]}]}"#,
        );
        let text = String::from_utf8(text.unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].starts_with("path,files,path_commits,authors,bus_factor,truck_factor,name,email"));
        assert_eq!(lines[1], ",2,9,,,,A,,4,,,,,");
    }

    #[test]
    fn fields_with_commas_are_quoted() {
        let text = table("x.rows", br#"{"n":1,"rows":[{"a":"x,\"y\"","b":null,"c":1.5}]}"#).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), "a,b,c\n\"x,\"\"y\"\"\",,1.5\n");
    }
}
