//! What a query cannot say by itself, as predicates of its patterns.
//!
//! | predicate | holds where |
//! |---|---|
//! | `#match?` `#eq?` `#any-of?` and their `not-` forms | as in every tree-sitter query |
//! | `#nested-in? @x kind... !stop...` | a node around x has one of the kinds, looking no further than a stop |
//! | `#parent? @x kind...` | the node directly around x has one of the kinds |
//! | `#has? @x kind... !stop...` | a node below x has one of the kinds, not looking below a stop |
//! | `#empty? @x` | x holds nothing, not even a comment |
//! | `#count-over? @x n` | x has more than n children with names, comments left out |
//! | `#commented? @x "regex"` | a comment before x, behind it or at its top matches |
//! | `#file-has? "regex"` | the text of the file matches |
//! | `#mark? @x "regex"` | the text of x matches; the finding is the line of the match |
//! | `#mentions? @x @name` | the text of name stands in x as a word |
//! | `#in-function? @x "regex"` | the nearest function around x with a name has a matching one |
//! | `#code? @x` | the comment is code that was commented out |
//! | `#secret? @x` | the text has the shape of a known kind of key |
//! | `#secret-value? @x` | the text looks like a password or a key, and not like a name or a placeholder |
//! | `#calls-async? @x` | x is called and is an async function of this file |
//! | `#in-async? @x` | the nearest function around x is async |
//! | `#calls-fallible? @x` | x is called and is a function of this file that gives an error back (Go) |
//! | `#jumps-back? @x` | the label x stands before the jump to it |
//! | `#falls-through? @x` | the case x runs into the next one and no comment says so |
//!
//! Each may have `not-` in front. A capture that has no node passes.

use regex::bytes::Regex;
use tree_sitter::{Node, Query, QueryMatch, QueryPredicateArg};

use super::comment;
use super::locals::Locals;
use super::search::Look;
use super::secret;

/// One predicate of a pattern, ready to be asked.
#[derive(Debug)]
pub(super) struct Predicate {
    /// The capture that it is about.
    capture: u32,
    negated: bool,
    test: Test,
}

#[derive(Debug)]
enum Test {
    NestedIn(Kinds),
    Parent(Kinds),
    Has(Kinds),
    Empty,
    CountOver(usize),
    Commented(Regex),
    FileHas(Regex),
    Mark(Regex),
    Mentions(u32),
    InFunction(Regex),
    Code,
    Secret,
    SecretValue,
    CallsAsync,
    InAsync,
    CallsFallible,
    JumpsBack,
    FallsThrough,
}

#[derive(Debug, Default)]
struct Kinds {
    wanted: Vec<Box<str>>,
    stops: Vec<Box<str>>,
}

