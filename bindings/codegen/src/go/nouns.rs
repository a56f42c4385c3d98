//! `nouns_gen.go`: `Open`, the classes, the nouns of the workspace, and the options.

use std::fmt::Write;

use super::*;

/// What the sugar keeps in a class: class, type of its field `state`.
const STATE: &[(&str, &str)] = &[("Worker", "workerState")];

pub(super) fn file(model: &Model) -> String {
    let mut out =
        format!("{HEAD}\npackage barograph\n\nimport (\n\t\"context\"\n\t\"encoding/json\"\n\t\"time\"\n)\n");
    for operation in model.operations.iter().filter(|operation| operation.receiver.is_empty()) {
        method(&mut out, operation, "", "nil");
    }
    for class in model.classes() {
        class_type(&mut out, model, &class);
        let letter = class[..1].to_lowercase();
        for operation in model.methods(&class) {
            method(&mut out, operation, &format!("({letter} *{class}) "), &format!("{letter}.handle"));
        }
        if class == "Workspace" {
            for noun in model.nouns().keys() {
                let (name, noun_type) = (exported(noun), noun_type(noun));
                let doc = comment(&format!("{name} gives the operations {noun}.*."), 0);
                let _ = write!(
                    out,
                    "\n{doc}func (w *Workspace) {name}() {noun_type} {{ return {noun_type}{{w.handle}} }}\n"
                );
            }
        }
    }
    for (noun, operations) in model.nouns() {
        let noun_type = noun_type(&noun);
        let verbs: Vec<String> = operations.iter().map(|operation| operation.name.clone()).collect();
        let doc = comment(&format!("{noun_type} are the operations {}.", verbs.join(", ")), 0);
        let _ = write!(out, "\n{doc}type {noun_type} struct{{ handle *handle }}\n");
        let letter = noun_type[..1].to_lowercase();
        for operation in operations {
            method(&mut out, operation, &format!("({letter} {noun_type}) "), &format!("{letter}.handle"));
        }
    }
    let mut written = BTreeSet::new();
    for operation in &model.operations {
        if written.insert(super::options(operation)) {
            options(&mut out, model, operation);
        }
    }
    for (import, used) in [("\t\"encoding/json\"\n", "json."), ("\t\"time\"\n", "time.")] {
        if !out.contains(used) {
            out = out.replacen(import, "", 1);
        }
    }
    out
}

/// The type of a noun: its name, or its plural where a class with a life has the name or may get it.
pub(super) fn noun_type(noun: &str) -> String {
    match noun {
        "session" | "worker" | "queue" | "schedule" => exported(noun) + "s",
        noun => exported(noun),
    }
}

fn class_type(out: &mut String, model: &Model, class: &str) {
    let opener = model.operations.iter().find(|operation| operation.opens == class);
    let opener = opener.map_or("", |operation| operation.name.as_str());
    let doc = comment(
        &format!(
            "{class} is what {opener} opens. Close it when it is not needed any more; one that nobody can \
             reach is closed with the garbage. It is safe for concurrent use."
        ),
        0,
    );
    let letter = class[..1].to_lowercase();
    let state = STATE.iter().find(|(name, _)| *name == class);
    let _ = match state {
        None => write!(out, "\n{doc}type {class} struct{{ handle *handle }}\n"),
        Some((_, state)) => {
            write!(out, "\n{doc}type {class} struct {{\n\thandle *handle\n\tstate  {state}\n}}\n")
        }
    };
    let _ = write!(
        out,
        "\n// Close closes it: later calls match [ErrClosed]. Closing twice does nothing; the error is always nil.\n\
         func ({letter} *{class}) Close() error {{ return {letter}.handle.close() }}\n"
    );
}

