//! From a record's JSON Schema to options and positions, and from what was typed to JSON.

use std::io::Read;

use barograph::surface::Description;
use barograph::surface::describe::OperationDescription;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser, ValueParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};
use serde_json::{Map, Value};

use crate::command::words;
use crate::duration;

/// What the names of durations in milliseconds end with.
const UNIT: &str = "_ms";

/// How a value is typed.
#[derive(Debug, PartialEq)]
enum Shape {
    /// `--name` or, where the default is yes, `--no-name`.
    Flag { default: bool },
    /// One of these, each with its meaning.
    Choice(Vec<(String, String)>),
    /// Text as it is.
    Text,
    /// A whole number.
    Integer { signed: bool },
    /// Any number.
    Number,
    /// A length of time in milliseconds, typed with its unit.
    Duration,
    /// A value of the user's own: JSON text, `@FILE` or `-`.
    Payload,
    /// `name=value`, repeated.
    Map,
    /// Texts: by position as many as there are, as an option repeated.
    Texts,
    /// One of these, repeated.
    Choices(Vec<(String, String)>),
    /// JSON text, `@FILE` or `-`.
    Json,
}

/// One argument of an operation.
struct Parameter<'a> {
    name: &'a str,
    shape: Shape,
    schema: &'a Value,
    required: bool,
    positional: bool,
}

/// Every argument of `operation` for clap: those taken by position first.
pub(crate) fn all(surface: &Description, operation: &OperationDescription) -> Vec<Arg> {
    parameters(surface, operation).into_iter().map(|parameter| arg(&parameter)).collect()
}

/// What was typed, as the operation's arguments; what was not typed is left out.
pub(crate) fn read(
    surface: &Description,
    operation: &OperationDescription,
    matches: &ArgMatches,
) -> Map<String, Value> {
    let mut args = Map::new();
    for Parameter { name, shape, .. } in parameters(surface, operation) {
        if matches.value_source(name) != Some(ValueSource::CommandLine) {
            continue;
        }
        let value = match shape {
            Shape::Flag { default } => Some(Value::from(!default)),
            Shape::Map => matches
                .get_many::<(String, Value)>(name)
                .map(|entries| Value::Object(entries.cloned().collect())),
            Shape::Texts | Shape::Choices(_) => {
                matches.get_many::<Value>(name).map(|texts| Value::Array(texts.cloned().collect()))
            }
            _ => matches.get_one::<Value>(name).cloned(),
        };
        if let Some(value) = value {
            args.insert(name.to_owned(), value);
        }
    }
    args
}

fn parameters<'a>(surface: &'a Description, operation: &'a OperationDescription) -> Vec<Parameter<'a>> {
    let Some(schema) = surface.types.get(&operation.args) else { return Vec::new() };
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut parameters: Vec<Parameter<'_>> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, schema)| Parameter {
            name,
            shape: match shape(surface, schema) {
                // Here the text has a unit, so the name needs none.
                Shape::Integer { .. } if name.ends_with(UNIT) => Shape::Duration,
                shape => shape,
            },
            schema,
            required: required.contains(&name.as_str()),
            positional: operation.positional.contains(name),
        })
        .collect();
    let place = |name: &str| operation.positional.iter().position(|known| known == name);
    parameters.sort_by_key(|parameter| place(parameter.name).unwrap_or(usize::MAX));
    parameters
}

fn arg(parameter: &Parameter<'_>) -> Arg {
    let Parameter { name, shape, schema, required, positional } = parameter;
    let arg = Arg::new((*name).to_owned()).help(help(schema, shape)).required(*required);
    if let (Shape::Flag { default }, false) = (shape, positional) {
        let long = if *default { format!("no-{}", words(name)) } else { words(name) };
        let about = help(schema, shape);
        let about = if *default { format!("Turns off: {about}") } else { about };
        return arg.long(long).help(about).action(ArgAction::SetTrue);
    }
    let word = name.strip_suffix(UNIT).filter(|_| *shape == Shape::Duration).unwrap_or(name);
    let arg = if *positional { arg } else { arg.long(words(word)) };
    let arg = arg.value_name(word.to_uppercase());
    match shape {
        Shape::Duration => arg.value_name("DURATION").value_parser(parser(shape)),
        Shape::Map => arg.action(ArgAction::Append).value_name("NAME=VALUE").value_parser(entry),
        Shape::Texts | Shape::Choices(_) => {
            let arg = arg.action(ArgAction::Append).value_parser(parser(shape));
            let one = name.strip_suffix('s').unwrap_or(name).to_uppercase();
            match positional {
                true => arg.num_args(if *required { 1.. } else { 0.. }).value_name(one),
                false => arg.value_name(one),
            }
        }
        Shape::Integer { .. } | Shape::Number => arg.allow_negative_numbers(true).value_parser(parser(shape)),
        Shape::Json | Shape::Payload => {
            arg.value_name(format!("{}_JSON", name.to_uppercase())).value_parser(parser(shape))
        }
        _ => arg.value_parser(parser(shape)),
    }
}

