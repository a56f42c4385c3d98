//! The surface as the emitters see it: records, enumerations and operations with resolved types.

use std::collections::BTreeMap;

use barograph::surface::describe::{CodeDescription, Description};
use serde_json::Value;

/// The type of a field, as every emitter maps it to its language.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    Bool,
    /// A signed or unsigned integer within 2^53.
    Int,
    Float,
    Text,
    Bytes,
    /// Any JSON value.
    Json,
    List(Box<Type>),
    /// A map from text.
    Map(Box<Type>),
    Optional(Box<Type>),
    Record(String),
    Enum(String),
}

/// One field of a record.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    pub doc: String,
    pub ty: Type,
    /// What it is where the caller does not say; `None` where it must be given.
    pub default: Option<Value>,
    /// The least and the greatest value of an integer.
    pub range: Option<(i64, i64)>,
}

/// A record: plain data.
#[derive(Clone, Debug)]
pub struct Record {
    pub name: String,
    pub doc: String,
    /// In order of declaration.
    pub fields: Vec<Field>,
}

/// An enumeration of texts.
#[derive(Clone, Debug)]
pub struct Enumeration {
    pub name: String,
    pub doc: String,
    /// Text on the wire, and what it means.
    pub variants: Vec<(String, String)>,
}

/// One operation with its arguments resolved.
#[derive(Clone, Debug)]
pub struct Operation {
    /// `noun.verb`.
    pub name: String,
    pub noun: String,
    pub verb: String,
    /// The class that has it; empty for the root.
    pub receiver: String,
    /// The class that it opens; empty where it answers with a record.
    pub opens: String,
    pub columns: bool,
    pub doc: String,
    /// The record of its arguments.
    pub args: String,
    /// Arguments taken by position, in order.
    pub positional: Vec<Field>,
    /// All other arguments, in order of declaration.
    pub options: Vec<Field>,
    /// The record that it answers with; empty where it opens a handle.
    pub out: String,
    /// The record's only field, where hosts get its value and not the record.
    pub value: Option<Field>,
}

/// Operations that ask a question: their answer is the value of a record's only field.
const QUESTIONS: &[&str] = &["session.patch"];

/// Everything that the emitters read.
#[derive(Debug)]
pub struct Model {
    /// Records that a user sees: results and what they hold, and records inside arguments.
    pub records: BTreeMap<String, Record>,
    /// Records that are the arguments of an operation.
    pub args: BTreeMap<String, Record>,
    pub enums: BTreeMap<String, Enumeration>,
    pub operations: Vec<Operation>,
    pub codes: Vec<CodeDescription>,
}

impl Model {
    /// Resolves the description; an operation or type that cannot be emitted is a defect and named.
    pub fn from(description: &Description) -> Result<Model, String> {
        let mut model = Model {
            records: BTreeMap::new(),
            args: BTreeMap::new(),
            enums: BTreeMap::new(),
            operations: Vec::new(),
            codes: description.codes.clone(),
        };
        let is_enum =
            |name: &str| description.types.get(name).is_some_and(|schema| variants(schema).is_some());
        for (name, schema) in &description.types {
            if let Some(variants) = variants(schema) {
                let doc = doc(schema);
                model.enums.insert(name.clone(), Enumeration { name: name.clone(), doc, variants });
                continue;
            }
            let record = record(name, schema, &is_enum)?;
            if description.operations.iter().any(|operation| &operation.args == name) {
                model.args.insert(name.clone(), record);
            } else {
                model.records.insert(name.clone(), record);
            }
        }
        for operation in &description.operations {
            let (noun, verb) = operation.name.split_once('.').ok_or("an operation is not noun.verb")?;
            let args = &model
                .args
                .get(&operation.args)
                .ok_or_else(|| format!("{} has no arguments", operation.name))?;
            let find = |name: &String| {
                let field = args.fields.iter().find(|field| &field.name == name);
                field.cloned().ok_or_else(|| format!("{}: no argument {name}", operation.name))
            };
            let value = match QUESTIONS.contains(&operation.name.as_str()) {
                false => None,
                true => match model.records.get(&operation.out).map(|out| &out.fields[..]) {
                    Some([only]) => Some(only.clone()),
                    _ => return Err(format!("{} does not answer with one value", operation.name)),
                },
            };
            model.operations.push(Operation {
                name: operation.name.clone(),
                noun: noun.to_owned(),
                verb: verb.to_owned(),
                receiver: operation.receiver.clone(),
                opens: operation.opens.clone(),
                columns: operation.columns,
                doc: operation.doc.clone(),
                args: operation.args.clone(),
                positional: operation.positional.iter().map(find).collect::<Result<_, _>>()?,
                options: args
                    .fields
                    .iter()
                    .filter(|field| !operation.positional.contains(&field.name))
                    .cloned()
                    .collect(),
                out: operation.out.clone(),
                value,
            });
        }
        Ok(model)
    }

    /// Classes with a life, in order of their first operation.
    pub fn classes(&self) -> Vec<String> {
        let mut classes: Vec<String> = Vec::new();
        for operation in &self.operations {
            if !operation.opens.is_empty() && !classes.contains(&operation.opens) {
                classes.push(operation.opens.clone());
            }
        }
        classes
    }

