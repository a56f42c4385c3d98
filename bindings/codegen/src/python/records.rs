//! Records and enumerations as Python classes: construction, decoding and encoding, written out.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;

pub(super) fn records(model: &Model) -> String {
    let mut out = String::from(HEAD);
    out.push_str(
        "\"\"\"Every record and enumeration: plain data, frozen.\"\"\"\n\n\
         from __future__ import annotations\n\n\
         from binascii import a2b_base64\n\
         from datetime import timedelta\n\
         from typing import Any\n\n\
         from . import _wire\n\
         from ._record import Record\n\
         from ._wire import TextEnum\n\n\
         _Bytes = bytes\n\
         _set: Any = object.__setattr__\n",
    );
    let mut names: Vec<String> = Vec::new();
    for item in model.enums.values() {
        names.push(item.name.clone());
        let _ = write!(out, "\n\nclass {}(TextEnum):\n{}\n", item.name, docstring(&item.doc, "    "));
        for (at, (text, doc)) in item.variants.iter().enumerate() {
            if at > 0 {
                out.push('\n');
            }
            let _ = writeln!(out, "    {} = \"{text}\"", text.to_uppercase());
            out.push_str(&docstring(doc, "    "));
        }
    }
    out.push_str("\n\n");
    for item in model.enums.values() {
        let _ = writeln!(out, "_{0} = {{member.value: member for member in {0}}}", item.name);
    }
    let inputs = inputs(model);
    let rows = rows(model);
    // An error is an exception class and not a record here.
    for record in model.records.values().filter(|record| record.name != "ErrorRecord") {
        names.push(record.name.clone());
        out.push_str("\n\n");
        if rows.contains(&record.name) {
            out.push_str(&draft(record));
        }
        let input = inputs.contains(&record.name);
        out.push_str(&record_class(model, record, input, rows.contains(&record.name)));
    }
    out + &exports(names)
}

