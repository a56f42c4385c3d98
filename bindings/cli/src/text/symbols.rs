//! `code.symbols` and `code.clones` as text.

use barograph::{CodeClones, CodeSymbols, Symbol, SymbolRole};

use super::layout::{Align, DIM, Page, percent, safe, styled, thousands};

/// How many groups of duplicates are shown; all of them are in the JSON.
const GROUPS: usize = 30;

/// Writes `code.symbols`: a table for each file.
pub(crate) fn symbols(page: &mut Page, answer: &CodeSymbols) {
    let align = [Align::Right, Align::Left, Align::Left, Align::Left, Align::Left];
    for file in answer.files.iter().filter(|file| !file.symbols.is_empty()) {
        page.heading(&safe(&file.path));
        let rows: Vec<Vec<String>> = file
            .symbols
            .iter()
            .map(|symbol| {
                vec![
                    symbol.line.to_string(),
                    symbol.role.name().to_owned(),
                    symbol.kind.name().to_owned(),
                    safe(&full_name(symbol)),
                    styled(DIM, if symbol.exported { "exported" } else { "" }),
                ]
            })
            .collect();
        page.table(&[], &align, &rows);
    }
    let count: usize = answer.files.iter().map(|file| file.symbols.len()).sum();
    let summary =
        format!("{} symbols in {} files", thousands(count as u64), thousands(answer.files.len() as u64));
    page.line("");
    page.line(&format!("{summary}{}", skipped(answer.skipped.len())));
}

/// A definition after its scope, an import with its module, a reference after what stands before it.
fn full_name(symbol: &Symbol) -> String {
    let after = |outer: &str| match (outer.is_empty(), symbol.name.is_empty()) {
        (true, _) => symbol.name.to_string(),
        (_, true) => outer.to_owned(),
        _ => format!("{outer}.{}", symbol.name),
    };
    match symbol.role {
        SymbolRole::Definition | SymbolRole::Declaration => after(&symbol.scope),
        SymbolRole::Reference if symbol.scope.is_empty() => after(&symbol.origin),
        SymbolRole::Reference => format!("{} in {}", after(&symbol.origin), symbol.scope),
        SymbolRole::Import => {
            let alias = if symbol.alias.is_empty() { String::new() } else { format!(" as {}", symbol.alias) };
            match symbol.name.is_empty() {
                true => format!("{}{alias}", symbol.origin),
                false => format!("{}{alias} from {}", symbol.name, symbol.origin),
            }
        }
    }
}

/// Writes `code.clones`: the longest groups with their places.
pub(crate) fn clones(page: &mut Page, answer: &CodeClones) {
    for group in answer.groups.iter().take(GROUPS) {
        let size = format!("{} tokens, {} lines", thousands(group.tokens), thousands(group.lines));
        page.heading(&format!("{size}, {} places", thousands(group.places.len() as u64)));
        for place in &group.places {
            let lines = format!("{}:{}-{}", safe(&place.path), place.line, place.end_line);
            page.line(&format!("  {lines}  {}", styled(DIM, &safe(&place.function))));
        }
    }
    page.line("");
    if answer.groups.len() > GROUPS {
        let more = answer.groups.len() - GROUPS;
        page.line(&styled(
            DIM,
            &format!("and {} more groups; --format json has all", thousands(more as u64)),
        ));
    }
    let share = if answer.tokens == 0 { 0.0 } else { answer.duplicated_tokens as f64 / answer.tokens as f64 };
    let groups = answer.groups.len() as u64;
    let summary = format!(
        "{} {} in {} files; {} of their {} tokens are duplicated",
        thousands(groups),
        if groups == 1 { "group" } else { "groups" },
        thousands(answer.files),
        percent(share),
        thousands(answer.tokens)
    );
    page.line(&format!("{summary}{}", skipped(answer.skipped.len())));
}

fn skipped(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => "; 1 file was not read".to_owned(),
        count => format!("; {} files were not read", thousands(count as u64)),
    }
}
