//! The rules in force, and one query per language made of them.

use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, LazyLock, OnceLock};

use regex::bytes::Regex;
use sha2::{Digest, Sha256};
use tree_sitter::{Query, QueryErrorKind};

use super::predicate::Predicate;
use super::rule::{Rule, invalid};
use super::{builtin, measured};
use crate::code::language::Language;
use crate::error::{Error, Result};

/// A rule file may be this large.
const LARGEST: u64 = 1 << 20;

/// The rules of one search, compiled per language when the language is first met.
#[derive(Debug)]
pub struct Rules {
    /// Sorted by id.
    rules: Vec<Rule>,
    sets: Vec<OnceLock<Result<Option<Set>>>>,
    fingerprint: String,
}

/// The rules of one language.
#[derive(Debug)]
pub(super) struct Set {
    /// The rules in it, by their place in the list of rules.
    pub(super) members: Vec<usize>,
    /// Those that may hold anywhere, and those that need one of a few texts.
    pub(super) parts: Vec<Part>,
}

/// Rules that are searched by together.
#[derive(Debug)]
pub(super) struct Part {
    /// Where there is none of these texts there is no finding; `None`: the rules need none.
    pub(super) texts: Option<Regex>,
    members: Vec<usize>,
    /// Compiled when a file first has one of the texts.
    joined: OnceLock<Result<Joined>>,
}

impl Part {
    /// Its rules as one query.
    pub(super) fn joined(&self, rules: &Rules, language: Language) -> Result<Option<&Joined>> {
        let Some(grammar) = language.grammar() else { return Ok(None) };
        match self.joined.get_or_init(|| rules.join(language, &grammar, self.members.clone())) {
            Ok(joined) => Ok(Some(joined)),
            Err(error) => Err(error.clone()),
        }
    }
}

/// Rules of one language as one query.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) query: Query,
    /// What each pattern of the query belongs to and asks besides.
    pub(super) patterns: Vec<Pattern>,
    /// The index of `@finding`.
    pub(super) finding: u32,
}

#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) rule: usize,
    pub(super) predicates: Vec<Predicate>,
}

static BUILT_IN: LazyLock<Arc<Rules>> = LazyLock::new(|| {
    Arc::new(Rules::of(builtin::rules().unwrap_or_else(|error| unreachable!("a built-in rule: {error}"))))
});

impl Rules {
    /// The rules that come with this library.
    pub fn built_in() -> Arc<Rules> {
        Arc::clone(&BUILT_IN)
    }

    /// The rules that come with this library and those of `folders`, each `<language>/*.scm`; a
    /// rule of the same id and language replaces the one that was there.
    ///
    /// Errors: `rule.invalid`, which names the file, the line and what is wrong.
    pub fn with_folders<P: AsRef<Path>>(folders: &[P]) -> Result<Arc<Rules>> {
        if folders.is_empty() {
            return Ok(Rules::built_in());
        }
        let mut rules = Rules::built_in().rules.clone();
        for folder in folders {
            let own = read_folder(folder.as_ref())?;
            for rule in &own {
                for other in rules.iter_mut().filter(|other| other.id == rule.id) {
                    other.languages.retain(|language| !rule.languages.contains(language));
                }
            }
            rules.retain(|rule| !rule.languages.is_empty());
            rules.extend(own);
        }
        let rules = Rules::of(rules);
        let mut languages: Vec<Language> =
            rules.rules.iter().filter(|rule| rule.own).flat_map(|rule| rule.languages.clone()).collect();
        languages.sort_unstable();
        languages.dedup();
        for language in languages {
            for part in rules.set(language)?.map_or(&[][..], |set| &set.parts) {
                part.joined(&rules, language)?;
            }
        }
        Ok(Arc::new(rules))
    }