/// First sentence-like paragraph of the schema's description, without code marks, and the default.
fn help(schema: &Value, shape: &Shape) -> String {
    let mut text = schema["description"].as_str().unwrap_or_default().replace('\n', " ").replace('`', "");
    if *shape == Shape::Duration {
        // In the words of who types a unit.
        text = text.replace(", in milliseconds", "").replace("this many milliseconds", "this long");
    }
    let default = match &schema["default"] {
        Value::Number(default) if *shape == Shape::Duration => {
            duration::typed(default.as_u64().unwrap_or_default())
        }
        Value::String(default) => default.clone(),
        Value::Number(default) => default.to_string(),
        _ => return text,
    };
    format!("{text} [default: {default}]")
}

/// How a value of this schema is typed.
fn shape(surface: &Description, schema: &Value) -> Shape {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        if name == "Payload" {
            return Shape::Payload;
        }
        return surface.types.get(name).map_or(Shape::Json, |schema| shape(surface, schema));
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let mut values = options.iter().filter(|option| option["type"] != "null");
        return match (values.next(), values.next()) {
            (Some(only), None) => shape(surface, only),
            _ => Shape::Json,
        };
    }
    let choices = |options: &[Value]| -> Option<Vec<(String, String)>> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        options
            .iter()
            .map(|option| match option["const"].as_str() {
                Some(name) => Some((name.to_owned(), text(&option["description"]).unwrap_or_default())),
                None => text(option).map(|name| (name, String::new())),
            })
            .collect()
    };
    for listed in [&schema["oneOf"], &schema["enum"]] {
        if let Some(choices) = listed.as_array().and_then(|options| choices(options)) {
            return Shape::Choice(choices);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("boolean") => Shape::Flag { default: schema["default"].as_bool().unwrap_or(false) },
        Some("string") => Shape::Text,
        Some("integer") => {
            Shape::Integer { signed: schema["minimum"].as_i64().is_none_or(|least| least < 0) }
        }
        Some("number") => Shape::Number,
        Some("array") => match shape(surface, &schema["items"]) {
            Shape::Text => Shape::Texts,
            Shape::Choice(choices) => Shape::Choices(choices),
            _ => Shape::Json,
        },
        Some("object") if schema["additionalProperties"]["type"] == "string" => Shape::Map,
        _ => Shape::Json,
    }
}

fn parser(shape: &Shape) -> ValueParser {
    match shape {
        Shape::Choice(choices) | Shape::Choices(choices) => {
            let values =
                choices.iter().map(|(name, about)| PossibleValue::new(name.clone()).help(about.clone()));
            PossibleValuesParser::new(values).map(Value::from).into()
        }
        Shape::Integer { signed: false } => ValueParser::new(|text: &str| match text.parse::<u64>() {
            Ok(number) => Ok(Value::from(number)),
            Err(_) => Err("not a whole number from 0".to_owned()),
        }),
        Shape::Integer { signed: true } => ValueParser::new(|text: &str| match text.parse::<i64>() {
            Ok(number) => Ok(Value::from(number)),
            Err(_) => Err("not a whole number".to_owned()),
        }),
        Shape::Number => ValueParser::new(|text: &str| match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::from(number)),
            _ => Err("not a number".to_owned()),
        }),
        Shape::Duration => ValueParser::new(|text: &str| duration::parse(text).map(Value::from)),
        Shape::Json => ValueParser::new(json),
        Shape::Payload => ValueParser::new(|text: &str| match json(text) {
            Ok(value) => Ok(serde_json::json!({ "json": value })),
            Err(why) => Err(format!("{why}; text stands in quotes of its own: '\"text\"'")),
        }),
        Shape::Flag { .. } => ValueParser::new(|text: &str| match text {
            "true" | "yes" => Ok(Value::from(true)),
            "false" | "no" => Ok(Value::from(false)),
            _ => Err("neither true nor false".to_owned()),
        }),
        Shape::Text | Shape::Map | Shape::Texts => {
            ValueParser::new(|text: &str| Ok::<_, String>(Value::from(text)))
        }
    }
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_slice(&source(text)?).map_err(|error| format!("not JSON: {error}"))
}

fn entry(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), Value::from(value)))
}

