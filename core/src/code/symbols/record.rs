//! What `code.symbols` takes and answers.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::shared::Shared;
use crate::code::record::SkippedFile;

/// Arguments of `code.symbols`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CodeSymbolsArgs {
    /// Files and folders, relative to the workspace's top or absolute; none: the whole workspace.
    /// A file that is named is always read; in folders, what git ignores is left out.
    pub paths: Vec<String>,
    /// Text to read instead of the file; `paths` then has one path, which need not exist and names it.
    pub text: Option<String>,
    /// Only these languages, by name; none: all.
    pub languages: Vec<String>,
    /// Whether folders also give generated, minified and vendored files.
    pub include_generated: bool,
    /// Only these roles; none: all.
    pub roles: Vec<SymbolRole>,
    /// Only these kinds; none: all.
    pub kinds: Vec<SymbolKind>,
}

impl From<&str> for CodeSymbolsArgs {
    fn from(path: &str) -> Self {
        CodeSymbolsArgs { paths: vec![path.to_owned()], ..CodeSymbolsArgs::default() }
    }
}

/// Symbols of files, and what was not read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeSymbols {
    /// The files that were read, sorted by path.
    pub files: Vec<Shared<FileSymbols>>,
    /// Files that were met and not read, sorted by path; files of no known language are only counted.
    pub skipped: Vec<SkippedFile>,
    /// Files of no known language that folders held.
    pub unknown: u64,
}

/// Symbols of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileSymbols {
    /// The file, relative to the workspace's top, `/` between components; absolute outside of it.
    pub path: String,
    /// Its language, for example `typescript`.
    pub language: String,
    /// Its symbols, by place.
    pub symbols: Vec<Symbol>,
}

/// What a symbol does at its place.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SymbolRole {
    /// It gives a name its meaning.
    #[default]
    Definition,
    /// It announces what is defined elsewhere: a prototype in C, an overload in TypeScript.
    Declaration,
    /// It uses a name.
    Reference,
    /// It brings a name in from another file or module.
    Import,
}

impl SymbolRole {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            SymbolRole::Definition => "definition",
            SymbolRole::Declaration => "declaration",
            SymbolRole::Reference => "reference",
            SymbolRole::Import => "import",
        }
    }
}

macro_rules! kinds {
    ($($(#[$meta:meta])* $variant:ident = $name:literal;)*) => {
        /// What a symbol is.
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum SymbolKind { $($(#[$meta])* $variant,)* }

        impl SymbolKind {
            /// The name in answers.
            pub fn name(self) -> &'static str {
                match self { $(SymbolKind::$variant => $name,)* }
            }

            /// The kind of this name.
            pub(super) fn of_name(name: &str) -> Option<SymbolKind> {
                match name { $($name => Some(SymbolKind::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    /// A function outside of types.
    #[default]
    Function = "function";
    /// A function of a type, constructors included.
    Method = "method";
    /// A class or record.
    Class = "class";
    /// A struct or union.
    Struct = "struct";
    /// An interface or protocol.
    Interface = "interface";
    /// A trait.
    Trait = "trait";
    /// An enumeration.
    Enum = "enum";
    /// A name for another type (as a definition), or any named type (as a reference).
    Type = "type";
    /// A named value that does not change: `const`, `static final`, a member of an enumeration, a name in
    /// capitals in Python.
    Constant = "constant";
    /// A variable outside of functions.
    Variable = "variable";
    /// A variable of a type.
    Field = "field";
    /// A macro.
    Macro = "macro";
    /// A module, namespace or package (as a definition), or one that is imported whole.
    Module = "module";
    /// A call of a function, method, constructor, macro, decorator or component.
    Call = "call";
    /// A type that another one extends, implements or embeds.
    Implementation = "implementation";
    /// One name that is imported.
    Name = "name";
    /// Every name of a module that is imported.
    Wildcard = "wildcard";
}

/// One name at one place. Texts are shared among the symbols of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Symbol {
    /// What it does here.
    pub role: SymbolRole,
    /// What it is.
    pub kind: SymbolKind,
    /// Its name; of an import the name in the other module: `*` for all of them, `default` for the default
    /// export, empty where the module itself is imported.
    #[serde(with = "shared")]
    #[schemars(with = "String")]
    pub name: Arc<str>,
    /// The classes, functions and modules around it, outermost first, with `.` between; empty at the top.
    #[serde(with = "shared")]
    #[schemars(with = "String")]
    pub scope: Arc<str>,
    /// Of an import the module as written (`..pkg`, `./x.js`, `java.util`, `crate::a`, `stdio.h`); of a
    /// reference what stands before the name (`np` of `np.array()`) where that is a plain path; else empty.
    #[serde(with = "shared")]
    #[schemars(with = "String")]
    pub origin: Arc<str>,
    /// The local name of an import where it is another one; else empty.
    #[serde(with = "shared")]
    #[schemars(with = "String")]
    pub alias: Arc<str>,
    /// Line of the name, from 1.
    pub line: u32,
    /// Column of the name, bytes from 1.
    pub column: u32,
    /// Last line of what is defined or imported, from 1; of a reference that of the name.
    pub end_line: u32,
    /// Of a definition: other files can use it, as far as the language says so (`pub`, `public`, `export`,
    /// `static` in C, a capital in Go, an underscore or `__all__` in Python). Of an import: it is exported again.
    pub exported: bool,
    /// Of an import: the module is looked up from this file's own place.
    pub relative: bool,
}

/// Texts that are shared, as plain texts.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(deserializer).map(Arc::from)
    }
}
