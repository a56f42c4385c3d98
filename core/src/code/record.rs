//! What the code operations take and answer: plain data, the same in every language.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::shared::Shared;

/// Arguments of `code.metrics`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CodeMetricsArgs {
    /// Files and folders, absolute or relative to the folder that the workspace was opened on (to its
    /// top where nothing is there); none: the whole workspace. A file that is named is always read up
    /// to 32 MiB; in folders, what git ignores is left out, and links are not followed.
    pub paths: Vec<String>,
    /// Text to read instead of the file; `paths` then has one path, which need not exist and names it.
    pub text: Option<String>,
    /// Only these languages, by name; none: all.
    pub languages: Vec<String>,
    /// Whether folders also give generated, minified and vendored files.
    pub include_generated: bool,
    /// What the rows of the columnar form (and of CSV) are.
    pub rows: MetricRows,
}

/// The languages that can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LanguageTable {
    /// Every language that is known, in the order of the documentation's table.
    pub languages: Vec<LanguageRow>,
}

/// One language that can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LanguageRow {
    /// The name in answers and options, for example `typescript`.
    pub name: String,
    /// What a person calls it, for example `TypeScript`.
    pub title: String,
    /// Endings of its file names, without the dot.
    pub extensions: Vec<String>,
    /// Whole names of files that are in it.
    pub files: Vec<String>,
    /// Interpreters whose name in a first line (`#!`) says that a file is in it.
    pub interpreters: Vec<String>,
    /// Whether this build reads it.
    pub built_in: bool,
}

/// What a row of metrics is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MetricRows {
    /// A function, method, constructor or lambda that is bound to a name.
    #[default]
    Functions,
    /// A class, struct, trait, interface or implementation block.
    Classes,
    /// A file.
    Files,
}

/// Metrics of files, and what was not measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CodeMetrics {
    /// The measured files, sorted by path.
    pub files: Vec<Shared<FileMetrics>>,
    /// Files that were met and not measured, sorted by path; files of no known language are only counted.
    pub skipped: Vec<SkippedFile>,
    /// Files of no known language that folders held.
    pub unknown: u64,
    /// What the columnar form's rows are.
    pub rows: MetricRows,
}

/// A file that was met and not read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedFile {
    /// The path, as in the other answers.
    pub path: String,
    /// Why.
    pub reason: SkipReason,
    /// What is the matter, one sentence.
    pub message: String,
}

/// Why a file was not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// It is not text.
    #[default]
    Binary,
    /// It is larger than 4 MiB; where it was named, than 32 MiB.
    Huge,
    /// A tool wrote it: by its header, its name or `.gitattributes`.
    Generated,
    /// Its lines are too long to have been written by hand.
    Minified,
    /// It is somebody else's code: by its folder or `.gitattributes`.
    Vendored,
    /// Its language is known and its grammar not part of this build.
    NotBuiltIn,
    /// It took too long to parse.
    TooSlow,
    /// The system refused to read it.
    Unreadable,
}

/// How large a piece of code is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lines {
    /// Physical lines.
    pub total: u64,
    /// Lines with at least one token that is no comment.
    pub code: u64,
    /// Logical lines: statements and declarations.
    pub logical: u64,
    /// Lines with a comment or a documentation string.
    pub comment: u64,
    /// Lines of white space only, inside of texts and comments too.
    pub blank: u64,
}

/// Halstead's measures (Elements of Software Science, 1977).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Halstead {
    /// Distinct operators, n1.
    pub distinct_operators: u64,
    /// Distinct operands, n2.
    pub distinct_operands: u64,
    /// Operators, N1.
    pub operators: u64,
    /// Operands, N2.
    pub operands: u64,
    /// Volume in bits: (N1 + N2) * log2(n1 + n2); 0 where there is nothing.
    pub volume: f64,
    /// Difficulty: n1/2 * N2/n2; 0 where there is no operand.
    pub difficulty: f64,
    /// Effort: difficulty * volume.
    pub effort: f64,
}

/// Metrics of one function with a body.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FunctionMetrics {
    /// Its name; for a lambda the name that it is bound to, else `(anonymous)`.
    pub name: String,
    /// The name after those of the classes and functions around it, with `.` between.
    pub qualified: String,
    /// First line, from 1; in a notebook that Jupyter wrote, the line of the file.
    pub line: u64,
    /// Last line, from 1.
    pub end_line: u64,
    /// Cyclomatic complexity (McCabe 1976): 1 + decisions, functions inside left out.
    pub cyclomatic: u64,
    /// The same with every function inside: its own decisions and theirs, each with its 1.
    pub cyclomatic_with_nested: u64,
    /// Cognitive complexity (SonarSource white paper 1.5): functions inside count here, one level deeper.
    pub cognitive: u64,
    /// The same with functions inside left out.
    pub cognitive_own: u64,
    /// Deepest nesting of control structures, functions inside included.
    pub nesting: u64,
    /// Declared parameters; `self` counts where it stands among them, the receiver of a Go method does not.
    pub parameters: u64,
    /// Places where it ends: `return`, `throw`, `raise`, `?`, `yield` does not count.
    pub exits: u64,
    /// Tokens, comments and documentation strings left out; a literal is one.
    pub tokens: u64,
    /// How large it is.
    pub lines: Lines,
    /// Halstead's measures.
    pub halstead: Halstead,
    /// Maintainability index of Oman and Hagemeister 1992, three metrics, not rescaled:
    /// 171 - 5.2 ln(volume) - 0.23 cyclomatic - 16.2 ln(code lines).
    pub maintainability: f64,
    /// Survives moves and changes of layout: 16 hexadecimal digits over the tokens of the body.
    pub identity: String,
}

/// Metrics of one class, struct, trait, interface or implementation block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassMetrics {
    /// Its name.
    pub name: String,
    /// First line, from 1.
    pub line: u64,
    /// Last line, from 1.
    pub end_line: u64,
    /// Methods.
    pub methods: u64,
    /// Fields that it declares.
    pub fields: u64,
    /// Weighted methods per class (Chidamber and Kemerer 1994): the methods' cyclomatic complexity, summed.
    pub weighted_methods: u64,
    /// The methods' cognitive complexity, summed.
    pub cognitive: u64,
    /// How large it is.
    pub lines: Lines,
}

/// Metrics of one file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileMetrics {
    /// The file, relative to the workspace's top, `/` between components; absolute outside of it.
    pub path: String,
    /// Its language, for example `typescript`.
    pub language: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Whether a tool wrote it.
    pub generated: bool,
    /// Its functions, by place.
    pub functions: Vec<FunctionMetrics>,
    /// Its classes, by place.
    pub classes: Vec<ClassMetrics>,
    /// Cyclomatic complexity: 1 for the file, its own decisions, and that of every function.
    pub cyclomatic: u64,
    /// Cognitive complexity of everything in it.
    pub cognitive: u64,
    /// Tokens, comments left out.
    pub tokens: u64,
    /// How large it is.
    pub lines: Lines,
    /// Halstead's measures.
    pub halstead: Halstead,
    /// Maintainability index, as for functions.
    pub maintainability: f64,
    /// Places where the text does not follow the grammar; near them the numbers are a lower bound.
    pub parse_errors: u64,
    /// Bytes inside such places.
    pub damaged_bytes: u64,
}