impl Predicate {
    /// The predicates of a pattern; the error is a sentence.
    pub(super) fn of_pattern(query: &Query, pattern: usize) -> Result<Vec<Predicate>, String> {
        let mut found = Vec::new();
        for predicate in query.general_predicates(pattern) {
            let name = &*predicate.operator;
            let (negated, plain) = match name.strip_prefix("not-") {
                Some(plain) => (true, plain),
                None => (false, name),
            };
            let mut texts = Vec::new();
            let mut capture = None;
            let mut other = None;
            for arg in &predicate.args {
                match arg {
                    QueryPredicateArg::Capture(index) if capture.is_none() => capture = Some(*index),
                    QueryPredicateArg::Capture(index) if plain == "mentions?" => other = Some(*index),
                    QueryPredicateArg::Capture(_) => return Err(format!("`#{name}` takes one capture")),
                    QueryPredicateArg::String(text) => texts.push(&**text),
                }
            }
            let no_texts = |test: Test| match texts.is_empty() {
                true => Ok(test),
                false => Err(format!("`#{name}` takes a capture and nothing else")),
            };
            let regex = || match texts.as_slice() {
                [text] => Regex::new(text).map_err(|error| format!("`#{name}`: {error}")),
                _ => Err(format!("`#{name}` takes one regular expression")),
            };
            let test = match plain {
                "nested-in?" => Test::NestedIn(Kinds::read(name, &texts)?),
                "parent?" => Test::Parent(Kinds::read(name, &texts)?),
                "has?" => Test::Has(Kinds::read(name, &texts)?),
                "empty?" => no_texts(Test::Empty)?,
                "count-over?" => match texts.as_slice() {
                    [number] => Test::CountOver(
                        number.parse().map_err(|_| format!("`#{name}`: `{number}` is no number"))?,
                    ),
                    _ => return Err(format!("`#{name}` takes one number")),
                },
                "commented?" => Test::Commented(regex()?),
                "file-has?" => Test::FileHas(regex()?),
                "mark?" => Test::Mark(regex()?),
                "in-function?" => Test::InFunction(regex()?),
                "mentions?" => Test::Mentions(other.ok_or_else(|| format!("`#{name}` takes two captures"))?),
                "code?" => no_texts(Test::Code)?,
                "secret?" => no_texts(Test::Secret)?,
                "secret-value?" => no_texts(Test::SecretValue)?,
                "calls-async?" => no_texts(Test::CallsAsync)?,
                "in-async?" => no_texts(Test::InAsync)?,
                "calls-fallible?" => no_texts(Test::CallsFallible)?,
                "jumps-back?" => no_texts(Test::JumpsBack)?,
                "falls-through?" => no_texts(Test::FallsThrough)?,
                _ => return Err(format!("no predicate `#{name}` is known")),
            };
            let capture = match (capture, &test) {
                (Some(capture), _) => capture,
                (None, Test::FileHas(_)) => u32::MAX,
                (None, _) => return Err(format!("`#{name}` needs a capture")),
            };
            found.push(Predicate { capture, negated, test });
        }
        Ok(found)
    }

    /// Whether the match passes.
    pub(super) fn holds<'t>(&self, look: &mut Look<'_, 't>, found: &QueryMatch<'_, 't>) -> bool {
        if let Test::FileHas(regex) = &self.test {
            return regex.is_match(look.parsed.text) != self.negated;
        }
        if let Test::Mentions(name) = &self.test {
            let names: Vec<&[u8]> =
                found.nodes_for_capture_index(*name).map(|node| look.text_of(node)).collect();
            let mut nodes = found.nodes_for_capture_index(self.capture);
            return nodes
                .all(|node| names.iter().any(|name| mentions(look.text_of(node), name)) != self.negated);
        }
        let mut nodes = found.nodes_for_capture_index(self.capture);
        nodes.all(|node| self.ask(look, node) != self.negated)
    }

    fn ask<'t>(&self, look: &mut Look<'_, 't>, node: Node<'t>) -> bool {
        let text = look.parsed.text;
        match &self.test {
            Test::NestedIn(kinds) => {
                let around = look.around(node);
                around
                    .iter()
                    .rev()
                    .find(|node| kinds.wants(node) || kinds.stops_at(node))
                    .is_some_and(|node| kinds.wants(node))
            }
            Test::Parent(kinds) => look.around(node).last().is_some_and(|parent| kinds.wants(parent)),
            Test::Has(kinds) => below(look, node, kinds),
            Test::Empty => {
                node.named_child_count() == 0
                    && text.get(node.start_byte() + 1..node.end_byte().saturating_sub(1)).is_some_and(
                        |inside| inside.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b';'),
                    )
            }
            Test::CountOver(limit) => {
                let mut cursor = node.walk();
                node.named_children(&mut cursor).filter(|child| !child.is_extra()).count() > *limit
            }
            Test::Commented(regex) => comment::near(look, node, regex),
            Test::FileHas(regex) => regex.is_match(text),
            Test::Mark(regex) => match regex.find(look.text_of(node)) {
                Some(found) => {
                    look.mark = Some(node.start_byte() + found.start());
                    true
                }
                None => false,
            },
            // Asked before, with the whole match at hand.
            Test::Mentions(_) => true,
            Test::InFunction(regex) => look
                .around(node)
                .iter()
                .rev()
                .filter(|node| node.kind().contains("function") || node.kind().contains("method"))
                .find_map(|node| node.child_by_field_name("name"))
                .is_some_and(|name| regex.is_match(look.text_of(name))),
            Test::Code => comment::is_code(look, node),
            Test::Secret => secret::has_known_shape(look.text_of(node)),
            Test::SecretValue => secret::is_likely_value(look.text_of(node)),
            Test::CallsAsync => Locals::calls_async(look, node),
            Test::InAsync => Locals::in_async(look, node),
            Test::CallsFallible => Locals::calls_fallible(look, node),
            Test::JumpsBack => jumps_back(look, node),
            Test::FallsThrough => falls_through(look, node),
        }
    }
}

