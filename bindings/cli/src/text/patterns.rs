//! `code.patterns` and `code.rules` as text.

use barograph::{CodePatterns, CodeRules, Severity};
use clap::builder::styling::{AnsiColor, Style};

use super::layout::{Align, BOLD, DIM, Page, safe, styled, thousands};

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().bold(),
        Severity::Major => AnsiColor::Red.on_default(),
        Severity::Minor => AnsiColor::Yellow.on_default(),
        Severity::Info => DIM,
    }
}

/// Writes the findings, file by file, and how many there are.
pub(crate) fn findings(page: &mut Page, found: &CodePatterns) {
    let mut last = "";
    for one in &found.findings {
        if !last.is_empty() && last != one.path {
            page.line("");
        }
        last = &one.path;
        let place = format!("{}:{}:{}", safe(&one.path), one.line, one.column);
        let severity = styled(style(one.severity), one.severity.name());
        let head = format!("{} {severity} {}:", styled(BOLD, &place), safe(&one.rule));
        let since = match (&one.author, one.age_days) {
            (Some(author), Some(days)) => format!(" ({}, {} days ago)", author, thousands(days)),
            _ => String::new(),
        };
        page.line(&format!("{head} {}", safe(&format!("{}{since}", one.reason))));
        if !one.excerpt.is_empty() {
            page.line(&format!("    {}", styled(DIM, &safe(&one.excerpt))));
        }
        page.paragraph("    ", &safe(&one.action));
    }
    if !found.findings.is_empty() {
        page.heading("Rules");
        let mut rules: Vec<_> = found.rules.iter().collect();
        rules.sort_by(|a, b| (b.severity, b.count, &a.rule).cmp(&(a.severity, a.count, &b.rule)));
        let rows: Vec<Vec<String>> = rules
            .iter()
            .map(|one| vec![safe(&one.rule), one.severity.name().to_owned(), thousands(one.count)])
            .collect();
        page.table(&["rule", "severity", "findings"], &[Align::Left, Align::Left, Align::Right], &rows);
        page.line("");
    }
    let mut files: Vec<&str> = found.counts.iter().map(|one| one.path.as_str()).collect();
    files.dedup();
    let skipped = match found.skipped.len() {
        0 => String::new(),
        count => format!("; {} not searched", thousands(count as u64)),
    };
    page.line(&format!(
        "{} in {} of {}{skipped}",
        counted(found.findings.len() as u64, "finding"),
        thousands(files.len() as u64),
        counted(found.files, "file"),
    ));
}

/// Writes the rules.
pub(crate) fn rules(page: &mut Page, known: &CodeRules) {
    for one in &known.rules {
        let severity = styled(style(one.severity), one.severity.name());
        page.line(&format!("{} {severity}", styled(BOLD, &safe(&one.id))));
        page.paragraph("    ", &safe(&one.reason));
        page.paragraph("    ", &safe(&one.action));
        let place = match (one.not_in.as_slice(), one.only_in.as_slice()) {
            ([], []) => String::new(),
            (not_in, []) => format!("; not in {}", not_in.join(", ")),
            (_, only_in) => format!("; only in {}", only_in.join(", ")),
        };
        page.paragraph("    ", &styled(DIM, &safe(&format!("{}{place}", one.languages.join(", ")))));
    }
}

fn counted(count: u64, thing: &str) -> String {
    format!("{} {thing}{}", thousands(count), if count == 1 { "" } else { "s" })
}
