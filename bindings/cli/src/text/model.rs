//! `predict.model` as text: the card in the order in which a sceptic reads it.

use barograph::{Evaluation, ModelCard};

use super::layout::{Align, BOLD, DIM, Page, percent, safe, styled, thousands};

/// Writes the card.
pub(crate) fn write(page: &mut Page, card: &ModelCard) {
    page.line(&styled(BOLD, &safe(&format!("{} {}", card.name, card.version))));
    let fact = |page: &mut Page, name: &str, text: &str| {
        page.paragraph(&styled(DIM, &format!("{name:<15}")), &safe(text));
    };
    fact(page, "trained on", &card.trained_on.join("; "));
    fact(page, "trained until", &card.trained_until);
    let rows = format!("{}, {} of them defective", thousands(card.rows), percent(card.base_rate));
    fact(page, "rows", &rows);
    fact(page, "split", &card.split);
    list(page, "Must not be used for", &card.not_for);
    evaluations(page, "On later rows of the same projects", &card.out_of_time);
    evaluations(page, "On projects it never saw", &card.unseen_projects);
    page.heading("Weights");
    let rows: Vec<Vec<String>> = card
        .coefficients
        .iter()
        .map(|one| {
            vec![
                safe(&one.feature),
                format!("{:+.3}", one.weight),
                format!("{:.3}", one.mean),
                format!("{:.3}", one.spread),
            ]
        })
        .collect();
    let align = [Align::Left, Align::Right, Align::Right, Align::Right];
    page.table(&["feature", "log-odds", "mean", "spread"], &align, &rows);
    page.line(&format!("  intercept {:+.3}; mean and spread are of signed log1p(value)", card.intercept));
    list(page, "How the data was brought together", &card.harmonisation);
    list(page, "Notices", &card.notices);
}

fn list(page: &mut Page, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    page.heading(title);
    items.iter().for_each(|item| page.paragraph("  - ", &safe(item)));
}

fn evaluations(page: &mut Page, title: &str, all: &[Evaluation]) {
    if all.is_empty() {
        return;
    }
    page.heading(title);
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| {
            vec![
                safe(&one.rows),
                thousands(one.count),
                percent(one.base_rate),
                format!("{:.3}", one.roc_auc),
                format!("{:.3}", one.roc_auc_churn),
                format!("{:.3}", one.brier),
                format!("{:.3}", one.brier_base_rate),
                format!("{:.3}", one.ece),
            ]
        })
        .collect();
    let align = [
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
    ];
    let header = ["rows", "count", "defective", "AUC", "AUC of size", "Brier", "of base rate", "ECE"];
    page.table(&header, &align, &rows);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_card_shows_its_limits_and_its_figures() {
        let card = ModelCard {
            name: "prior".into(),
            version: "1".into(),
            trained_on: vec!["a (MIT)".into()],
            rows: 64_000,
            base_rate: 0.17,
            not_for: vec!["judging people".into()],
            unseen_projects: vec![Evaluation {
                rows: "camel".into(),
                count: 9,
                roc_auc: 0.7712,
                ..Evaluation::default()
            }],
            ..ModelCard::default()
        };
        let mut page = Page::new(None);
        write(&mut page, &card);
        let plain = anstream::adapter::strip_str(&page.into_text()).to_string();
        for part in ["prior 1\n", "64,000, 17 % of them", "  - judging people", "camel", "0.771"] {
            assert!(plain.contains(part), "{part}: {plain}");
        }
    }
}
