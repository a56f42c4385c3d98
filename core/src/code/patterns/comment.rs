//! Comments: what they say about the code beside them, and whether they are code themselves.

use std::sync::LazyLock;

use regex::bytes::Regex;
use tree_sitter::Node;

use super::search::Look;
use crate::code::language::Language;
use crate::code::parse::Reader;

/// Longest run of comment lines that is looked at.
const LONGEST_RUN: usize = 400;

/// Whether a comment before the line of `node`, on its lines' ends or first inside it matches.
pub(super) fn near(look: &Look<'_, '_>, node: Node<'_>, regex: &Regex) -> bool {
    let text = look.parsed.text;
    let hash = matches!(look.parsed.language, Language::Python | Language::Bash | Language::Ruby);
    let from = line_start(text, node.start_byte());
    let first_end = line_end(text, node.start_byte());
    let to = line_end(text, node.end_byte());
    // Its own first line and the end of its last one.
    let own = text.get(from..first_end).unwrap_or_default();
    let behind = text.get(node.end_byte()..to).unwrap_or_default();
    if has_marker(hash, own) && regex.is_match(own) || has_marker(hash, behind) && regex.is_match(behind) {
        return true;
    }
    // The first lines inside.
    let mut at = first_end + 1;
    while at < to {
        let end = line_end(text, at);
        let line = text.get(at..end).unwrap_or_default();
        if !is_comment_line(hash, line) {
            break;
        }
        if regex.is_match(line) {
            return true;
        }
        at = end + 1;
    }
    // The lines above, through attributes and the head of the statement that it ends.
    let mut at = from;
    let mut heads = 0;
    for _ in 0..40 {
        if at == 0 {
            break;
        }
        let start = line_start(text, at - 1);
        let line = text.get(start..at - 1).unwrap_or_default();
        let trimmed = line.trim_ascii();
        if is_comment_line(hash, line) {
            if regex.is_match(line) {
                return true;
            }
        } else if trimmed.starts_with(b"#[") {
        } else if heads < 2
            && !trimmed.is_empty()
            && !trimmed.ends_with(b";")
            && !trimmed.ends_with(b"}")
            && !trimmed.ends_with(b"{")
        {
            heads += 1;
        } else {
            break;
        }
        at = start;
    }
    false
}

fn has_marker(hash: bool, line: &[u8]) -> bool {
    match hash {
        true => line.contains(&b'#'),
        false => line.windows(2).any(|two| two == b"//" || two == b"/*"),
    }
}

fn is_comment_line(hash: bool, line: &[u8]) -> bool {
    let line = line.trim_ascii();
    match hash {
        true => line.starts_with(b"#"),
        false => line.starts_with(b"//") || line.starts_with(b"/*") || line.starts_with(b"*"),
    }
}

fn line_start(text: &[u8], at: usize) -> usize {
    text.get(..at)
        .and_then(|before| before.iter().rposition(|byte| *byte == b'\n'))
        .map_or(0, |found| found + 1)
}

fn line_end(text: &[u8], at: usize) -> usize {
    text.get(at..)
        .and_then(|rest| rest.iter().position(|byte| *byte == b'\n'))
        .map_or(text.len(), |found| at + found)
}

