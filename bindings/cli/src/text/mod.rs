//! Answers as text for people: by hand where it matters most, and one tidy form for all others.

mod layout;
mod metrics;
mod model;
mod record;
mod risk;

use std::any::Any;

use barograph::surface::Record;
use barograph::{ChangeRisk, CodeMetrics, ModelCard};

use layout::Page;

/// Whether the answer of `op` has a form of its own.
pub(crate) fn is_known(op: &str) -> bool {
    matches!(op, "code.metrics" | "predict.model" | "risk.change")
}

/// The answer of `op` as text, with ANSI styles; `width` in columns where a terminal reads it.
pub(crate) fn render(op: &str, record: &dyn Record, width: Option<usize>) -> String {
    let mut page = Page::new(width);
    let any: &dyn Any = record.as_any();
    match op {
        "risk.change" => {
            if let Some(risk) = any.downcast_ref::<ChangeRisk>() {
                risk::write(&mut page, risk);
                return page.into_text();
            }
        }
        "predict.model" => {
            if let Some(card) = any.downcast_ref::<ModelCard>() {
                model::write(&mut page, card);
                return page.into_text();
            }
        }
        "code.metrics" => {
            if let Some(metrics) = any.downcast_ref::<CodeMetrics>() {
                metrics::write(&mut page, metrics);
                return page.into_text();
            }
        }
        _ => {}
    }
    let mut json = Vec::new();
    // Into memory: nothing can fail.
    let _ = record.write_json(&mut json);
    tidy(page, &json)
}

/// The answer of an operation that opens a handle.
pub(crate) fn opened(json: &[u8]) -> String {
    tidy(Page::new(None), json)
}

fn tidy(mut page: Page, json: &[u8]) -> String {
    match serde_json::from_slice(json) {
        Ok(value) => record::write(&mut page, &value),
        Err(_) => page.line(&String::from_utf8_lossy(json)),
    }
    page.into_text()
}
