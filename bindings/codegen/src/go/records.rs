//! `records_gen.go`: enumerations, and records that users read or put into arguments.

use std::fmt::Write;

use super::*;

pub(super) fn file(model: &Model) -> String {
    let mut out = format!("{HEAD}\npackage barograph\n\nimport \"encoding/json\"\n");
    for item in model.enums.values() {
        let name = &item.name;
        let doc = comment(&format!("{name} is {}", continued(&item.doc)), 0);
        let _ = write!(out, "\n{doc}type {name} string\n\n// Every {name}.\nconst (\n");
        for (variant, doc) in &item.variants {
            let constant = format!("{name}{}", exported(variant));
            let doc = comment(&format!("{constant}: {}", continued(doc)), 1);
            let _ = writeln!(out, "{doc}\t{constant} {name} = {variant:?}");
        }
        out.push_str(")\n");
    }
    let inputs = inputs(model);
    for record in model.records.values().filter(|record| record.name != "ErrorRecord") {
        let name = &record.name;
        let doc = comment(&format!("{name} is {}", continued(&record.doc)), 0);
        let _ = write!(out, "\n{doc}type {name} struct {{\n");
        for field in &record.fields {
            let is_input = inputs.contains(name);
            let (ty, omit) = match &field.ty {
                _ if is_input => written(field, false),
                Type::Optional(_) => (plain(&field.ty, false), true),
                ty => (plain(ty, false), false),
            };
            let mut doc = field.doc.clone();
            if is_input {
                doc.push_str(&default_note(field));
            } else if matches!(&field.ty, Type::Optional(inner) if has_absence(inner)) {
                doc = doc.replace("absent", "empty");
            }
            let omit = if omit { ",omitzero" } else { "" };
            let doc = comment(&doc, 1);
            let _ = writeln!(out, "{doc}\t{} {ty} `json:\"{}{omit}\"`", exported(&field.name), field.name);
        }
        out.push_str("}\n");
    }
    out
}