/// What the first line of commented-out code looks like, whatever the language.
static STATEMENT: LazyLock<[Regex; 4]> = LazyLock::new(|| {
    let regex = |text| Regex::new(text).unwrap_or_else(|error| unreachable!("{error}"));
    [
        // Languages whose statements end in a semicolon.
        regex(
            r"^(?:[\w.:>*&\[\]<>() -]+\s*(?:[-+|&*/]?=)\s*[^=].*|(?:[\w:.>-]+\(.*\)|return\b.*|\w[\w<>*&: ]* \w+(?:\[.*\])?|break|continue|goto \w+|import [\w.*]+|use [\w:]+.*|throw .*|delete .*|[\w.]+(?:\+\+|--)));\s*(?://.*)?$|^(?:if|for|while|switch)\s*\(.*\)\s*\{?\s*$|^\}\s*else\b.*\{$|^#\s*(?:include|define|if|endif)\b|^(?:fn|let|pub|impl|use)\b.*[;{]$|^let .*=.*$",
        ),
        // Python.
        regex(
            r"^(?:import \w[\w., ]*|from [\w.]+ import .*|(?:async )?def \w+\(.*\).*:|class \w+.*:|(?:el)?if .*:|else:|for .* in .*:|while .*:|with .*:|try:|except.*:|return\b.*|raise \w+.*|print\(.*\)|assert .*|[a-z_][\w.\[\]'\x22]* [-+*/|&]?= \S.*|[a-z_]\w*(?:\.\w+)+\(.*\)|yield\b.*|del \w.*|@\w[\w.]*(?:\(.*\))?)$",
        ),
        // JavaScript and TypeScript.
        regex(
            r"^(?:(?:const|let|var) .*=.*|import .* from .*|export .*|return\b.*|await .*|throw .*|(?:if|for|while|switch) \(.*\) ?\{?.*|\} else.*\{|(?:async )?function\b.*\{|[\w.\[\]]+ [-+]?= .*|[\w$]+(?:\.[\w$]+)+\(.*\)?;?|[\w$]+\(.*\);|console\.\w+\(.*)$",
        ),
        // Go.
        regex(
            r"^(?:[\w., ]+ :?= .*|(?:if|for|switch) .*\{|\} else.*\{|return\b.*|func .*\{|var \w+ .*|(?:go|defer) .*\)|\w+(?:\.\w+)*\(.*\)|import .*)$",
        ),
    ]
});

/// A line that ends inside a statement, or closes a block: says nothing by itself.
fn is_neutral(line: &str) -> bool {
    line.is_empty() || line.chars().all(|letter| "{}()[];,".contains(letter))
}

/// Whether this comment (with the line comments right below it) is code: every line has the form of
/// a statement's and the whole follows the grammar.
pub(super) fn is_code(look: &mut Look<'_, '_>, node: Node<'_>) -> bool {
    let language = look.parsed.language;
    let form = match language {
        Language::C | Language::Cpp | Language::Java | Language::Rust => 0,
        Language::Python => 1,
        Language::JavaScript | Language::TypeScript | Language::Tsx => 2,
        Language::Go => 3,
        _ => return false,
    };
    let Some((lines, last)) = contents(look, node) else { return false };
    let Some(indent) = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| leading(line)).min()
    else {
        return false;
    };
    let trimmed: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    // An example in prose is set in.
    if indent > 3 && language != Language::Python || indent > 2 && language == Language::Python {
        return false;
    }
    let statement = &STATEMENT[form];
    let statements = trimmed.iter().filter(|line| statement.is_match(line.as_bytes())).count();
    let telling = trimmed.iter().filter(|line| !is_neutral(line)).count();
    if statements == 0
        || statements * 10 < telling * 6
        || !trimmed
            .iter()
            .find(|line| !is_neutral(line))
            .is_some_and(|line| statement.is_match(line.as_bytes()))
    {
        return false;
    }
    if telling == 1
        && !is_plain(form, trimmed.iter().find(|line| !is_neutral(line)).copied().unwrap_or_default())
    {
        return false;
    }
    let mut code: String =
        lines.iter().map(|line| format!("{}\n", line.get(indent..).unwrap_or_default().trim_end())).collect();
    if language == Language::Go || language == Language::Python || form == 2 {
        code.push('\n');
    }
    // A block whose body was left out is completed, else `if x:` alone would not parse.
    let depth = code.matches('{').count() as i64 - code.matches('}').count() as i64;
    for _ in 0..depth.clamp(0, 20) {
        code.push_str("}\n");
    }
    if language == Language::Python
        && trimmed.iter().rev().find(|line| !line.is_empty()).is_some_and(|line| line.ends_with(':'))
    {
        let inner = code.lines().last().map_or(0, leading);
        code = format!("{}\n{}pass\n", code.trim_end(), " ".repeat(inner + 4));
    }
    let parses = |code: &str, look: &mut Look<'_, '_>| {
        let cancel = look.cancel;
        look.reader
            .get_or_insert_with(Reader::default)
            .parse(language, code.as_bytes(), cancel)
            .is_ok_and(|parsed| !parsed.tree.root_node().has_error())
    };
    let whole = parses(&code, look)
        || language == Language::Java && parses(&format!("class A {{ void a() {{ {code} }} }}"), look)
        || matches!(language, Language::C | Language::Cpp)
            && parses(&format!("void a(void) {{ {code} }}"), look)
        || language == Language::Rust && parses(&format!("fn a() {{ {code} }}"), look);
    if whole {
        look.end_row = Some(last);
    }
    whole
}

