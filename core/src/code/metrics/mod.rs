//! Metrics of a file and of every function and class in it, from one pass over its tree.
//!
//! Cyclomatic complexity follows McCabe 1976 as lizard counts it where tools agree: one for the
//! function, one for every `if`, loop, `case`, `catch`, conditional expression, logical operator,
//! guard, arm of an exhaustive `match` but the last, and Rust's `?`. A lambda of Python or Java is part
//! of the function around it, that of any other language a function of its own.
//!
//! Cognitive complexity follows the SonarSource white paper, version 1.5. What it leaves open is
//! settled so: a condition is not nested in its own structure, its branches are; parentheses do not
//! end a sequence of like operators, a negation or a call does; a guard of a `match` arm or `case`, the
//! condition of a comprehension and the `else` of `let ... else` cost one without nesting; `else`
//! belonging to a `try` is free; `#if` counts inside of functions; recursion is found where the
//! called function stands in the same file and its name, receiver and number of arguments tell
//! which it is. The inside of a Rust macro call is tokens: they count where they stand.
//!
//! Halstead's operators are keywords, punctuation and built-in types, brackets counted where they
//! open; operands are names and literals, a literal being one token however the grammar splits it.

mod chain;
mod lines;
mod names;
mod recursion;
mod scopes;
mod tokens;
mod walk;

use std::collections::HashMap;
use std::ops::Range;

use super::parse::Parsed;
use super::record::{ClassMetrics, FileMetrics, FunctionMetrics, Halstead, Lines};
use super::syntax::Syntax;
use crate::base::cancel::CancelToken;
use crate::error::{Error, Result};
use lines::row;
use recursion::Call;
use scopes::Function;
use walk::{Outcome, Walk};

pub use tokens::hash as content_hash;
pub(super) use tokens::hash;

/// Where a function stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionSpan {
    /// Its name; for a lambda the name that it is bound to, else `(anonymous)`.
    pub name: String,
    /// The name after those of the classes and functions around it, with `.` between.
    pub qualified: String,
    /// The class that it is a method of.
    pub class: Option<String>,
    /// First line, from 1.
    pub line: u64,
    /// Last line, from 1.
    pub end_line: u64,
    /// Its text.
    pub bytes: Range<usize>,
    /// The text of its body.
    pub body: Range<usize>,
    /// Survives moves and changes of layout: a hash over the tokens of the body.
    pub identity: u64,
}

/// What a line holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineClass {
    /// White space only.
    #[default]
    Blank,
    /// Comments or documentation strings only.
    Comment,
    /// Imports only, and comments beside them.
    Import,
    /// Anything else.
    Code,
}

/// Where functions stand in a file, and what its lines hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The functions, by place.
    pub functions: Vec<FunctionSpan>,
    /// One entry per line.
    pub lines: Vec<LineClass>,
}

/// The functions of a file, by place; nothing for a language that this build has not.
pub fn functions(parsed: &Parsed<'_>) -> Vec<FunctionSpan> {
    outline(parsed).functions
}

/// What every line of a file holds.
pub fn line_classes(parsed: &Parsed<'_>) -> Vec<LineClass> {
    outline(parsed).lines
}

/// Functions and lines of a file in one pass.
pub fn outline(parsed: &Parsed<'_>) -> Outline {
    let Some(syntax) = Syntax::of(parsed.language) else { return Outline::default() };
    let Ok(outcome) = Walk::new(parsed, syntax).run(parsed, &CancelToken::new()) else {
        return Outline::default();
    };
    let lines = outcome.rows.marks.iter().map(|&marks| class_of(marks)).collect();
    let classes = &outcome.classes;
    let functions = outcome.functions.into_iter().map(|function| FunctionSpan {
        class: function
            .type_name
            .or_else(|| function.class.and_then(|at| classes.get(at)).map(|class| class.name.clone())),
        name: function.name,
        qualified: function.qualified,
        line: function.rows.start as u64 + 1,
        end_line: function.rows.end as u64,
        bytes: function.bytes,
        body: function.body,
        identity: function.identity,
    });
    Outline { functions: functions.collect(), lines }
}

fn class_of(marks: u8) -> LineClass {
    if marks & row::BLANK != 0 {
        LineClass::Blank
    } else if marks & row::CODE != 0 {
        LineClass::Code
    } else if marks & row::IMPORT != 0 {
        LineClass::Import
    } else if marks & row::COMMENT != 0 {
        LineClass::Comment
    } else {
        LineClass::Code
    }
}

/// All metrics of a file; `path` and `generated` are left to who knows them.
///
/// Errors: `language.not_built_in`, `call.cancelled`.
pub fn measure(parsed: &Parsed<'_>, cancel: &CancelToken) -> Result<FileMetrics> {
    let Some(syntax) = Syntax::of(parsed.language) else {
        return Err(Error::new(
            "language.not_built_in",
            format!("this build reads no {}", parsed.language.title()),
        ));
    };
    let mut outcome = Walk::new(parsed, syntax).run(parsed, cancel)?;
    recurse(&mut outcome, parsed, syntax);
    let sums = outcome.rows.sums();
    let classes = classes(&outcome, &sums);
    let file = &outcome.file;
    let lines = lines(&file.rows, file.statements, &sums);
    let halstead = halstead(file);
    // One for the file, and one for every function in it.
    let cyclomatic = u64::from(file.decisions) + 1 + u64::from(file.nested);
    Ok(FileMetrics {
        path: String::new(),
        language: parsed.language.name().to_string(),
        bytes: parsed.text.len() as u64,
        generated: false,
        cyclomatic,
        cognitive: file.cognitive,
        tokens: u64::from(file.totals.tokens),
        maintainability: maintainability(halstead.volume, cyclomatic, lines.code),
        lines,
        halstead,
        parse_errors: outcome.damages,
        damaged_bytes: outcome.damaged_bytes,
        functions: outcome.functions.into_iter().map(|function| finished(function, &sums)).collect(),
        classes,
    })
}