    /// Nouns of the workspace with their operations; `workspace.*` itself is left out, as its
    /// operations are methods of the class.
    pub fn nouns(&self) -> BTreeMap<String, Vec<&Operation>> {
        let mut nouns: BTreeMap<String, Vec<&Operation>> = BTreeMap::new();
        for operation in
            self.operations.iter().filter(|op| op.receiver == "Workspace" && op.noun != "workspace")
        {
            nouns.entry(operation.noun.clone()).or_default().push(operation);
        }
        nouns
    }

    /// Operations that are methods of a class itself: of `Workspace` those of its own noun.
    pub fn methods(&self, class: &str) -> Vec<&Operation> {
        let own = |op: &&Operation| op.receiver == class && (class != "Workspace" || op.noun == "workspace");
        self.operations.iter().filter(own).collect()
    }
}

/// `snake_case` as `PascalCase`.
pub fn pascal(name: &str) -> String {
    name.split(['_', '-', '.'])
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        })
        .collect()
}

/// `snake_case` as `camelCase`.
pub fn camel(name: &str) -> String {
    let pascal = pascal(name);
    let mut letters = pascal.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn doc(schema: &Value) -> String {
    // Only the first paragraph: the rest is written for readers of Rust.
    let text = schema["description"].as_str().unwrap_or_default();
    text.split("\n\n").next().unwrap_or_default().replace('\n', " ")
}

fn variants(schema: &Value) -> Option<Vec<(String, String)>> {
    if let Some(list) = schema["oneOf"].as_array() {
        return list.iter().map(|item| Some((item["const"].as_str()?.to_owned(), doc(item)))).collect();
    }
    let list = schema["enum"].as_array()?;
    list.iter().map(|item| Some((item.as_str()?.to_owned(), String::new()))).collect()
}

fn record(name: &str, schema: &Value, is_enum: &dyn Fn(&str) -> bool) -> Result<Record, String> {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fields = Vec::new();
    for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
        let ty = resolve(schema, is_enum)
            .ok_or_else(|| format!("{name}.{field}: no language can express {schema}"))?;
        let default = match (&ty, schema.get("default")) {
            (_, Some(value)) => Some(value.clone()),
            (Type::Optional(_) | Type::Json, None) if !required.contains(&field.as_str()) => {
                Some(Value::Null)
            }
            _ => None,
        };
        fields.push(Field { name: field.clone(), doc: doc(schema), ty, default, range: range(schema) });
    }
    Ok(Record { name: name.to_owned(), doc: doc(schema), fields })
}

/// The range of an integer: that of its type in Rust, within what every language can hold.
fn range(schema: &Value) -> Option<(i64, i64)> {
    const EXACT: i64 = (1 << 53) - 1;
    let (low, high) = match schema["format"].as_str()? {
        "uint8" => (0, i64::from(u8::MAX)),
        "uint16" => (0, i64::from(u16::MAX)),
        "uint32" => (0, i64::from(u32::MAX)),
        "int32" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        "uint64" | "uint" => (0, EXACT),
        "int64" | "int" => (-EXACT, EXACT),
        _ => return None,
    };
    let low = schema["minimum"].as_i64().map_or(low, |minimum| low.max(minimum));
    Some((low, schema["maximum"].as_i64().map_or(high, |maximum| high.min(maximum))))
}

fn resolve(schema: &Value, is_enum: &dyn Fn(&str) -> bool) -> Option<Type> {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next()?.to_owned();
        return Some(if is_enum(&name) { Type::Enum(name) } else { Type::Record(name) });
    }
    if let Some(list) = schema["anyOf"].as_array() {
        let inner = list.iter().find(|item| item["type"] != "null")?;
        return Some(Type::Optional(Box::new(resolve(inner, is_enum)?)));
    }
    let kind = match &schema["type"] {
        Value::Null => return Some(Type::Json),
        Value::String(kind) => kind.as_str(),
        Value::Array(kinds) => {
            let inner = kinds.iter().find(|kind| *kind != "null")?;
            let mut schema = schema.clone();
            schema["type"] = inner.clone();
            return Some(Type::Optional(Box::new(resolve(&schema, is_enum)?)));
        }
        _ => return None,
    };
    Some(match kind {
        "boolean" => Type::Bool,
        "integer" => Type::Int,
        "number" => Type::Float,
        "string" if schema["format"] == "byte" => Type::Bytes,
        "string" => Type::Text,
        "array" => Type::List(Box::new(resolve(&schema["items"], is_enum)?)),
        "object" => Type::Map(Box::new(resolve(&schema["additionalProperties"], is_enum)?)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_surface_can_be_expressed() {
        let model = Model::from(&barograph::describe()).unwrap();
        let change = model.operations.iter().find(|operation| operation.name == "risk.change").unwrap();
        assert_eq!(change.positional[0].ty, Type::Optional(Box::new(Type::Text)));
        assert_eq!(change.positional[0].default, Some(Value::Null));
        let max = model.args["WorkerNextArgs"].fields[0].range;
        assert_eq!(max, Some((0, i64::from(u32::MAX))));
        assert_eq!(model.records["ChangeRisk"].fields[0].name, "change");
        assert_eq!(model.classes(), ["EventStream", "Session", "Worker", "Workspace"]);
        assert_eq!(
            (pascal("history_export"), camel("history_export")),
            ("HistoryExport".into(), "historyExport".into())
        );
    }
}