impl Kinds {
    fn read(name: &str, texts: &[&str]) -> Result<Kinds, String> {
        let mut kinds = Kinds::default();
        for text in texts {
            match text.strip_prefix('!') {
                Some(stop) => kinds.stops.push(stop.into()),
                None => kinds.wanted.push((*text).into()),
            }
        }
        match kinds.wanted.is_empty() {
            true => Err(format!("`#{name}` names no kind of node")),
            false => Ok(kinds),
        }
    }

    fn wants(&self, node: &Node<'_>) -> bool {
        self.wanted.iter().any(|kind| **kind == *node.kind())
    }

    fn stops_at(&self, node: &Node<'_>) -> bool {
        self.stops.iter().any(|kind| **kind == *node.kind())
    }
}

/// Whether a node below `node` is of a wanted kind.
fn below(look: &mut Look<'_, '_>, node: Node<'_>, kinds: &Kinds) -> bool {
    let mut cursor = node.walk();
    if !cursor.goto_first_child() {
        return false;
    }
    let mut depth = 1;
    let mut seen = 0_u32;
    loop {
        seen += 1;
        if seen.is_multiple_of(4096) && look.is_over() {
            return false;
        }
        let here = cursor.node();
        if kinds.wants(&here) {
            return true;
        }
        if !kinds.stops_at(&here) && cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            depth -= 1;
            if depth == 0 || !cursor.goto_parent() {
                return false;
            }
        }
    }
}

/// Whether `name` stands in `text` as a word of its own.
fn mentions(text: &[u8], name: &[u8]) -> bool {
    let is_word = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'$')
    };
    !name.is_empty()
        && text.windows(name.len()).enumerate().any(|(at, window)| {
            window == name
                && !is_word(at.checked_sub(1).and_then(|before| text.get(before)))
                && !is_word(text.get(at + name.len()))
        })
}

/// Whether the label of this name stands before the place where it is named.
fn jumps_back<'t>(look: &mut Look<'_, 't>, label: Node<'t>) -> bool {
    let Some(function) = look.around(label).into_iter().rev().find(|node| {
        matches!(
            node.kind(),
            "function_definition" | "function_declaration" | "method_declaration" | "func_literal"
        )
    }) else {
        return false;
    };
    let name = look.text_of(label);
    let before = look.parsed.text.get(function.start_byte()..label.start_byte()).unwrap_or_default();
    before.windows(name.len() + 1).enumerate().any(|(at, window)| {
        let is_label = window.starts_with(name)
            && window.ends_with(b":")
            && (at == 0
                || !before.get(at - 1).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'))
            && before[..at]
                .iter()
                .rev()
                .take_while(|byte| **byte != b'\n')
                .all(|byte| byte.is_ascii_whitespace());
        is_label && comes_back(look, function.start_byte() + at, label.start_byte())
    })
}

/// Whether what follows the label at `from` runs on to `to`: behind a clean-up that ends in a
/// `return` no loop is made.
fn comes_back(look: &Look<'_, '_>, from: usize, to: usize) -> bool {
    let root = look.parsed.tree.root_node();
    let Some(name) = root.descendant_for_byte_range(from, from + 1) else { return true };
    let Some(labeled) = look.around(name).into_iter().rev().find(|node| node.kind() == "labeled_statement")
    else {
        return true;
    };
    let leaves = |node: &Node<'_>| matches!(node.kind(), "return_statement" | "goto_statement");
    if last_statement(labeled).is_some_and(|last| leaves(&last) && last.end_byte() < to) {
        return false;
    }
    let mut next = labeled.next_named_sibling();
    while let Some(node) = next.filter(|node| node.end_byte() < to) {
        if leaves(&node)
            || node.kind() == "labeled_statement" && last_statement(node).is_some_and(|last| leaves(&last))
        {
            return false;
        }
        next = node.next_named_sibling();
    }
    true
}

/// Whether control runs from this case into the next one without a word about it. Where several
/// in a row do, that is how the code is meant.
fn falls_through(look: &Look<'_, '_>, case: Node<'_>) -> bool {
    runs_on(look, case)
        && !neighbour(case, Node::next_named_sibling).is_some_and(|next| runs_on(look, next))
        && !neighbour(case, Node::prev_named_sibling).is_some_and(|before| runs_on(look, before))
}

/// The sibling that is no comment.
fn neighbour<'t>(node: Node<'t>, step: impl Fn(&Node<'t>) -> Option<Node<'t>>) -> Option<Node<'t>> {
    let mut found = step(&node);
    while let Some(comment) = found.filter(Node::is_extra) {
        found = step(&comment);
    }
    found
}

