//! The search of one file: one run of its language's query, then the rules over measures.

use std::collections::HashSet;
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use regex::bytes::Regex;
use serde::{Deserialize, Serialize};
use streaming_iterator::StreamingIterator as _;
use tree_sitter::{Node, QueryCursor, QueryCursorOptions};

use super::locals::{self, Locals};
use super::rule::Place;
use super::rules::{Joined, Rules, Set};
use super::{measured, secret};
use crate::base::cancel::CancelToken;
use crate::code::parse::{Parsed, Reader};
use crate::error::{Error, Result};

/// How long one search may take; real code of a megabyte takes about 100 ms.
const LONGEST: Duration = Duration::from_secs(if cfg!(test) { 4 } else { 20 });
/// How long one rule may take when it is tried alone.
const LONGEST_ALONE: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 5 });
/// How many matches may be under way at once; real code has some dozens.
const MOST_STATES: u32 = 8_192;
/// How many findings one rule may have in one file.
const MOST_FINDINGS: usize = 10_000;
/// Texts that stand this near are searched around together, in bytes.
const NEAR: usize = 512;
/// Up to so many places are searched around one by one.
const MOST_CLUSTERS: usize = 48;
/// Longest excerpt in bytes.
const LONGEST_EXCERPT: usize = 160;

/// One finding in one file, without what its rule says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// The rule's id.
    pub rule: String,
    /// First line, from 1.
    pub line: u64,
    /// First column, bytes from 1.
    pub column: u64,
    /// Last line, from 1.
    pub end_line: u64,
    /// The function around it; empty outside of functions.
    pub function: String,
    /// The first line of the code, trimmed, secrets masked.
    pub excerpt: String,
}

/// What predicates may look at while one file is searched.
pub(super) struct Look<'a, 't> {
    pub(super) parsed: &'t Parsed<'a>,
    pub(super) cancel: &'t CancelToken,
    until: Instant,
    /// Parses what comments hold.
    pub(super) reader: Option<Reader>,
    /// Last row of the finding where it reaches further than its node.
    pub(super) end_row: Option<usize>,
    /// The byte at which the finding is, where that is inside its node.
    pub(super) mark: Option<usize>,
    locals: Option<Locals>,
    test_code: Option<Vec<Range<usize>>>,
}

impl<'a, 't> Look<'a, 't> {
    fn new(parsed: &'t Parsed<'a>, cancel: &'t CancelToken, until: Instant) -> Self {
        Look { parsed, cancel, until, reader: None, end_row: None, mark: None, locals: None, test_code: None }
    }

    /// Whether the search has to stop.
    pub(super) fn is_over(&self) -> bool {
        self.cancel.is_cancelled() || Instant::now() > self.until
    }