fn method(out: &mut String, operation: &Operation, receiver: &str, handle: &str) {
    let verb = exported(&operation.verb);
    let options = super::options(operation);
    let parameters: String = operation
        .positional
        .iter()
        .map(|field| format!("{} {}, ", parameter(field), parameter_type(field)))
        .collect();
    let parameters = format!("ctx context.Context, {parameters}opts *{options}");
    let _ = write!(out, "\n{}", doc(operation, &verb));
    let call = |function: &str, ty: &str| {
        let ty = if ty.is_empty() { String::new() } else { format!("[{ty}]") };
        format!("{function}{ty}(ctx, {handle}, {:?}, &{})", operation.name, literal(operation))
    };
    let wait = operation.positional.iter().find(|field| field.name == "wait_ms");
    // Without a limit such a call waits as long as it takes.
    let endless = operation.options.iter().find(|field| field.name == "wait_ms");
    let result = operation.out.as_str();
    let _ = if !operation.opens.is_empty() {
        let class = &operation.opens;
        write!(
            out,
            "func {receiver}{verb}({parameters}) (*{class}, error) {{\n\thandle, err := {}\n\tif err != nil {{\n\t\t\
             return nil, err\n\t}}\n\treturn &{class}{{handle: handle}}, nil\n}}\n",
            call("open", "")
        )
    } else if let Some(value) = &operation.value {
        let ty = plain(&value.ty, false);
        write!(
            out,
            "func {receiver}{verb}({parameters}) ({ty}, error) {{\n\tout, err := {}\n\tif err != nil {{\n\t\t\
             var none {ty}\n\t\treturn none, err\n\t}}\n\treturn out.{}, nil\n}}\n",
            call("answer", result),
            exported(&value.name)
        )
    } else if endless.is_some() {
        write!(
            out,
            "func {receiver}{verb}({parameters}) (*{result}, error) {{\n\treturn awaiting(ctx, {:?}, opts.waitMs(), \
             func(wait *int64) (*{result}, error) {{\n\t\treturn {}\n\t}})\n}}\n",
            operation.name,
            call("answer", result).replace("WaitMs: opts.waitMs()", "WaitMs: wait")
        )
    } else if wait.is_some() {
        write!(
            out,
            "func {receiver}{verb}({parameters}) (*{result}, error) {{\n\treturn waiting(ctx, {:?}, wait, \
             func(wait time.Duration) (*{result}, error) {{\n\t\treturn {}\n\t}})\n}}\n",
            operation.name,
            call("answer", result)
        )
    } else {
        write!(
            out,
            "func {receiver}{verb}({parameters}) (*{result}, error) {{\n\treturn {}\n}}\n",
            call("answer", result)
        )
    };
    if operation.columns {
        let name = format!("{verb}Columns");
        let text = format!(
            "{name} is {} with the rows as one Arrow IPC stream: the fast way for many rows.",
            operation.name
        );
        let _ = write!(
            out,
            "\n{}func {receiver}{name}({parameters}) ([]byte, error) {{\n\treturn {}\n}}\n",
            comment(&text, 0),
            call("columns", "")
        );
    }
}

fn doc(operation: &Operation, verb: &str) -> String {
    let mut out = comment(&format!("{verb} is {}: {}", operation.name, continued(&operation.doc)), 0);
    for field in &operation.positional {
        // A number must be passed, so its default elsewhere would only mislead.
        let is_number = matches!(field.ty, Type::Int | Type::Float | Type::Bool);
        let text = if is_number { argument_text(field) } else { argument_doc(field) };
        let has_default = field.default.is_some() && has_absence_of(&field.ty);
        let empty = match (&field.ty, has_default) {
            (Type::Optional(inner), true) if **inner == Type::Text => " Empty: not given.",
            (Type::Text, true) => " Empty: the default.",
            (Type::Optional(_), _) => " nil: not given.",
            _ => "",
        };
        let _ = write!(out, "//\n{}", comment(&format!("{}: {text}{empty}", parameter(field)), 0));
    }
    out
}

fn has_absence_of(ty: &Type) -> bool {
    match ty {
        Type::Optional(inner) => has_absence(inner),
        ty => has_absence(ty),
    }
}

pub(super) fn parameter(field: &Field) -> String {
    local(&argument(field))
}

pub(super) fn parameter_type(field: &Field) -> String {
    if is_duration(field) { "time.Duration".into() } else { plain(&field.ty, true) }
}

/// The wire's struct literal, filled from the parameters.
fn literal(operation: &Operation) -> String {
    let mut fields: Vec<String> = Vec::new();
    for field in &operation.positional {
        let parameter = parameter(field);
        let value = match &field.ty {
            _ if is_duration(field) => format!("milliseconds({parameter})"),
            ty if is_value(ty) => format!("kept{{{parameter}}}"),
            ty if is_value_list(ty) => format!("keptList({parameter})"),
            Type::List(_) if field.default.is_none() => format!("filled({parameter})"),
            _ => parameter,
        };
        fields.push(format!("{}: {value}", exported(&field.name)));
    }
    fields.push(format!("{}: opts", super::options(operation)));
    for field in operation.options.iter().filter(|field| is_duration(field) || is_value(&field.ty)) {
        fields.push(format!("{}: opts.{}()", exported(&field.name), super::wire::getter(field)));
    }
    format!("{}{{{}}}", wire_args(operation), fields.join(", "))
}

fn options(out: &mut String, model: &Model, operation: &Operation) {
    let name = super::options(operation);
    let users: Vec<&str> = model
        .operations
        .iter()
        .filter(|other| super::options(other) == name)
        .map(|other| other.name.as_str())
        .collect();
    let users = users.join(" and ");
    if operation.options.is_empty() {
        let doc = comment(&format!("{name} are the options of {users}: none yet, pass nil."), 0);
        let _ = write!(out, "\n{doc}type {name} struct{{}}\n");
        return;
    }
    let doc = comment(&format!("{name} are the options of {users}; nil for the defaults."), 0);
    let _ = write!(out, "\n{doc}type {name} struct {{\n");
    for field in &operation.options {
        let (ty, omit) = written(field, true);
        let tag = match (is_duration(field), omit) {
            // Written by the wire: in milliseconds, in the form of a payload.
            (true, _) => "-".to_owned(),
            _ if is_value(&field.ty) => "-".to_owned(),
            (false, true) => format!("{},omitzero", field.name),
            (false, false) => field.name.clone(),
        };
        let ty = if is_duration(field) { ty.replace("int64", "time.Duration") } else { ty };
        let doc = comment(&argument_doc(field), 1);
        let _ = writeln!(out, "{doc}\t{} {ty} `json:\"{tag}\"`", exported(&argument(field)));
    }
    out.push_str("}\n");
}