/// Adds one to every function that is part of a cycle of calls, and to what is around it.
fn recurse(outcome: &mut Outcome, parsed: &Parsed<'_>, syntax: &Syntax) {
    let class_names: Vec<String> = outcome.classes.iter().map(|class| class.name.clone()).collect();
    let arity = |call: &Call| {
        let at = call.at as usize;
        let name = parsed.tree.root_node().descendant_for_byte_range(at, at + 1)?;
        let list = name.next_named_sibling().or_else(|| name.parent()?.next_named_sibling())?;
        let mut cursor = list.walk();
        let arguments = list.named_children(&mut cursor).filter(|argument| !argument.is_extra()).count();
        u32::try_from(arguments).ok()
    };
    let found = recursion::in_cycles(&outcome.functions, &class_names, &outcome.calls, syntax.habits, arity);
    if found.is_empty() {
        return;
    }
    let mut extra = vec![0_u64; outcome.functions.len()];
    for at in found {
        extra[at] += 1;
        outcome.functions[at].cognitive_own += 1;
    }
    // Functions stand behind those around them.
    for at in (0..extra.len()).rev() {
        outcome.functions[at].cognitive += extra[at];
        match outcome.functions[at].parent {
            Some(parent) => extra[parent] += extra[at],
            None => outcome.file.cognitive += extra[at],
        }
    }
}

fn classes(outcome: &Outcome, sums: &[[u32; 3]]) -> Vec<ClassMetrics> {
    let mut classes: Vec<ClassMetrics> = outcome
        .classes
        .iter()
        .map(|class| ClassMetrics {
            name: class.name.clone(),
            line: class.rows.start as u64 + 1,
            end_line: class.rows.end as u64,
            fields: u64::from(class.fields),
            lines: lines(&class.rows, class.statements, sums),
            ..ClassMetrics::default()
        })
        .collect();
    let mut by_name = HashMap::new();
    for (at, class) in outcome.classes.iter().enumerate().rev() {
        by_name.insert(class.name.as_str(), at);
    }
    for function in &outcome.functions {
        // Go's methods name their type; the declaration is in this file or in another.
        let class = function.class.or_else(|| by_name.get(function.type_name.as_deref()?).copied());
        if let Some(class) = class.and_then(|at| classes.get_mut(at)) {
            class.methods += 1;
            class.weighted_methods += u64::from(function.decisions_own) + 1;
            class.cognitive += function.cognitive;
        }
    }
    classes
}

fn finished(function: Function, sums: &[[u32; 3]]) -> FunctionMetrics {
    let lines = lines(&function.rows, function.statements, sums);
    let halstead = halstead(&function);
    let cyclomatic = u64::from(function.decisions_own) + 1;
    FunctionMetrics {
        line: function.rows.start as u64 + 1,
        end_line: function.rows.end as u64,
        cyclomatic,
        cyclomatic_with_nested: u64::from(function.decisions) + 1 + u64::from(function.nested),
        cognitive: function.cognitive,
        cognitive_own: function.cognitive_own,
        nesting: u64::from(function.nesting),
        parameters: u64::from(function.parameters),
        exits: u64::from(function.exits),
        tokens: u64::from(function.totals.tokens),
        maintainability: maintainability(halstead.volume, cyclomatic, lines.code),
        lines,
        halstead,
        identity: format!("{:016x}", function.identity),
        name: function.name,
        qualified: function.qualified,
    }
}

fn lines(rows: &Range<usize>, statements: u32, sums: &[[u32; 3]]) -> Lines {
    let last = sums.len().saturating_sub(1);
    let (from, to) = (rows.start.min(last), rows.end.min(last));
    let (Some(before), Some(after)) = (sums.get(from), sums.get(to)) else { return Lines::default() };
    let share = |at: usize| u64::from(after[at].saturating_sub(before[at]));
    Lines {
        total: to.saturating_sub(from) as u64,
        code: share(0),
        logical: u64::from(statements),
        comment: share(1),
        blank: share(2),
    }
}

fn halstead(function: &Function) -> Halstead {
    let (operators, operands) = (u64::from(function.totals.operators), u64::from(function.totals.operands));
    let (distinct_operators, distinct_operands) = function.distinct;
    let vocabulary = (distinct_operators + distinct_operands) as f64;
    let length = (operators + operands) as f64;
    let volume = if vocabulary > 0.0 { length * libm::log2(vocabulary) } else { 0.0 };
    let difficulty = if distinct_operands > 0 {
        distinct_operators as f64 / 2.0 * operands as f64 / distinct_operands as f64
    } else {
        0.0
    };
    Halstead {
        distinct_operators,
        distinct_operands,
        operators,
        operands,
        volume,
        difficulty,
        effort: difficulty * volume,
    }
}

fn maintainability(volume: f64, cyclomatic: u64, code: u64) -> f64 {
    // A piece of code without tokens or lines takes away nothing.
    171.0
        - 5.2 * libm::log(volume.max(1.0))
        - 0.23 * cyclomatic as f64
        - 16.2 * libm::log((code as f64).max(1.0))
}

#[cfg(test)]
mod tests;
