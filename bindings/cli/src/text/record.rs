//! Any record as text: names and values, lists of records as tables.

use serde_json::{Map, Value};

use super::layout::{Align, DIM, Page, columns, number, safe, styled};

/// Writes any value.
pub(crate) fn write(page: &mut Page, value: &Value) {
    match value {
        Value::Object(members) => object(page, members, ""),
        other => page.line(&cell(other)),
    }
}

/// Simple members first as names and values, then each list or record under its own heading.
fn object(page: &mut Page, members: &Map<String, Value>, prefix: &str) {
    let (simple, whole): (Vec<_>, Vec<_>) = members.iter().partition(|(_, value)| is_simple(value));
    let width = simple.iter().map(|(name, _)| columns(name)).max().unwrap_or(0);
    for (name, value) in simple {
        let space = " ".repeat(width - columns(name) + 2);
        page.paragraph(&format!("{}{space}", styled(DIM, &label(name))), &cell(value));
    }
    for (name, value) in whole {
        let title = format!("{prefix}{}", label(name));
        match value {
            Value::Array(items) if items.iter().all(Value::is_object) => {
                page.heading(&format!("{title} ({})", items.len()));
                list(page, items);
            }
            Value::Array(items) => {
                page.heading(&title);
                items.iter().for_each(|item| page.paragraph("  - ", &cell(item)));
            }
            Value::Object(members) => {
                page.heading(&title);
                object(page, members, &format!("{title} / "));
            }
            other => page.line(&cell(other)),
        }
    }
}

/// Records as a table: their simple members as columns, in order, those without any value left out.
fn list(page: &mut Page, items: &[Value]) {
    let mut names: Vec<&str> = Vec::new();
    for item in items.iter().filter_map(Value::as_object) {
        for (name, value) in item {
            if !value.is_null() && !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    let align: Vec<Align> = names
        .iter()
        .map(|&name| {
            let numbers = items.iter().all(|item| item[name].is_number() || item[name].is_null());
            if numbers { Align::Right } else { Align::Left }
        })
        .collect();
    let rows: Vec<Vec<String>> =
        items.iter().map(|item| names.iter().map(|&name| cell(&item[name])).collect()).collect();
    let header: Vec<String> = names.iter().map(|name| label(name)).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    page.table(&header, &align, &rows);
}

/// Whether a value fits beside its name.
fn is_simple(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(|value| value.is_string() || value.is_null()),
        _ => true,
    }
}

fn label(name: &str) -> String {
    name.replace('_', " ")
}

/// A value in one line.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(value) => if *value { "yes" } else { "no" }.to_owned(),
        Value::Number(value) if value.is_f64() => number(value.as_f64().unwrap_or_default()),
        Value::Number(value) => value.to_string(),
        Value::String(text) => safe(text),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Object(members) if members.is_empty() => "none".to_owned(),
        Value::Object(members) if is_simple(value) => {
            let entries: Vec<String> = members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| format!("{}={}", safe(name), cell(value)))
                .collect();
            entries.join(" ")
        }
        other => safe(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_of_records_are_tables_and_the_rest_is_named() {
        let answer = json!({
            "sessions": [
                { "id": "a", "status": "open", "labels": { "env": "ci" }, "steps_done": 3, "output": null },
                { "id": "longer", "status": "done", "labels": {}, "steps_done": 12, "output": null },
            ],
            "next": null,
            "is_cut": true,
        });
        let mut page = Page::new(None);
        write(&mut page, &answer);
        let plain = anstream::adapter::strip_str(&page.into_text()).to_string();
        assert_eq!(
            plain,
            "next    -\nis cut  yes\n\nsessions (2)\n  id      status  labels  steps done\n  \
             a       open    env=ci           3\n  longer  done    none            12\n"
        );
    }
}