/// Whether control runs from this case into the next one and no comment says so.
fn runs_on(look: &Look<'_, '_>, case: Node<'_>) -> bool {
    let next = neighbour(case, Node::next_named_sibling);
    let Some(next) = next.filter(|next| {
        next.kind().contains("case") || next.kind().contains("default") || next.kind() == case.kind()
    }) else {
        return false;
    };
    let Some(last) = last_statement(case) else { return false };
    if matches!(last.kind(), "identifier" | "switch_label") || ends(look, last) {
        return false;
    }
    let text = look.parsed.text;
    let line_end = |from: usize| {
        text.get(from..)
            .and_then(|rest| rest.iter().position(|byte| *byte == b'\n'))
            .map_or(text.len(), |at| from + at)
    };
    let said = text.get(last.start_byte()..line_end(next.start_byte())).unwrap_or_default();
    let said = String::from_utf8_lossy(said).to_ascii_lowercase();
    !["fall", "no break", "nobreak", "intended", "through", "/* pass"].iter().any(|word| said.contains(word))
}

/// The last statement of a case or block, comments left out.
fn last_statement(node: Node<'_>) -> Option<Node<'_>> {
    let count = u32::try_from(node.named_child_count()).unwrap_or(u32::MAX);
    let last = (0..count).rev().filter_map(|at| node.named_child(at)).find(|child| {
        // A `;` of its own is no statement.
        !child.is_extra() && child.end_byte() - child.start_byte() > 1
    })?;
    // The value of a case stands before the colon; with nothing behind it the case is empty.
    let is_value = node.child_by_field_name("value").is_some_and(|value| value == last);
    (!is_value).then_some(last)
}

/// Whether nothing runs on behind this statement.
fn ends(look: &Look<'_, '_>, statement: Node<'_>) -> bool {
    let mut open = vec![(statement, 0)];
    while let Some((node, depth)) = open.pop() {
        if depth > 32 {
            continue;
        }
        match node.kind() {
            "break_statement"
            | "return_statement"
            | "continue_statement"
            | "goto_statement"
            | "throw_statement"
            | "throw_expression"
            | "yield_statement"
            | "co_return_statement"
            | "switch_statement"
            | "switch_expression"
            | "try_statement"
            | "while_statement"
            | "for_statement"
            | "do_statement"
            | "preproc_if"
            | "preproc_ifdef"
            | "synchronized_statement"
            | "attributed_statement"
            | "labeled_statement"
            | "with_statement" => {}
            "compound_statement" | "statement_block" | "block" | "else_clause" => {
                match last_statement(node) {
                    Some(last) => open.push((last, depth + 1)),
                    None => return false,
                }
            }
            "if_statement" => {
                let (Some(yes), Some(no)) =
                    (node.child_by_field_name("consequence"), node.child_by_field_name("alternative"))
                else {
                    return false;
                };
                open.push((yes, depth + 1));
                open.push((no, depth + 1));
            }
            "expression_statement" | "call_expression" => {
                let text = String::from_utf8_lossy(look.text_of(node)).to_ascii_lowercase();
                let callee = text.split('(').next().unwrap_or_default();
                let stops = [
                    "exit",
                    "abort",
                    "panic",
                    "die",
                    "reached",
                    "unreachable",
                    "fatal",
                    "fail",
                    "usage",
                    "longjmp",
                    "fall",
                    "assert(0",
                    "assertnever",
                ];
                if !stops.iter().any(|word| callee.contains(word) || text.starts_with(word)) {
                    return false;
                }
            }
            _ => return false,
        }
    }
    true
}