    fn of(mut rules: Vec<Rule>) -> Rules {
        rules.sort_by(|a, b| (&a.id, &a.languages).cmp(&(&b.id, &b.languages)));
        let mut hash = Sha256::new();
        for rule in &rules {
            hash.update(rule.id.as_bytes());
            hash.update(rule.source.as_bytes());
            hash.update([0]);
        }
        let fingerprint = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Rules { rules, sets: Language::all().map(|_| OnceLock::new()).collect(), fingerprint }
    }

    /// The rules, sorted by id.
    pub fn list(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of a name that holds for a language.
    pub fn find(&self, id: &str, language: Language) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id && rule.languages.contains(&language))
    }

    /// Changes with every change of a rule: part of the key under which answers are cached.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The rules of a language as one query; `None` where it has none.
    pub(super) fn set(&self, language: Language) -> Result<Option<&Set>> {
        let Some(slot) = self.sets.get(language as usize) else { return Ok(None) };
        match slot.get_or_init(|| self.compile(language)) {
            Ok(set) => Ok(set.as_ref()),
            Err(error) => Err(error.clone()),
        }
    }

    fn compile(&self, language: Language) -> Result<Option<Set>> {
        let members: Vec<usize> = (0..self.rules.len())
            .filter(|&at| !self.rules[at].source.is_empty() && self.rules[at].languages.contains(&language))
            .collect();
        if members.is_empty() || language.grammar().is_none() {
            return Ok(None);
        }
        let (anywhere, rare): (Vec<usize>, Vec<usize>) =
            members.iter().partition(|&&at| self.rules[at].needs.is_empty());
        let mut parts = Vec::new();
        if !anywhere.is_empty() {
            parts.push(Part { texts: None, members: anywhere, joined: OnceLock::new() });
        }
        if !rare.is_empty() {
            let mut texts: Vec<String> =
                rare.iter().flat_map(|&at| &self.rules[at].needs).map(|text| regex::escape(text)).collect();
            texts.sort_unstable();
            texts.dedup();
            let texts = Regex::new(&texts.join("|"))
                .map_err(|error| invalid("rules", 1, &format!("`needs` is too long: {error}")))?;
            parts.push(Part { texts: Some(texts), members: rare, joined: OnceLock::new() });
        }
        Ok(Some(Set { members, parts }))
    }

    /// One query of these rules.
    pub(super) fn join(
        &self,
        language: Language,
        grammar: &tree_sitter::Language,
        members: Vec<usize>,
    ) -> Result<Joined> {
        let mut text = String::new();
        let mut spans: Vec<Range<usize>> = Vec::new();
        for &at in &members {
            let start = text.len();
            text.push_str(&self.rules[at].source);
            text.push('\n');
            spans.push(start..text.len());
        }
        let owner = |offset: usize| spans.iter().position(|span| span.contains(&offset)).unwrap_or(0);
        let query = match Query::new(grammar, &text) {
            Ok(query) => query,
            Err(error) => {
                // Where the whole does not compile, the rule that is wrong does not by itself.
                for &at in &members {
                    let rule = &self.rules[at];
                    if let Err(error) = Query::new(grammar, &rule.source) {
                        return Err(invalid(&rule.file, error.row + 1, &explain(&error, language)));
                    }
                }
                return Err(invalid("rules", error.row + 1, &explain(&error, language)));
            }
        };
        let mut patterns = Vec::with_capacity(query.pattern_count());
        let mut captures = vec![false; members.len()];
        let finding = query.capture_index_for_name("finding");
        for pattern in 0..query.pattern_count() {
            let start = query.start_byte_for_pattern(pattern);
            let place = owner(start);
            let rule = &self.rules[members[place]];
            let line = 1 + text[spans[place].start..start].matches('\n').count();
            let predicates =
                Predicate::of_pattern(&query, pattern).map_err(|what| invalid(&rule.file, line, &what))?;
            let has_finding = finding.is_some_and(|finding| {
                query
                    .capture_quantifiers(pattern)
                    .get(finding as usize)
                    .is_some_and(|quantifier| !matches!(quantifier, tree_sitter::CaptureQuantifier::Zero))
            });
            if !has_finding {
                return Err(invalid(&rule.file, line, "the pattern captures no `@finding`"));
            }
            captures[place] = true;
            patterns.push(Pattern { rule: members[place], predicates });
        }
        if let Some(place) = captures.iter().position(|seen| !seen) {
            return Err(invalid(&self.rules[members[place]].file, 1, "the file holds no pattern"));
        }
        Ok(Joined { query, patterns, finding: finding.unwrap_or_default() })
    }

    /// The ids, each once, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let mut last = "";
        self.rules
            .iter()
            .map(|rule| rule.id.as_str())
            .filter(move |id| std::mem::replace(&mut last, id) != *id)
    }

    /// The rules over measures that hold for a language.
    pub(super) fn measured(&self, language: Language) -> impl Iterator<Item = (&Rule, measured::Measure)> {
        self.rules
            .iter()
            .filter(move |rule| rule.source.is_empty() && rule.languages.contains(&language))
            .filter_map(|rule| measured::Measure::of_id(&rule.id).map(|measure| (rule, measure)))
    }
}

