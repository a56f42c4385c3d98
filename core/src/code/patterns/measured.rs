//! Rules over measures: what is too deep, too long, too wide.

use super::rule::{Place, Rule};
use super::rules::Rules;
use super::search::Hit;
use crate::base::cancel::CancelToken;
use crate::code::language::Language;
use crate::code::metrics::measure;
use crate::code::parse::Parsed;
use crate::code::record::{ClassMetrics, FunctionMetrics};
use crate::error::Result;
use crate::evidence::record::Severity;

/// Deepest nesting of control structures that passes.
const DEEPEST: u64 = 5;
/// Most parameters that pass, the receiver included (rule S107 of SonarQube has 7 without it).
const MOST_PARAMETERS: u64 = 8;
/// Most lines of code in a function that pass.
const LONGEST: u64 = 150;
/// A brain function (Lanza and Marinescu 2006, "brain method") is long, ...
const BRAIN_LINES: u64 = 65;
/// ... hard to understand (the white paper's own limit is 15), ...
const BRAIN_COGNITIVE: u64 = 40;
/// ... and deeply nested.
const BRAIN_NESTING: u64 = 3;
/// Most lines of code in a class that pass.
const LARGEST: u64 = 1000;

/// What a rule measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Nesting,
    Parameters,
    Brain,
    FunctionLines,
    ClassLines,
}

/// Id, measure, severity, reason, action.
const TABLE: &[(&str, Measure, Severity, &str, &str)] = &[
    (
        "brain-function",
        Measure::Brain,
        Severity::Major,
        "Long (over 65 lines), hard to follow (cognitive complexity over 40) and nested: such functions hold most defects.",
        "Split it into functions that each do one thing.",
    ),
    (
        "deep-nesting",
        Measure::Nesting,
        Severity::Minor,
        "Control structures are nested more than 5 deep, and whoever reads the innermost has to keep all of them in mind.",
        "Leave early, or move the inner part into a function.",
    ),
    (
        "large-class",
        Measure::ClassLines,
        Severity::Minor,
        "A class of more than 1000 lines of code does more than one thing.",
        "Move what belongs together into classes of its own.",
    ),
    (
        "long-function",
        Measure::FunctionLines,
        Severity::Minor,
        "A function of more than 150 lines of code does more than one thing.",
        "Move parts that have a name into functions of their own.",
    ),
    (
        "long-parameter-list",
        Measure::Parameters,
        Severity::Minor,
        "With more than 8 parameters a call says nothing by itself, and two are easily swapped.",
        "Put those that belong together into a type.",
    ),
];

impl Measure {
    pub(super) fn of_id(id: &str) -> Option<Measure> {
        TABLE.iter().find(|row| row.0 == id).map(|row| row.1)
    }

    fn finds_function(self, function: &FunctionMetrics) -> bool {
        match self {
            Measure::Nesting => function.nesting > DEEPEST,
            Measure::Parameters => function.parameters > MOST_PARAMETERS,
            Measure::FunctionLines => {
                function.lines.code > LONGEST && !Measure::Brain.finds_function(function)
            }
            Measure::Brain => {
                function.lines.code > BRAIN_LINES
                    && function.cognitive_own > BRAIN_COGNITIVE
                    && function.nesting > BRAIN_NESTING
            }
            Measure::ClassLines => false,
        }
    }

    fn finds_class(self, class: &ClassMetrics) -> bool {
        self == Measure::ClassLines && class.lines.code > LARGEST
    }
}

/// The rules over measures, for every language that is built in.
pub(super) fn rules() -> Vec<Rule> {
    let languages: Vec<Language> = Language::all().filter(|language| language.grammar().is_some()).collect();
    TABLE
        .iter()
        .map(|(id, measure, severity, reason, action)| Rule {
            id: (*id).to_owned(),
            // Functions of a shell name no parameters, and there are no classes.
            languages: languages
                .iter()
                .copied()
                .filter(|language| {
                    *language != Language::Bash
                        || !matches!(measure, Measure::Parameters | Measure::ClassLines)
                })
                .collect(),
            severity: *severity,
            reason: (*reason).to_owned(),
            action: (*action).to_owned(),
            not_in: vec![Place::Tests],
            file: "measures".to_owned(),
            ..Rule::default()
        })
        .collect()
}

/// Says of each finding which function it stands in, and adds what the measures show.
pub(super) fn search(
    parsed: &Parsed<'_>,
    rules: &Rules,
    cancel: &CancelToken,
    found: &mut Vec<Hit>,
) -> Result<()> {
    let metrics = match measure(parsed, cancel) {
        Ok(metrics) => metrics,
        // A language may have rules before it has measures.
        Err(error) if error.code() == "language.not_built_in" => return Ok(()),
        Err(error) => return Err(error),
    };
    for hit in found.iter_mut() {
        // The innermost function is the last one that begins before and ends behind.
        let around = metrics.functions.iter().rfind(|one| one.line <= hit.line && hit.line <= one.end_line);
        if let Some(function) = around {
            hit.function.clone_from(&function.qualified);
        }
    }
    for (rule, measure) in rules.measured(parsed.language) {
        let functions = metrics.functions.iter().filter(|function| measure.finds_function(function));
        found.extend(functions.map(|one| hit(rule, parsed.text, one.line, one.end_line, &one.qualified)));
        let classes = metrics.classes.iter().filter(|class| measure.finds_class(class));
        found.extend(classes.map(|one| hit(rule, parsed.text, one.line, one.end_line, "")));
    }
    Ok(())
}

fn hit(rule: &Rule, text: &[u8], line: u64, end_line: u64, function: &str) -> Hit {
    let at = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let content = text.split(|byte| *byte == b'\n').nth(at).unwrap_or_default();
    let indent = content.len() - content.trim_ascii_start().len();
    Hit {
        rule: rule.id.clone(),
        line,
        column: indent as u64 + 1,
        end_line,
        function: function.to_owned(),
        excerpt: super::search::excerpt(content),
    }
}
