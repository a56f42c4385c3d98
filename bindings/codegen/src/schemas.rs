//! JSON Schemas of every record, and the manifest: one line per public item.

use barograph::surface::Description;
use serde_json::{Map, Value};

use crate::File;
use crate::model::Model;

pub fn files(description: &Description, model: &Model) -> Vec<File> {
    let mut definitions = Map::new();
    for (name, schema) in &description.types {
        definitions.insert(name.clone(), schema.clone());
    }
    let mut schema = Map::new();
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".into(), format!("Barograph {}", description.version).into());
    schema.insert("$defs".into(), Value::Object(definitions));
    let schema = serde_json::to_string_pretty(&Value::Object(schema)).unwrap_or_default() + "\n";
    vec![("api.schema.json".into(), schema), ("api.manifest".into(), manifest(model))]
}

/// One line per public item: `operation`, `record`, `field`, `enum`, `class`, `error`.
fn manifest(model: &Model) -> String {
    let mut lines = Vec::new();
    for class in model.classes() {
        lines.push(format!("class {class}"));
    }
    for operation in &model.operations {
        let out = if operation.opens.is_empty() { &operation.out } else { &operation.opens };
        lines.push(format!("operation {} {} -> {out}", operation.name, operation.args));
    }
    for record in model.records.values().chain(model.args.values()) {
        lines.push(format!("record {}", record.name));
        lines.extend(record.fields.iter().map(|field| format!("field {}.{}", record.name, field.name)));
    }
    for item in model.enums.values() {
        lines.extend(item.variants.iter().map(|(variant, _)| format!("enum {}.{variant}", item.name)));
    }
    lines.extend(model.codes.iter().map(|code| format!("error {} {}", code.code, code.kind)));
    lines.sort();
    lines.join("\n") + "\n"
}
