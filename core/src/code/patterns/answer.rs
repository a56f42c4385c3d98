//! From what was found in files to the answers of the operations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::record::*;
use super::rule::{Place, Rule};
use super::rules::Rules;
use super::search::{Hit, search};
use crate::base::cancel::CancelToken;
use crate::code::language::Language;
use crate::code::parse::Parsed;
use crate::code::scan::{Analysed, Analysis};
use crate::error::{Error, Result};
use crate::evidence::record::{Finding, Severity};

/// The search of files for patterns, as an analysis whose results are kept.
#[derive(Debug)]
pub struct Patterns {
    /// The rules in force.
    pub rules: Arc<Rules>,
}

impl Analysis for Patterns {
    type Out = Vec<Hit>;

    fn kind(&self) -> String {
        format!("patterns/1/{}", self.rules.fingerprint())
    }

    fn analyse(&self, parsed: &Parsed<'_>, cancel: &CancelToken) -> Result<Vec<Hit>> {
        search(parsed, &self.rules, cancel).map_err(|error| {
            let own = error
                .context()
                .get("rule")
                .is_some_and(|id| self.rules.find(id, parsed.language).is_some_and(|rule| rule.own));
            // A file that makes one of our own rules explode is passed over; a user's rule is to be mended.
            match error.code() {
                "rule.too_slow" if !own => Error::new("code.too_slow", error.message().to_owned()),
                _ => error,
            }
        })
    }
}

/// Which findings are asked for.
#[derive(Debug)]
pub struct Wanted {
    include: BTreeSet<String>,
    exclude: BTreeSet<String>,
    least: Severity,
}

impl Wanted {
    /// What the arguments ask for.
    ///
    /// Errors: `rule.unknown` for an id that no rule has.
    pub fn of(args: &CodePatternsArgs, rules: &Rules) -> Result<Wanted> {
        for id in args.rules.iter().chain(&args.exclude) {
            if !rules.ids().any(|known| known == id) {
                let near = rules
                    .ids()
                    .map(|known| (strsim::damerau_levenshtein(id, known), known))
                    .min()
                    .filter(|(distance, known)| *distance <= known.len().div_ceil(2))
                    .map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"));
                return Err(Error::new(
                    "rule.unknown",
                    format!("no rule `{id}`{near}; `code.rules` lists them all"),
                )
                .with("rule", id));
            }
        }
        Ok(Wanted {
            include: args.rules.iter().cloned().collect(),
            exclude: args.exclude.iter().cloned().collect(),
            least: args.min_severity.unwrap_or(Severity::Info),
        })
    }

    fn wants(&self, rule: &Rule) -> bool {
        rule.severity >= self.least
            && (self.include.is_empty() || self.include.contains(&rule.id))
            && !self.exclude.contains(&rule.id)
    }
}

/// The answer of `code.patterns`.
pub fn answer(found: Analysed<Vec<Hit>>, rules: &Rules, wanted: &Wanted) -> CodePatterns {
    let mut answer = CodePatterns {
        files: found.files.len() as u64,
        skipped: found.skipped,
        unknown: found.unknown,
        ..CodePatterns::default()
    };
    let mut by_rule: BTreeMap<&str, RuleCount> = BTreeMap::new();
    for outcome in &found.files {
        let (path, language) = (&outcome.file.path, outcome.file.language);
        let mut here: BTreeMap<&str, u64> = BTreeMap::new();
        for hit in outcome.result.iter() {
            let Some(rule) = rules.find(&hit.rule, language) else { continue };
            if !wanted.wants(rule) || !rule.holds_in(path) {
                continue;
            }
            *here.entry(&rule.id).or_default() += 1;
            by_rule
                .entry(&rule.id)
                .or_insert_with(|| RuleCount { rule: rule.id.clone(), severity: rule.severity, count: 0 })
                .count += 1;
            answer.findings.push(finding(hit, rule, path));
        }
        answer.counts.extend(here.into_iter().map(|(rule, count)| FileRuleCount {
            path: path.clone(),
            rule: rule.to_owned(),
            count,
        }));
    }
    answer.rules = by_rule.into_values().collect();
    answer
}

fn finding(hit: &Hit, rule: &Rule, path: &str) -> Finding {
    Finding {
        rule: rule.id.clone(),
        severity: rule.severity,
        path: path.to_owned(),
        line: hit.line,
        column: hit.column,
        end_line: hit.end_line,
        function: hit.function.clone(),
        reason: rule.reason.clone(),
        action: rule.action.clone(),
        excerpt: hit.excerpt.clone(),
        author: None,
        age_days: None,
    }
}

/// The answer of `code.rules`; `languages` empty: those of all languages.
pub fn describe(rules: &Rules, languages: &[Language]) -> CodeRules {
    let mut found: Vec<RuleDescription> = Vec::new();
    for rule in rules.list() {
        let mut one = RuleDescription {
            id: rule.id.clone(),
            languages: Vec::new(),
            severity: rule.severity,
            reason: rule.reason.clone(),
            action: rule.action.clone(),
            not_in: rule.not_in.iter().map(Place::name).collect(),
            only_in: rule.only_in.iter().map(Place::name).collect(),
            built_in: !rule.own,
        };
        let own: Vec<String> = rule
            .languages
            .iter()
            .filter(|language| languages.is_empty() || languages.contains(language))
            .map(|language| language.name().to_owned())
            .collect();
        if own.is_empty() {
            continue;
        }
        // The same rule in another language's file says the same of itself.
        match found
            .iter_mut()
            .find(|other| RuleDescription { languages: Vec::new(), ..(*other).clone() } == one)
        {
            Some(other) => other.languages.extend(own),
            None => {
                one.languages = own;
                found.push(one);
            }
        }
    }
    for rule in &mut found {
        rule.languages.sort_unstable();
    }
    CodeRules { rules: found }
}
