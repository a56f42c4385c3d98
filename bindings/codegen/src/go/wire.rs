//! `wire_gen.go`: arguments as they are written, and how records are read.

use std::fmt::Write;

use super::*;
use crate::model::Record;

pub(super) fn file(model: &Model) -> String {
    let mut out = format!("{HEAD}\npackage barograph\n\nimport \"encoding/json\"\n");
    for operation in &model.operations {
        arguments(&mut out, operation);
    }
    let mut getters = BTreeSet::new();
    for operation in &model.operations {
        for field in &operation.options {
            let is_special = is_duration(field) || is_value(&field.ty);
            if is_special && getters.insert((options(operation), field.name.clone())) {
                match is_duration(field) {
                    true => duration_getter(&mut out, operation, field),
                    false => value_getter(&mut out, operation, field),
                }
            }
        }
    }
    for name in inputs(model) {
        value_writer(&mut out, &model.records[&name]);
    }
    for name in outputs(model) {
        let Some(record) = model.records.get(&name) else { continue };
        let type_name = type_name(&name);
        let _ = write!(
            out,
            "\nfunc (v *{type_name}) read(r *reader) {{\n\tfor more := r.enter('{{'); more; more = r.more('{{') \
             {{\n\t\tswitch string(r.key()) {{\n"
        );
        let inputs = inputs(model);
        for field in &record.fields {
            let _ = writeln!(out, "\t\tcase {:?}:", field.name);
            let target = format!("v.{}", exported(&field.name));
            let is_pointer = inputs.contains(&name) && written(field, false).0.starts_with('*');
            let ty = match &field.ty {
                Type::Optional(_) => field.ty.clone(),
                ty if is_pointer => Type::Optional(Box::new(ty.clone())),
                ty => ty.clone(),
            };
            read(&mut out, &ty, &target, 3);
        }
        out.push_str("\t\tdefault:\n\t\t\tr.skip()\n\t\t}\n\t}\n}\n");
    }
    out
}

/// The name of the method that gives an option of time in milliseconds.
pub(super) fn getter(field: &Field) -> String {
    let name = exported(&field.name);
    name[..1].to_lowercase() + &name[1..]
}

fn arguments(out: &mut String, operation: &Operation) {
    let mut fields: Vec<(String, String, String)> = Vec::new();
    for field in &operation.positional {
        let ty = match &field.ty {
            ty if is_value(ty) => "kept".to_owned(),
            ty if is_value_list(ty) => "[]kept".to_owned(),
            ty => plain(ty, true),
        };
        // A text that is empty means the default where there is one; numbers are sent as they are.
        let omit = if field.default.is_some() && !matches!(field.ty, Type::Int | Type::Float | Type::Bool) {
            ",omitzero"
        } else {
            ""
        };
        fields.push((exported(&field.name), ty, format!("`json:\"{}{omit}\"`", field.name)));
    }
    for field in operation.options.iter().filter(|field| is_duration(field)) {
        fields.push((exported(&field.name), "*int64".into(), format!("`json:\"{},omitzero\"`", field.name)));
    }
    for field in operation.options.iter().filter(|field| is_value(&field.ty)) {
        fields.push((exported(&field.name), "kept".into(), format!("`json:\"{},omitzero\"`", field.name)));
    }
    let width = |at: fn(&(String, String, String)) -> usize| fields.iter().map(at).max().unwrap_or(0);
    let (name_width, type_width) = (width(|field| field.0.len()), width(|field| field.1.len()));
    let _ = write!(out, "\ntype {} struct {{\n", wire_args(operation));
    for (name, ty, tag) in &fields {
        let _ = writeln!(out, "\t{name:name_width$} {ty:type_width$} {tag}");
    }
    let _ = write!(out, "\t*{}\n}}\n", options(operation));
}

fn duration_getter(out: &mut String, operation: &Operation, field: &Field) {
    let (options, getter, name) = (options(operation), getter(field), exported(&argument(field)));
    let (is_absent, value) = match written(field, true).0.starts_with('*') {
        true => (format!("o.{name} == nil"), format!("*o.{name}")),
        false => (format!("o.{name} == 0"), format!("o.{name}")),
    };
    let _ = write!(
        out,
        "\nfunc (o *{options}) {getter}() *int64 {{\n\tif o == nil || {is_absent} {{\n\t\treturn nil\n\t}}\n\t\
         return Some(milliseconds({value}))\n}}\n"
    );
}

fn value_getter(out: &mut String, operation: &Operation, field: &Field) {
    let (options, getter, name) = (options(operation), getter(field), exported(&field.name));
    let _ = write!(
        out,
        "\nfunc (o *{options}) {getter}() kept {{\n\tif o == nil {{\n\t\treturn kept{{}}\n\t}}\n\t\
         return kept{{o.{name}}}\n}}\n"
    );
}

/// How a record that holds values of the host is written: nothing where it holds none.
fn value_writer(out: &mut String, record: &Record) {
    let values: Vec<&Field> = record.fields.iter().filter(|field| is_value(&field.ty)).collect();
    if values.is_empty() {
        return;
    }
    let name = &record.name;
    let (mut fields, mut given) = (String::new(), String::new());
    for field in values {
        let omit = if field.default.is_some() { ",omitzero" } else { "" };
        let field_name = exported(&field.name);
        let _ = writeln!(fields, "\t\t{field_name} kept `json:\"{}{omit}\"`", field.name);
        let _ = write!(given, ", kept{{v.{field_name}}}");
    }
    let _ = write!(
        out,
        "\n// MarshalJSON writes the record as the library reads it.\n\
         func (v {name}) MarshalJSON() ([]byte, error) {{\n\ttype plain {name}\n\treturn json.Marshal(struct {{\n\t\tplain\n\
         {fields}\t}}{{plain(v){given}}})\n}}\n"
    );
}

/// Statements that read the next value into `target`.
fn read(out: &mut String, ty: &Type, target: &str, indent: usize) {
    let tabs = "\t".repeat(indent);
    let _ = match ty {
        Type::Record(_) => writeln!(out, "{tabs}{target}.read(r)"),
        Type::List(item) | Type::Map(item) => {
            let function = if matches!(ty, Type::List(_)) { "list" } else { "table" };
            let item_type = plain(item, false);
            let _ = writeln!(out, "{tabs}{target} = {function}(r, func(r *reader, item *{item_type}) {{");
            let item_target = if matches!(**item, Type::Record(_)) { "item" } else { "*item" };
            read(out, item, item_target, indent + 1);
            writeln!(out, "{tabs}}})")
        }
        Type::Optional(inner) => match &**inner {
            Type::Bool | Type::Int | Type::Float => {
                writeln!(
                    out,
                    "{tabs}{target} = optional(r, (*reader).{})",
                    scalar(inner).trim_end_matches("()")
                )
            }
            inner => {
                let _ = writeln!(out, "{tabs}if !r.null() {{");
                if let Type::Record(name) = inner {
                    let _ = writeln!(out, "{tabs}\t{target} = new({})", type_name(name));
                }
                read(out, inner, target, indent + 1);
                writeln!(out, "{tabs}}}")
            }
        },
        Type::Enum(name) => writeln!(out, "{tabs}{target} = {name}(r.text())"),
        ty => writeln!(out, "{tabs}{target} = r.{}", scalar(ty)),
    };
}

fn scalar(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool()",
        Type::Int => "int()",
        Type::Float => "float()",
        Type::Bytes => "bytes()",
        Type::Json => "raw()",
        _ => "text()",
    }
}