    pub(super) fn text_of(&self, node: Node<'_>) -> &'a [u8] {
        self.parsed.text.get(node.byte_range()).unwrap_or_default()
    }

    /// The nodes around `node`, the root first.
    pub(super) fn around(&self, node: Node<'t>) -> Vec<Node<'t>> {
        // From the root down: `Node::parent` would do the same walk again for every step.
        let mut found = Vec::new();
        let mut here = self.parsed.tree.root_node();
        while here.id() != node.id() {
            found.push(here);
            match here.child_with_descendant(node) {
                Some(next) if found.len() % 256 != 0 || !self.is_over() => here = next,
                _ => break,
            }
        }
        found
    }

    /// What the file says of its functions; every file has one kind of question.
    pub(super) fn locals(&mut self, read: fn(&Parsed<'_>) -> Locals) -> &Locals {
        let parsed = self.parsed;
        self.locals.get_or_insert_with(|| read(parsed))
    }

    fn is_test_code(&mut self, at: usize) -> bool {
        let parsed = self.parsed;
        let ranges = self.test_code.get_or_insert_with(|| locals::test_code(parsed));
        ranges.iter().any(|range| range.contains(&at))
    }
}

/// Everything that the rules find in one file, by place. Where a rule holds by path is the
/// caller's to ask ([`super::Rule::holds_in`]): the answer depends on the text alone and can be kept.
///
/// Errors: `rule.too_slow` where a rule explodes, `call.cancelled`, those of the rules.
pub fn search(parsed: &Parsed<'_>, rules: &Rules, cancel: &CancelToken) -> Result<Vec<Hit>> {
    let mut found = Vec::new();
    if let Some(set) = rules.set(parsed.language)? {
        let mut look = Look::new(parsed, cancel, Instant::now() + LONGEST);
        if run_parts(set, rules, &mut look, &mut found)? != Ended::Done {
            cancel.check()?;
            found = one_by_one(set, rules, parsed, cancel)?;
        }
    }
    measured::search(parsed, rules, cancel, &mut found)?;
    found.sort_by(|a, b| (a.line, a.column, &a.rule).cmp(&(b.line, b.column, &b.rule)));
    found.dedup_by(|a, b| (a.line, a.column, &a.rule) == (b.line, b.column, &b.rule));
    Ok(found)
}

/// How a run over the tree ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Done,
    OutOfTime,
    TooManyStates,
}

/// Runs the rules that may hold anywhere over the whole tree, and those that need a text over the
/// places that have one.
fn run_parts(set: &Set, rules: &Rules, look: &mut Look<'_, '_>, found: &mut Vec<Hit>) -> Result<Ended> {
    for part in &set.parts {
        let ranges = match &part.texts {
            None => std::iter::once(0..look.parsed.text.len()).collect(),
            Some(texts) => clusters(texts, look.parsed.text),
        };
        if ranges.is_empty() {
            continue;
        }
        let Some(joined) = part.joined(rules, look.parsed.language)? else { continue };
        for range in ranges {
            let ended = run(joined, range, rules, look, found);
            if ended != Ended::Done {
                return Ok(ended);
            }
        }
    }
    Ok(Ended::Done)
}

/// Where the texts stand, neighbours taken together.
fn clusters(texts: &Regex, text: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for one in texts.find_iter(text) {
        match found.last_mut() {
            Some(last) if one.start() < last.end + NEAR => last.end = one.end(),
            _ => found.push(one.range()),
        }
    }
    // Each run begins at the root: past some dozens, one over all of them is cheaper.
    if let (Some(first), Some(last), true) = (found.first(), found.last(), found.len() > MOST_CLUSTERS) {
        let whole = first.start..last.end;
        found = std::iter::once(whole).collect();
    }
    found
}

fn run(
    set: &Joined,
    range: Range<usize>,
    rules: &Rules,
    look: &mut Look<'_, '_>,
    found: &mut Vec<Hit>,
) -> Ended {
    let mut cursor = QueryCursor::new();
    cursor.set_match_limit(MOST_STATES);
    cursor.set_byte_range(range);
    let (cancel, until) = (look.cancel, look.until);
    let mut stopped = false;
    let mut progress = |_: &tree_sitter::QueryCursorState| {
        if cancel.is_cancelled() || Instant::now() > until {
            stopped = true;
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let options = QueryCursorOptions::new().progress_callback(&mut progress);
    let parsed = look.parsed;
    let root = parsed.tree.root_node();
    let mut counts = vec![0_usize; rules.list().len()];
    let mut seen = HashSet::new();
    {
        let mut matches = cursor.matches_with_options(&set.query, root, parsed.text, options);
        while let Some(one) = matches.next() {
            let Some(pattern) = set.patterns.get(one.pattern_index) else { continue };
            let Some(node) = one.nodes_for_capture_index(set.finding).next() else { continue };
            // What the parser guessed around an error is no ground for a finding.
            if node.has_error() {
                continue;
            }
            (look.end_row, look.mark) = (None, None);
            if !pattern.predicates.iter().all(|predicate| predicate.holds(look, one)) {
                continue;
            }
            let rule = &rules.list()[pattern.rule];
            if rule.not_in.contains(&Place::Tests) && look.is_test_code(node.start_byte()) {
                continue;
            }
            if counts[pattern.rule] < MOST_FINDINGS && seen.insert((pattern.rule, node.start_byte())) {
                counts[pattern.rule] += 1;
                found.push(hit(look, &rule.id, node));
            }
        }
    }
    if stopped || look.is_over() {
        Ended::OutOfTime
    } else if cursor.did_exceed_match_limit() {
        Ended::TooManyStates
    } else {
        Ended::Done
    }
}

fn hit(look: &Look<'_, '_>, rule: &str, node: Node<'_>) -> Hit {
    let start = node.start_position();
    if let Some(mark) = look.mark {
        let text = look.parsed.text;
        let before = text.get(node.start_byte()..mark).unwrap_or_default();
        let line = (start.row + before.iter().filter(|byte| **byte == b'\n').count()) as u64 + 1;
        let column = match before.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => before.len() - end,
            None => start.column + before.len() + 1,
        };
        let rest = text.get(mark..node.end_byte()).unwrap_or_default();
        return Hit {
            rule: rule.to_owned(),
            line,
            column: column as u64,
            end_line: line,
            function: String::new(),
            excerpt: excerpt(rest),
        };
    }
    Hit {
        rule: rule.to_owned(),
        line: start.row as u64 + 1,
        column: start.column as u64 + 1,
        end_line: look.end_row.unwrap_or(node.end_position().row) as u64 + 1,
        function: String::new(),
        excerpt: excerpt(look.text_of(node)),
    }
}

/// The first line, trimmed and masked.
pub(super) fn excerpt(text: &[u8]) -> String {
    let line = text.trim_ascii_start();
    let end = line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len());
    // Masked before it is cut, else half a key would show.
    let line = line[..end.min(16 * LONGEST_EXCERPT)].trim_ascii_end();
    let mut line = secret::masked(&String::from_utf8_lossy(line));
    if line.len() > LONGEST_EXCERPT {
        let mut cut = LONGEST_EXCERPT;
        while !line.is_char_boundary(cut) {
            cut -= 1;
        }
        line.truncate(cut);
    }
    line
}

/// Every rule by itself, so that the one that explodes can be named.
fn one_by_one(set: &Set, rules: &Rules, parsed: &Parsed<'_>, cancel: &CancelToken) -> Result<Vec<Hit>> {
    let mut found = Vec::new();
    let Some(grammar) = parsed.language.grammar() else { return Ok(found) };
    for &member in &set.members {
        let alone = rules.join(parsed.language, &grammar, vec![member])?;
        let mut look = Look::new(parsed, cancel, Instant::now() + LONGEST_ALONE);
        let ended = run(&alone, 0..parsed.text.len(), rules, &mut look, &mut found);
        cancel.check()?;
        let rule = &rules.list()[member];
        let why = match ended {
            Ended::Done => continue,
            Ended::OutOfTime => format!("took longer than {} s on one file", LONGEST_ALONE.as_secs()),
            Ended::TooManyStates => format!("had more than {MOST_STATES} matches under way at once"),
        };
        return Err(Error::new(
            "rule.too_slow",
            format!(
                "the rule `{}` of `{}` {why}; anchor its pattern with `.` or name more of its nodes",
                rule.id, rule.file
            ),
        )
        .with("rule", &rule.id)
        .with("file", &rule.file));
    }
    Ok(found)
}