/// Whether a single line is plainly code, and no formula, option or remark.
fn is_plain(form: usize, line: &str) -> bool {
    match form {
        0 => {
            line.ends_with(';')
                && (line.contains('(')
                    || line.contains('=')
                    || line.starts_with("return")
                    || line.starts_with("import ")
                    || line.starts_with("use "))
        }
        1 => {
            line.starts_with("import ")
                || line.starts_with("from ")
                || line.starts_with("print(")
                || line.starts_with("return ") && line.contains(['(', '.', '['])
                || line.starts_with("raise ") && line.contains('(')
                || line.contains(" = ") && line.ends_with(')') && line.contains('(')
                || line.ends_with(')') && line.contains('.') && line.contains('(') && !line.contains("...")
        }
        2 => {
            line.ends_with(';')
                || line.starts_with("console.")
                || line.starts_with("import ")
                || (line.starts_with("const ") || line.starts_with("let ") || line.starts_with("var "))
                    && line.contains(" = ")
        }
        _ => {
            line.contains(" := ")
                || line.starts_with("defer ")
                || line.starts_with("return ") && line.contains(['(', ','])
                || line.contains('.') && line.ends_with(')') && !line.contains("...")
        }
    }
}

fn leading(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The lines inside the comment, markers taken off, and the row of the last one; `None` for
/// documentation, and for a line comment that is not the first of its run.
fn contents(look: &Look<'_, '_>, node: Node<'_>) -> Option<(Vec<String>, usize)> {
    let text = look.parsed.text;
    let own = std::str::from_utf8(look.text_of(node)).ok()?;
    // Behind code on the same line it is a remark.
    let from = line_start(text, node.start_byte());
    if !text.get(from..node.start_byte())?.trim_ascii().is_empty() {
        return None;
    }
    if let Some(inner) = own.strip_prefix("/*") {
        if inner.starts_with(['*', '!']) {
            return None;
        }
        let inner = inner.strip_suffix("*/")?;
        let lines: Vec<String> = inner
            .lines()
            .take(LONGEST_RUN)
            .map(|line| {
                let bare = line.trim_start();
                bare.strip_prefix("* ").or((bare == "*").then_some("")).unwrap_or(line).to_owned()
            })
            .collect();
        return Some((dedented(lines), node.end_position().row));
    }
    let marker = if own.starts_with('#') { "#" } else { "//" };
    let body = own.strip_prefix(marker)?;
    if body.starts_with(['/', '!', '#', ':']) {
        return None;
    }
    if from > 0 {
        let above = text.get(line_start(text, from - 1)..from - 1).unwrap_or_default().trim_ascii();
        if above.starts_with(marker.as_bytes()) {
            return None;
        }
    }
    let mut lines = vec![body.trim_end().to_owned()];
    let mut at = line_end(text, node.start_byte()) + 1;
    let mut row = node.start_position().row;
    while at < text.len() && lines.len() < LONGEST_RUN {
        let end = line_end(text, at);
        let line = std::str::from_utf8(text.get(at..end)?).ok()?.trim();
        let Some(body) = line.strip_prefix(marker) else { break };
        lines.push(body.to_owned());
        row += 1;
        at = end + 1;
    }
    Some((lines, row))
}

/// The lines with the indent of the block's body taken off.
fn dedented(lines: Vec<String>) -> Vec<String> {
    let indent = lines
        .iter()
        .skip(1)
        .filter(|line| !line.trim().is_empty())
        .map(|line| leading(line))
        .min()
        .unwrap_or(0);
    lines
        .into_iter()
        .enumerate()
        .map(
            |(at, line)| {
                if at == 0 {
                    line.trim().to_owned()
                } else {
                    line.get(indent..).unwrap_or_default().to_owned()
                }
            },
        )
        .collect()
}