/// The text itself, the file of `@FILE`, or standard input for `-`.
pub(crate) fn source(text: &str) -> Result<Vec<u8>, String> {
    if text == "-" {
        let mut bytes = Vec::new();
        return match std::io::stdin().lock().read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(format!("standard input cannot be read: {error}")),
        };
    }
    match text.strip_prefix('@') {
        Some(path) => std::fs::read(path).map_err(|error| format!("`{path}` cannot be read: {error}")),
        None => Ok(text.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command;

    fn typed(line: &[&str]) -> Value {
        let surface = barograph::describe();
        let mut root = command::build(&surface);
        let matches = root.try_get_matches_from_mut([&["barograph"], line].concat()).unwrap();
        match command::read(&surface, &mut root, &matches).unwrap().1 {
            command::Action::Operation { args, .. } => serde_json::from_slice(&args).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_typed_becomes_json_of_the_right_type() {
        use serde_json::json;
        assert_eq!(typed(&["risk", "change"]), json!({}));
        assert_eq!(
            typed(&["risk", "change", "main..topic", "--worktree", "--base-rate", "0.2", "--author", "a@b"]),
            json!({ "range": "main..topic", "worktree": true, "author": "a@b", "base_rate": 0.2 })
        );
        assert_eq!(typed(&["git", "features", "--no-renames"]), json!({ "renames": false }));
        assert_eq!(
            typed(&["code", "symbols", "a.py", "--roles", "import", "--roles", "reference"]),
            json!({ "paths": ["a.py"], "roles": ["import", "reference"] })
        );
        assert_eq!(
            typed(&["git", "files", "src", "*.c", "--since", "2020-01-01"]),
            json!({ "paths": ["src", "*.c"], "since": "2020-01-01" })
        );
        assert_eq!(
            typed(&[
                "session", "list", "--status", "open", "--labels", "a=1", "--labels", "b=x=y", "--limit", "5"
            ]),
            json!({ "status": "open", "labels": { "a": "1", "b": "x=y" }, "limit": 5 })
        );
        assert_eq!(
            typed(&["queue", "enqueue", "q", r#"[{"name":"t","priority":-3}]"#]),
            json!({ "queue": "q", "tasks": [{ "name": "t", "priority": -3 }] })
        );
    }

    #[test]
    fn durations_have_units_and_values_are_payloads() {
        use serde_json::json;
        assert_eq!(
            typed(&["session", "prune", "--older-than", "1d12h", "--dry-run"]),
            json!({ "older_than_ms": 129_600_000, "dry_run": true })
        );
        assert_eq!(
            typed(&["session", "submit", "r1", r#"{"tag":"v42"}"#, "--delay", "5m", "--deadline", "2h"]),
            json!({ "id": "r1", "input": { "json": { "tag": "v42" } }, "delay_ms": 300_000, "deadline_ms": 7_200_000 })
        );
        assert_eq!(
            typed(&["session", "signal", "r1", "approved", "true"]),
            json!({ "id": "r1", "name": "approved", "payload": { "json": true } })
        );
        assert_eq!(
            typed(&["session", "fork", "r1", "r2", "3", "--labels", "try=2"]),
            json!({ "id": "r1", "new_id": "r2", "at": 3, "labels": { "try": "2" } })
        );
    }

    #[test]
    fn lists_of_texts_are_repeated() {
        use serde_json::json;
        assert_eq!(typed(&["code", "metrics"]), json!({}));
        assert_eq!(
            typed(&[
                "code",
                "metrics",
                "a.py",
                "src",
                "--languages",
                "go",
                "--rows",
                "files",
                "--languages",
                "c"
            ]),
            json!({ "paths": ["a.py", "src"], "languages": ["go", "c"], "rows": "files" })
        );
        assert_eq!(typed(&["code", "metrics", "--", "-odd.py"]), json!({ "paths": ["-odd.py"] }));
    }

    #[test]
    fn wrong_values_are_refused_where_they_are_typed() {
        let surface = barograph::describe();
        for (line, part) in [
            (&["session", "list", "--status", "opem"][..], "similar value exists: 'open'"),
            (&["session", "list", "--limit", "-1"], "not a whole number from 0"),
            (&["risk", "change", "--base-rate", "nan"], "not a number"),
            (&["session", "list", "--labels", "a"], "NAME=VALUE"),
            (&["queue", "enqueue", "q", "[1"], "not JSON"),
            (&["queue", "enqueue", "q", "@/nowhere/at/all"], "cannot be read"),
            (&["risk", "chang"], "similar subcommand exists: 'change'"),
            (&["risk", "change", "--worktre"], "similar argument exists: '--worktree'"),
            (&["session", "show"], "<ID>"),
            (&["session", "prune", "--older-than", "30"], "write 500ms, 30s, 5m, 12h or 30d"),
            (&["session", "signal", "r1", "approved", "yes"], "text stands in quotes of its own"),
        ] {
            let mut root = command::build(&surface);
            let error = root.try_get_matches_from_mut([&["barograph"], line].concat()).unwrap_err();
            assert!(error.to_string().contains(part), "{line:?}: {error}");
            assert_eq!(error.exit_code(), 2);
        }
    }
}
