//! `code.metrics` as text: the functions that are hardest to follow first, then totals by language.

use std::collections::BTreeMap;

use barograph::{CodeMetrics, FileMetrics, FunctionMetrics, SkipReason};

use super::layout::{Align, BOLD, Page, safe, styled, thousands};

/// How many functions are shown; all of them are in the JSON and the CSV.
const FUNCTIONS: usize = 20;

/// Writes the answer.
pub(crate) fn write(page: &mut Page, metrics: &CodeMetrics) {
    let functions: usize = metrics.files.iter().map(|file| file.functions.len()).sum();
    let code: u64 = metrics.files.iter().map(|file| file.lines.code).sum();
    let files = counted(metrics.files.len() as u64, "file");
    let functions = counted(functions as u64, "function");
    page.line(&styled(BOLD, &format!("{files}, {functions}, {}", counted(code, "line of code"))));
    worst(page, metrics);
    languages(page, metrics);
    damaged(page, metrics);
    skipped(page, metrics);
}

fn worst(page: &mut Page, metrics: &CodeMetrics) {
    let mut all: Vec<(&FileMetrics, &FunctionMetrics)> = Vec::new();
    for file in &metrics.files {
        all.extend(file.functions.iter().map(|function| (&**file, function)));
    }
    if all.is_empty() {
        return;
    }
    // Equal ones stay in the order of their places.
    all.sort_by_key(|(_, function)| std::cmp::Reverse((function.cognitive, function.cyclomatic)));
    page.heading("Hardest to follow");
    let rows: Vec<Vec<String>> = all
        .iter()
        .take(FUNCTIONS)
        .map(|(file, function)| {
            vec![
                thousands(function.cognitive),
                thousands(function.cyclomatic),
                thousands(function.lines.code),
                thousands(function.nesting),
                safe(&function.qualified),
                format!("{}:{}", safe(&file.path), function.line),
            ]
        })
        .collect();
    let align = [Align::Right, Align::Right, Align::Right, Align::Right, Align::Left, Align::Left];
    page.table(&["cognitive", "cyclomatic", "lines", "nesting", "function", "place"], &align, &rows);
    if all.len() > FUNCTIONS {
        page.line(&format!("  and {} more", thousands((all.len() - FUNCTIONS) as u64)));
    }
}

/// Sums over the files of one language.
#[derive(Default)]
struct Sums {
    files: u64,
    functions: u64,
    code: u64,
    comment: u64,
    cyclomatic: u64,
    cognitive: u64,
}

fn languages(page: &mut Page, metrics: &CodeMetrics) {
    let mut all: BTreeMap<&str, Sums> = BTreeMap::new();
    for file in &metrics.files {
        let sums = all.entry(&file.language).or_default();
        sums.files += 1;
        sums.functions += file.functions.len() as u64;
        sums.code += file.lines.code;
        sums.comment += file.lines.comment;
        sums.cyclomatic += file.cyclomatic;
        sums.cognitive += file.cognitive;
    }
    if all.is_empty() {
        return;
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.code));
    page.heading("Languages");
    let rows: Vec<Vec<String>> = all
        .into_iter()
        .map(|(name, sums)| {
            let numbers =
                [sums.files, sums.functions, sums.code, sums.comment, sums.cyclomatic, sums.cognitive];
            let mut row = vec![safe(name)];
            row.extend(numbers.map(thousands));
            row
        })
        .collect();
    let mut align = [Align::Right; 7];
    align[0] = Align::Left;
    let header = ["language", "files", "functions", "code lines", "comment lines", "cyclomatic", "cognitive"];
    page.table(&header, &align, &rows);
}

fn damaged(page: &mut Page, metrics: &CodeMetrics) {
    let places: u64 = metrics.files.iter().map(|file| file.parse_errors).sum();
    let files = metrics.files.iter().filter(|file| file.parse_errors > 0).count() as u64;
    if places > 0 {
        page.line("");
        let text = format!(
            "{} in {} do not follow the grammar; near them the numbers are a lower bound",
            counted(places, "place"),
            counted(files, "file")
        );
        page.paragraph("", &text);
    }
}

fn skipped(page: &mut Page, metrics: &CodeMetrics) {
    if metrics.skipped.is_empty() && metrics.unknown == 0 {
        return;
    }
    let mut all: Vec<(&'static str, u64, &str)> = Vec::new();
    for skipped in &metrics.skipped {
        let name = named(skipped.reason);
        match all.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, count, _)) => *count += 1,
            None => all.push((name, 1, &skipped.path)),
        }
    }
    all.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
    page.heading("Not read");
    let mut rows: Vec<Vec<String>> = all
        .into_iter()
        .map(|(name, count, first)| {
            let example = if count > 1 { format!("{}, ...", safe(first)) } else { safe(first) };
            vec![thousands(count), name.to_owned(), example]
        })
        .collect();
    if metrics.unknown > 0 {
        rows.push(vec![thousands(metrics.unknown), "of no known language".to_owned(), String::new()]);
    }
    page.table(&[], &[Align::Right, Align::Left, Align::Left], &rows);
}

fn named(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Binary => "not text",
        SkipReason::Huge => "too large",
        SkipReason::Generated => "written by a tool",
        SkipReason::Minified => "minified",
        SkipReason::Vendored => "somebody else's",
        SkipReason::NotBuiltIn => "language not built in",
        SkipReason::TooSlow => "took too long to parse",
        SkipReason::Unreadable => "cannot be read",
    }
}

/// `1 file`, `2 files`; the first word bears the ending.
fn counted(count: u64, what: &str) -> String {
    let (word, rest) =
        what.split_once(' ').map_or((what, String::new()), |(word, rest)| (word, format!(" {rest}")));
    format!("{} {word}{}{rest}", thousands(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph::{Lines, Shared, SkippedFile};

    #[test]
    fn the_worst_come_first_and_what_was_not_read_is_counted() {
        let function = |name: &str, cognitive| FunctionMetrics {
            name: name.into(),
            qualified: name.into(),
            line: 7,
            cognitive,
            cyclomatic: 2,
            ..FunctionMetrics::default()
        };
        let file = FileMetrics {
            path: "a\u{1b}.py".into(),
            language: "python".into(),
            functions: vec![function("easy", 1), function("hard", 30)],
            lines: Lines { code: 1, ..Lines::default() },
            parse_errors: 1,
            ..FileMetrics::default()
        };
        let skipped = |path: &str| SkippedFile { path: path.into(), ..SkippedFile::default() };
        let metrics = CodeMetrics {
            files: vec![Shared::new(file)],
            skipped: vec![skipped("b.c"), skipped("c.c")],
            unknown: 1200,
            ..CodeMetrics::default()
        };
        let mut page = Page::new(None);
        write(&mut page, &metrics);
        let plain = anstream::adapter::strip_str(&page.into_text()).to_string();
        assert!(plain.starts_with("1 file, 2 functions, 1 line of code\n"), "{plain}");
        assert!(plain.find("hard") < plain.find("easy"), "{plain}");
        assert!(plain.contains("a\u{fffd}.py:7") && plain.contains("1 place in 1 file"), "{plain}");
        assert!(plain.contains("      2  not text              b.c, ...\n"), "{plain}");
        assert!(plain.contains("  1,200  of no known language\n"), "{plain}");
    }
}
