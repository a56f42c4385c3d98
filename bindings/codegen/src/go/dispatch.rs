//! `dispatch_gen_test.go`: every operation by name, through the public method, for the runner of
//! the conformance cases.

use std::fmt::Write;

use super::*;
use crate::model::Record;

pub(super) fn file(model: &Model) -> String {
    let mut out = format!(
        "{HEAD}\npackage barograph\n\nimport (\n\t\"context\"\n\t\"reflect\"\n)\n\n\
         // dispatch calls the public method of an operation with arguments read from JSON.\n\
         var dispatch = map[string]func(ctx context.Context, on any, a *arguments) (any, error){{\n"
    );
    for operation in &model.operations {
        let _ = writeln!(
            out,
            "\t{:?}: func(ctx context.Context, on any, a *arguments) (any, error) {{",
            operation.name
        );
        let mut names = Vec::new();
        for field in &operation.positional {
            let name = nouns::parameter(field);
            let (ty, default) = (plain(&field.ty, true), fallback(field));
            let ty = ty.replace(
                "any",
                if is_value(&field.ty) || is_value_list(&field.ty) { "*Payload" } else { "any" },
            );
            let value = match &field.default {
                None => format!("required[{ty}](a, {:?})", field.name),
                Some(_) => format!("arg[{ty}](a, {:?}, {default})", field.name),
            };
            let value = match &field.ty {
                _ if is_duration(field) => format!("span({value})"),
                ty if is_value_list(ty) => format!("values({value})"),
                _ => value,
            };
            let _ = writeln!(out, "\t\t{name} := {value}");
            names.push(name);
        }
        let options = options(operation);
        let _ = writeln!(out, "\t\topts := new({options})");
        for field in operation.options.iter().filter(|field| is_duration(field)) {
            let target = exported(&argument(field));
            let value = if written(field, true).0.starts_with('*') { "Some(span(*ms))" } else { "span(*ms)" };
            let absent = if zero_is_absence(field) { "\t\t\ta.refuseZero(*ms)\n" } else { "" };
            let _ = writeln!(
                out,
                "\t\tif ms := arg[*int64](a, {:?}, nil); ms != nil {{\n{absent}\t\t\topts.{target} = {value}\n\t\t}}",
                field.name
            );
        }
        for field in operation.options.iter().filter(|field| is_value(&field.ty)) {
            let _ = writeln!(
                out,
                "\t\tif value := arg[*Payload](a, {:?}, nil); value != nil {{\n\t\t\topts.{} = value\n\t\t}}",
                field.name,
                exported(&field.name)
            );
        }
        let _ = writeln!(out, "\t\tif err := a.rest(opts); err != nil {{\n\t\t\treturn nil, err\n\t\t}}");
        names.insert(0, "ctx".into());
        names.push("opts".into());
        let call = format!("{}({})", exported(&operation.verb), names.join(", "));
        let target = match operation.receiver.as_str() {
            "" => String::new(),
            "Workspace" if operation.noun != "workspace" => {
                format!("on.(*Workspace).{}().", exported(&operation.noun))
            }
            class => format!("on.(*{class})."),
        };
        let _ = match &operation.value {
            None => writeln!(out, "\t\treturn {target}{call}\n\t}},"),
            Some(value) => writeln!(
                out,
                "\t\tvalue, err := {target}{call}\n\t\treturn {}{{{}: value}}, err\n\t}},",
                operation.out,
                exported(&value.name)
            ),
        };
    }
    let mut readers = String::new();
    for record in inputs(model).iter().filter_map(|name| model.records.get(name)) {
        value_reader(&mut readers, record);
    }
    let nouns = model.nouns().keys().map(|noun| nouns::noun_type(noun)).collect::<Vec<_>>();
    let classes = model.classes();
    let width = nouns.iter().chain(&classes).map(String::len).max().unwrap_or(0) + 3;
    out.push_str("}\n\n// receivers are the types that operations are methods of.\nvar receivers = map[string]reflect.Type{\n");
    for class in &classes {
        let _ = writeln!(out, "\t{:width$} reflect.TypeFor[*{class}](),", format!("{class:?}:"));
    }
    for noun in &nouns {
        let _ = writeln!(out, "\t{:width$} reflect.TypeFor[{noun}](),", format!("{noun:?}:"));
    }
    out + "}\n" + &readers
}

/// How a record that holds values of the host is read from a case: nothing where it holds none.
fn value_reader(out: &mut String, record: &Record) {
    let values: Vec<&Field> = record.fields.iter().filter(|field| is_value(&field.ty)).collect();
    if values.is_empty() {
        return;
    }
    let name = &record.name;
    let (mut fields, mut taken) = (String::new(), String::new());
    for field in values {
        let field_name = exported(&field.name);
        let _ = writeln!(fields, "\t\t{field_name} *Payload `json:{:?}`", field.name);
        let _ =
            writeln!(taken, "\tif into.{field_name} != nil {{\n\t\tv.{field_name} = into.{field_name}\n\t}}");
    }
    let _ = write!(
        out,
        "\nfunc (v *{name}) UnmarshalJSON(text []byte) error {{\n\ttype plain {name}\n\tinto := struct {{\n\t\t*plain\n\
         {fields}\t}}{{plain: (*plain)(v)}}\n\tif err := strict(text, &into); err != nil {{\n\t\treturn err\n\t}}\n\
         {taken}\treturn nil\n}}\n"
    );
}

/// What stands for an argument that a case leaves out, as a Go value.
fn fallback(field: &Field) -> String {
    match (&field.ty, &field.default) {
        (Type::Int | Type::Float | Type::Bool, Some(default)) => default.to_string(),
        (Type::Text | Type::Enum(_), _) => "\"\"".into(),
        (Type::Optional(inner), _) if matches!(**inner, Type::Text | Type::Enum(_)) => "\"\"".into(),
        _ => "nil".into(),
    }
}