fn explain(error: &tree_sitter::QueryError, language: Language) -> String {
    let title = language.title();
    match error.kind {
        QueryErrorKind::NodeType => format!("the grammar of {title} has no node {}", error.message),
        QueryErrorKind::Field => format!("the grammar of {title} has no field {}", error.message),
        QueryErrorKind::Capture => {
            format!("the predicate names the capture {}, which the pattern lacks", error.message)
        }
        QueryErrorKind::Structure => {
            format!("the grammar of {title} never puts nodes together like this: {}", error.message)
        }
        QueryErrorKind::Syntax => format!("this is not the syntax of a query: {}", error.message),
        QueryErrorKind::Predicate | QueryErrorKind::Language => error.message.clone(),
    }
}

/// The rules of a folder, sorted by file.
fn read_folder(folder: &Path) -> Result<Vec<Rule>> {
    let denied = |path: &Path, error: &std::io::Error| {
        Error::new("rule.invalid", format!("`{}` cannot be read; name a folder of rules", path.display()))
            .because(error)
            .with("file", path.display())
    };
    let listed = |path: &Path| -> Result<Vec<std::path::PathBuf>> {
        let mut found: Vec<_> = std::fs::read_dir(path)
            .map_err(|error| denied(path, &error))?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect();
        found.sort();
        Ok(found)
    };
    let mut rules = Vec::new();
    let mut folders = 0;
    for inner in listed(folder)? {
        let name = inner.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !inner.is_dir() || name.starts_with('.') {
            continue;
        }
        let language = Language::of_name(&name).ok_or_else(|| {
            Error::new(
                "rule.invalid",
                format!(
                    "`{}`: no language `{name}` is known; name the folder after a language",
                    inner.display()
                ),
            )
            .with("file", inner.display())
        })?;
        folders += 1;
        for file in listed(&inner)? {
            if file.extension().is_none_or(|end| end != "scm") {
                continue;
            }
            let size = std::fs::metadata(&file).map_err(|error| denied(&file, &error))?.len();
            let shown = file.display().to_string();
            if size > LARGEST {
                return Err(invalid(&shown, 1, "a rule may have 1 MiB"));
            }
            let bytes = std::fs::read(&file).map_err(|error| denied(&file, &error))?;
            let text = String::from_utf8(bytes).map_err(|_| invalid(&shown, 1, "the text is not UTF-8"))?;
            rules.push(Rule::read(&shown, &text, language, true)?);
        }
    }
    if folders == 0 {
        return Err(Error::new(
            "rule.invalid",
            format!(
                "`{}` has no folder of a language; put rules into `{0}/python/my-rule.scm`",
                folder.display()
            ),
        )
        .with("file", folder.display()));
    }
    Ok(rules)
}