/// Records that come by the thousand: the rows of operations that offer columns.
fn rows(model: &Model) -> BTreeSet<String> {
    let outs = model.operations.iter().filter(|operation| operation.columns);
    let fields = outs.filter_map(|operation| model.records.get(&operation.out)).flat_map(|out| &out.fields);
    fields
        .filter_map(|field| match &field.ty {
            Type::List(inner) => match &**inner {
                Type::Record(name) => Some(name.clone()),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

/// The open twin of a frozen row.
fn draft(record: &Record) -> String {
    let mut out = format!(
        "class _{0}Draft(Record):\n    # Filled by plain assignment, then turned into a {0}: five times as \
         fast as frozen.\n    __slots__ = (\n",
        record.name
    );
    for field in &record.fields {
        let _ = writeln!(out, "        \"{}\",", name(&field.name));
    }
    out + "    )\n    __setattr__ = _set\n\n\n"
}

/// A record as a plain class: what `dataclass` would make at every import stands written out.
fn record_class(model: &Model, record: &Record, input: bool, row: bool) -> String {
    let mut out = format!("class {}(Record):\n{}\n", record.name, docstring(&record.doc, "    "));
    let slots: Vec<String> = record.fields.iter().map(|field| format!("\"{}\"", name(&field.name))).collect();
    let line = format!("    __slots__ = ({}{})\n", slots.join(", "), if slots.len() == 1 { "," } else { "" });
    match line.len() <= WIDTH + 1 {
        true => out.push_str(&line),
        false => {
            let _ = writeln!(out, "    __slots__ = (\n        {},\n    )", slots.join(",\n        "));
        }
    }
    out.push('\n');
    let ty = |field: &Field| {
        let wide = matches!(&field.ty, Type::Record(name) if name == "Payload")
            || (field.ty == Type::Int && field.name.ends_with("_ms"));
        if input && wide { input_type(model, &field.name, &field.ty) } else { output_type(&field.ty) }
    };
    for field in &record.fields {
        let _ = writeln!(out, "    {}: {}", name(&field.name), ty(field));
        out.push_str(&docstring(&field.doc, "    "));
        out.push('\n');
    }
    let (mut parameters, mut body) = (vec!["self".to_owned()], String::new());
    for (at, field) in record.fields.iter().enumerate() {
        let name = name(&field.name);
        // Python wants parameters with defaults last, and the order is the one that people read.
        let may_default = record.fields[at..].iter().all(|field| field.default.is_some());
        let (default, value) = match &field.default {
            Some(value) if may_default => match (literal(&field.ty, value), &field.ty) {
                (Some(text), _) => (format!(" = {text}"), name.clone()),
                // Made anew each time: a default must not be shared.
                (None, Type::List(_)) => {
                    (" | None = None".to_owned(), format!("[] if {name} is None else {name}"))
                }
                (None, _) => (" | None = None".to_owned(), format!("{{}} if {name} is None else {name}")),
            },
            _ => (String::new(), name.clone()),
        };
        parameters.push(format!("{name}: {}{default}", ty(field)));
        let _ = writeln!(body, "        _set(self, \"{name}\", {value})");
    }
    let line = format!("    def __init__({}) -> None:\n", parameters.join(", "));
    match line.len() <= WIDTH + 1 {
        true => out.push_str(&line),
        false => {
            let _ = writeln!(
                out,
                "    def __init__(\n        {},\n    ) -> None:",
                parameters.join(",\n        ")
            );
        }
    }
    out.push_str(&body);
    out.push('\n');
    if record.name == "Payload" {
        out.push_str(
            "    @property\n    def value(self) -> Any:\n        \
             \"\"\"The value itself: the bytes where there are any, else the JSON value.\"\"\"\n        \
             return self.json if self.bytes is None else self.bytes\n\n",
        );
    }
    let _ = write!(
        out,
        "    @staticmethod\n    def from_wire(wire: dict[str, Any]) -> {}:\n        \
         \"\"\"The record out of its JSON form.\"\"\"\n",
        record.name
    );
    if row {
        let _ = writeln!(out, "        row: Any = _{}Draft()", record.name);
        for field in &record.fields {
            let _ = writeln!(out, "        row.{} = {}", name(&field.name), decode(field));
        }
        let _ = writeln!(
            out,
            "        row.__class__ = {0}\n        made: {0} = row\n        return made",
            record.name
        );
    } else {
        let _ = writeln!(out, "        return {}(", record.name);
        for field in &record.fields {
            let _ = writeln!(out, "            {},", decode(field));
        }
        out.push_str("        )\n");
    }
    out.push_str(
        "\n    def to_wire(self) -> dict[str, Any]:\n        \
         \"\"\"The record's JSON form, as every language writes it.\"\"\"\n",
    );
    let left_out = |field: &&Field| LEFT_OUT.contains(&format!("{}.{}", record.name, field.name).as_str());
    let some_left_out = record.fields.iter().any(|field| left_out(&field));
    let assign = if some_left_out { "wire: dict[str, Any] =" } else { "return" };
    let _ = writeln!(out, "        {assign} {{");
    for field in record.fields.iter().filter(|field| !left_out(field)) {
        let value = format!("self.{}", name(&field.name));
        let _ =
            writeln!(out, "            \"{}\": {},", field.name, encode(&field.name, &field.ty, &value, ""));
    }
    out.push_str("        }\n");
    for field in record.fields.iter().filter(left_out) {
        let inner = match &field.ty {
            Type::Optional(inner) => inner,
            other => other,
        };
        let value = format!("self.{}", name(&field.name));
        let encoded = encode(&field.name, inner, &value, "");
        let _ = write!(
            out,
            "        if {value} is not None:\n            wire[\"{}\"] = {encoded}\n",
            field.name
        );
    }
    if some_left_out {
        out.push_str("        return wire\n");
    }
    out
}

/// The expression that makes a field's value out of the JSON form `wire`.
fn decode(field: &Field) -> String {
    fn value(ty: &Type, at: &str) -> String {
        match ty {
            Type::Bytes => format!("a2b_base64({at})"),
            Type::Record(name) if name == "Payload" => format!("_wire.value({at})"),
            Type::Record(name) => format!("{name}.from_wire({at})"),
            Type::Enum(name) => format!("_{name}[{at}]"),
            Type::List(inner) if !plain(inner) => format!("[{} for item in {at}]", value(inner, "item")),
            Type::Map(inner) if !plain(inner) => {
                format!("{{key: {} for key, item in {at}.items()}}", value(inner, "item"))
            }
            _ => at.to_owned(),
        }
    }
    let wire = &field.name;
    match (&field.ty, &field.default) {
        (Type::Optional(inner), _) if plain(inner) => format!("wire.get(\"{wire}\")"),
        (Type::Optional(inner), _) => {
            let made = value(inner, "item");
            let make = match made.strip_suffix("(item)") {
                Some(function) => function.to_owned(),
                None => format!("lambda item: {made}"),
            };
            format!("_wire.optional({make}, wire.get(\"{wire}\"))")
        }
        (ty, Some(default)) if plain(ty) => {
            let default = literal(ty, default).unwrap_or_else(|| match ty {
                Type::List(_) => "[]".into(),
                _ => "{}".into(),
            });
            format!("wire.get(\"{wire}\", {default})")
        }
        (Type::Record(name), Some(_)) if name == "Payload" => {
            format!("_wire.value(wire.get(\"{wire}\", {{}}))")
        }
        (Type::Record(name), Some(_)) => format!("{name}.from_wire(wire.get(\"{wire}\", {{}}))"),
        (ty, _) => value(ty, &format!("wire[\"{wire}\"]")),
    }
}

/// Whether the JSON form is the value.
fn plain(ty: &Type) -> bool {
    match ty {
        Type::Bool | Type::Int | Type::Float | Type::Text | Type::Json => true,
        Type::Bytes | Type::Record(_) | Type::Enum(_) => false,
        Type::List(inner) | Type::Map(inner) | Type::Optional(inner) => plain(inner),
    }
}

/// The expression that makes the JSON form out of `value`; errors name the operation `op`, where
/// there is one.
pub(super) fn encode(wire: &str, ty: &Type, value: &str, op: &str) -> String {
    let op_last = if op.is_empty() { String::new() } else { format!(", \"{op}\"") };
    match ty {
        Type::Optional(inner) if **inner == Type::Record("Payload".into()) => {
            format!("_wire.optional_payload({value}, \"{wire}\"{op_last})")
        }
        Type::Optional(inner) => match encode(wire, inner, value, op) {
            same if same == value => same,
            made => format!("None if {value} is None else {made}"),
        },
        Type::Int if wire.ends_with("_ms") => format!("_wire.milliseconds({value})"),
        Type::Bytes => format!("_wire.base64({value})"),
        Type::Json => format!("_wire.json_value({value}, \"{wire}\"{op_last})"),
        Type::Record(name) if name == "Payload" => format!("_wire.payload({value}, \"{wire}\"{op_last})"),
        Type::Record(name) if name == "Failure" => format!("_wire.failure({value})"),
        Type::Record(_) => format!("_wire.record({value}{op_last})"),
        Type::List(inner) if **inner == Type::Record("Payload".into()) => {
            format!("_wire.payloads({value}, \"{wire}\"{op_last})")
        }
        Type::List(inner) if !plain(inner) => format!("_wire.records({value}{op_last})"),
        _ => value.to_owned(),
    }
}
