//! The surface as data: what `cargo gen` writes the SDKs, schemas and the manifest from.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};

use super::OPERATIONS;
use crate::error::{CODES, Kind};

/// Everything public: operations, records, error kinds and codes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Description {
    /// Version of the library.
    pub version: String,
    /// Every operation.
    pub operations: Vec<OperationDescription>,
    /// JSON Schema (draft 2020-12) of every record, by name; references are `#/$defs/Name`.
    pub types: BTreeMap<String, serde_json::Value>,
    /// Every kind of error.
    pub kinds: Vec<KindDescription>,
    /// Every error code.
    pub codes: Vec<CodeDescription>,
}

/// One operation as data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OperationDescription {
    /// `noun.verb`.
    pub name: String,
    /// The class whose handles have it; empty for the root.
    pub receiver: String,
    /// The class of the handle that it opens; empty where it answers with a record.
    pub opens: String,
    /// Arguments that hosts take by position, in order.
    pub positional: Vec<String>,
    /// Whether it changes nothing that outlives the call.
    pub read_only: bool,
    /// Whether it runs programs of the caller's choice.
    pub runs_programs: bool,
    /// Whether it offers Arrow columns.
    pub columns: bool,
    /// What it does, one sentence.
    pub doc: String,
    /// Name of its arguments' record in `types`.
    pub args: String,
    /// Name of its result's record in `types`; empty where it opens a handle.
    pub out: String,
}

/// One kind of error as data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KindDescription {
    /// Name, for example `invalid_input`.
    pub name: String,
    /// Exit status of the command line.
    pub exit_code: u8,
    /// When it is used, one sentence.
    pub doc: String,
}

/// One error code as data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CodeDescription {
    /// The dotted code.
    pub code: String,
    /// Name of its kind.
    pub kind: String,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// When it is raised.
    pub doc: String,
}

/// Describes the whole surface.
///
/// ```
/// let surface = barograph::describe();
/// assert!(surface.operations.iter().any(|operation| operation.name == "risk.change"));
/// ```
pub fn describe() -> Description {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let name_of = |schema: &schemars::Schema| {
        let reference = schema.get("$ref").and_then(|value| value.as_str()).unwrap_or_default();
        reference.rsplit('/').next().unwrap_or_default().to_owned()
    };
    let operations = OPERATIONS
        .iter()
        .map(|operation| OperationDescription {
            name: operation.name.to_owned(),
            receiver: operation.receiver.to_owned(),
            opens: operation.opens.to_owned(),
            positional: operation.positional.iter().map(|&name| name.to_owned()).collect(),
            read_only: operation.read_only,
            runs_programs: operation.runs_programs,
            columns: operation.columns,
            doc: operation.doc.to_owned(),
            args: name_of(&(operation.args)(&mut generator)),
            out: operation.out.map_or_else(String::new, |out| name_of(&out(&mut generator))),
        })
        .collect();
    generator.subschema_for::<crate::error::ErrorRecord>();
    let types = generator.take_definitions(true).into_iter().collect();
    Description {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        operations,
        types,
        kinds: Kind::ALL
            .iter()
            .map(|kind| KindDescription {
                name: kind.name().to_owned(),
                exit_code: kind.exit_code(),
                doc: kind.describe().to_owned(),
            })
            .collect(),
        codes: CODES
            .iter()
            .map(|&(code, kind, retryable, doc)| CodeDescription {
                code: code.to_owned(),
                kind: kind.name().to_owned(),
                retryable,
                doc: doc.to_owned(),
            })
            .collect(),
    }
}
