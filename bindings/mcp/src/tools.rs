//! Tools: the surface's description in the protocol's words.

use std::collections::BTreeMap;
use std::sync::Arc;

use barograph::surface::Description;
use barograph::surface::describe::OperationDescription;
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

/// The argument that names what an operation works on, where that is not the workspace.
pub(crate) const HANDLE: &str = "handle";

/// The tool that closes a handle.
const CLOSE: &str = "handle_close";

/// What a tool does.
#[derive(Debug)]
pub(crate) enum Bound {
    /// Calls an operation, on the workspace or on a handle that the client names.
    Operation { op: String, on_handle: bool },
    /// Closes a handle.
    Close,
}

/// Every tool, and what it does.
#[derive(Debug)]
pub(crate) struct Tools {
    list: Vec<Tool>,
    bound: BTreeMap<String, Bound>,
}

impl Tools {
    /// The tools of a surface.
    pub(crate) fn new(surface: &Description) -> Tools {
        let mut tools = Tools { list: Vec::new(), bound: BTreeMap::new() };
        // The server's one workspace is open: what starts from nothing would open another.
        // And a server that keeps paths within the repository runs no programs.
        let offered =
            |operation: &&OperationDescription| !operation.receiver.is_empty() && !operation.runs_programs;
        for operation in surface.operations.iter().filter(offered) {
            let tool = tool(surface, operation);
            let bound =
                Bound::Operation { op: operation.name.clone(), on_handle: operation.receiver != "Workspace" };
            tools.bound.insert(tool.name.to_string(), bound);
            tools.list.push(tool);
        }
        tools.bound.insert(CLOSE.to_owned(), Bound::Close);
        tools.list.push(close());
        tools
    }

    /// Every tool.
    pub(crate) fn list(&self) -> &[Tool] {
        &self.list
    }

    /// What the tool of this name does.
    pub(crate) fn bound(&self, name: &str) -> Option<&Bound> {
        self.bound.get(name)
    }
}

fn tool(surface: &Description, operation: &OperationDescription) -> Tool {
    let mut input =
        inlined(surface, &json!({ "$ref": format!("#/$defs/{}", operation.args) }), &mut Vec::new());
    if operation.receiver != "Workspace" {
        demand_handle(&mut input, &operation.receiver);
    }
    let output = if operation.opens.is_empty() {
        inlined(surface, &json!({ "$ref": format!("#/$defs/{}", operation.out) }), &mut Vec::new())
    } else {
        json!({
            "type": "object",
            "properties": { HANDLE: { "type": "integer", "description": format!("The open {}; pass it to its tools, and to {CLOSE} at the end.", operation.opens) } },
            "required": [HANDLE],
        })
    };
    let mut annotations = ToolAnnotations::new();
    annotations.read_only_hint = Some(operation.read_only);
    if !operation.read_only {
        // Operations add; none deletes what it did not make.
        annotations.destructive_hint = Some(false);
    }
    let mut tool = Tool::new(operation.name.replace('.', "_"), operation.doc.clone(), object(input));
    tool.title = Some(title(&operation.name));
    tool.output_schema = Some(object(output));
    tool.annotations = Some(annotations);
    tool
}

fn close() -> Tool {
    let mut input = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    demand_handle(&mut input, "session, worker or stream");
    let mut annotations = ToolAnnotations::new();
    annotations.read_only_hint = Some(false);
    annotations.destructive_hint = Some(false);
    let mut tool = Tool::new(CLOSE, "Closes what an opening tool opened.", object(input));
    tool.title = Some("Handle: close".to_owned());
    tool.output_schema = Some(object(json!({ "type": "object", "properties": {} })));
    tool.annotations = Some(annotations);
    tool
}

fn object(schema: Value) -> Arc<Map<String, Value>> {
    match schema {
        Value::Object(mut schema) => {
            schema.entry("type").or_insert_with(|| "object".into());
            schema.entry("properties").or_insert_with(|| json!({}));
            Arc::new(schema)
        }
        _ => object(json!({})),
    }
}

fn demand_handle(input: &mut Value, class: &str) {
    input["properties"][HANDLE] = json!({ "type": "integer", "minimum": 1, "description": format!("The open {class}: the number that the opening tool gave back.") });
    match &mut input["required"] {
        Value::Array(required) => required.push(HANDLE.into()),
        required => *required = json!([HANDLE]),
    }
}

/// `risk.change` as `Risk: change`.
fn title(name: &str) -> String {
    let (noun, verb) = name.split_once('.').unwrap_or((name, ""));
    let mut letters = noun.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}: {}", letters.as_str(), verb.replace('_', " "))
}

/// A schema with every reference replaced by what it refers to: not every client follows them.
/// Inside itself a record stands as any value.
fn inlined(surface: &Description, schema: &Value, within: &mut Vec<String>) -> Value {
    match schema {
        Value::Object(members) => {
            let mut whole = Map::new();
            if let Some(name) =
                members.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next())
            {
                if within.iter().any(|outer| outer == name) {
                    return json!({});
                }
                within.push(name.to_owned());
                if let Some(Value::Object(target)) =
                    surface.types.get(name).map(|target| inlined(surface, target, within))
                {
                    whole = target;
                }
                within.pop();
            }
            for (name, member) in members {
                if name != "$ref" {
                    whole.insert(name.clone(), inlined(surface, member, within));
                }
            }
            Value::Object(whole)
        }
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| inlined(surface, item, within)).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_but_opening_a_workspace_and_running_programs_is_a_tool_with_whole_schemas() {
        let surface = barograph::describe();
        let tools = Tools::new(&surface);
        let roots = surface.operations.iter().filter(|operation| operation.receiver.is_empty()).count();
        let runs = surface.operations.iter().filter(|operation| operation.runs_programs).count();
        assert_eq!(tools.list().len(), surface.operations.len() - roots - runs + 1);
        assert!(tools.bound("workspace_open").is_none());
        assert!(tools.bound("session_command").is_none());
        for tool in tools.list() {
            let text = serde_json::to_string(tool).unwrap();
            assert!(!text.contains("$ref"), "{}", tool.name);
            assert_eq!(tool.input_schema["type"], "object", "{}", tool.name);
            assert_eq!(tool.output_schema.as_ref().unwrap()["type"], "object", "{}", tool.name);
            assert!(tool.input_schema["properties"].is_object(), "{}", tool.name);
        }
        let begin = tools.list().iter().find(|tool| tool.name == "session_begin").unwrap();
        assert_eq!(begin.input_schema["required"], json!(["name", "handle"]));
        let info = tools.list().iter().find(|tool| tool.name == "workspace_info").unwrap();
        assert_eq!(info.annotations.as_ref().unwrap().read_only_hint, Some(true));
        assert_eq!(info.title.as_deref(), Some("Workspace: info"));
    }

    #[test]
    fn a_record_inside_itself_is_any_value() {
        let mut surface = barograph::describe();
        surface.types.insert(
            "Tree".to_owned(),
            json!({ "type": "object", "properties": { "child": { "$ref": "#/$defs/Tree" } } }),
        );
        let schema =
            inlined(&surface, &json!({ "$ref": "#/$defs/Tree", "description": "d" }), &mut Vec::new());
        assert_eq!(schema, json!({ "type": "object", "properties": { "child": {} }, "description": "d" }));
    }
}
