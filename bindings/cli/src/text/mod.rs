//! Answers as text for people: by hand where it matters most, and one tidy form for all others.

mod insight;
mod layout;
mod model;
mod patterns;
mod record;
mod risk;
mod symbols;

use barograph::{ChangeRisk, ModelCard};

use layout::Page;

/// The answer of `op` as text, with ANSI styles; `width` in columns where a terminal reads it.
pub(crate) fn render(op: &str, answer: &[u8], width: Option<usize>) -> String {
    let mut page = Page::new(width);
    match op {
        "risk.change" => {
            if let Ok(risk) = serde_json::from_slice::<ChangeRisk>(answer) {
                risk::write(&mut page, &risk);
                return page.into_text();
            }
        }
        "predict.model" => {
            if let Ok(card) = serde_json::from_slice::<ModelCard>(answer) {
                model::write(&mut page, &card);
                return page.into_text();
            }
        }
        "code.symbols" => {
            if let Ok(answer) = serde_json::from_slice(answer) {
                symbols::symbols(&mut page, &answer);
                return page.into_text();
            }
        }
        "code.clones" => {
            if let Ok(answer) = serde_json::from_slice(answer) {
                symbols::clones(&mut page, &answer);
                return page.into_text();
            }
        }
        "code.patterns" => {
            if let Ok(answer) = serde_json::from_slice(answer) {
                patterns::findings(&mut page, &answer);
                return page.into_text();
            }
        }
        "code.rules" => {
            if let Ok(answer) = serde_json::from_slice(answer) {
                patterns::rules(&mut page, &answer);
                return page.into_text();
            }
        }
        "git.coupling" => {
            if let Ok(answer) = serde_json::from_slice(answer) {
                insight::coupling(&mut page, &answer);
                return page.into_text();
            }
        }
        "git.files" => {
            if let Ok(answer) = serde_json::from_slice(answer) {
                insight::files(&mut page, &answer);
                return page.into_text();
            }
        }
        "git.hotspots" => {
            if let Ok(answer) = serde_json::from_slice(answer) {
                insight::hotspots(&mut page, &answer);
                return page.into_text();
            }
        }
        "git.owners" => {
            if let Ok(answer) = serde_json::from_slice(answer) {
                insight::owners(&mut page, &answer);
                return page.into_text();
            }
        }
        _ => {}
    }
    match serde_json::from_slice(answer) {
        Ok(value) => record::write(&mut page, &value),
        Err(_) => page.line(&String::from_utf8_lossy(answer)),
    }
    page.into_text()
}
