//! Answers as text for people: by hand where it matters most, and one tidy form for all others.

mod insight;
mod layout;
mod metrics;
mod model;
mod patterns;
mod record;
mod risk;
mod session;
mod store;
mod symbols;
mod trace;

use barograph::surface::Record;

use layout::Page;
pub(crate) use trace::line;

/// Writes an answer to a page; `false` where it is of another type.
type Form = fn(&mut Page, &dyn Record) -> bool;

fn form<T: 'static>(page: &mut Page, record: &dyn Record, write: fn(&mut Page, &T)) -> bool {
    let answer = record.as_any().downcast_ref::<T>();
    answer.map(|answer| write(page, answer)).is_some()
}

/// The answers that have a form of their own.
const FORMS: &[(&str, Form)] = &[
    ("code.clones", |page, record| form(page, record, symbols::clones)),
    ("code.metrics", |page, record| form(page, record, metrics::write)),
    ("code.patterns", |page, record| form(page, record, patterns::findings)),
    ("code.rules", |page, record| form(page, record, patterns::rules)),
    ("code.symbols", |page, record| form(page, record, symbols::symbols)),
    ("git.coupling", |page, record| form(page, record, insight::coupling)),
    ("git.files", |page, record| form(page, record, insight::files)),
    ("git.hotspots", |page, record| form(page, record, insight::hotspots)),
    ("git.owners", |page, record| form(page, record, insight::owners)),
    ("predict.model", |page, record| form(page, record, model::write)),
    ("risk.change", |page, record| form(page, record, risk::write)),
    ("schedule.list", |page, record| form(page, record, store::schedules)),
    ("session.archive", |page, record| form(page, record, session::summary)),
    ("session.cancel", |page, record| form(page, record, session::summary)),
    ("session.checkpoints", |page, record| form(page, record, trace::checkpoints)),
    ("session.entries", |page, record| form(page, record, trace::entries)),
    ("session.fork", |page, record| form(page, record, session::summary)),
    ("session.get", |page, record| form(page, record, session::summary)),
    ("session.history", |page, record| form(page, record, trace::history)),
    ("session.list", |page, record| form(page, record, session::list)),
    ("session.pause", |page, record| form(page, record, session::summary)),
    ("session.resume", |page, record| form(page, record, session::summary)),
    ("session.show", |page, record| form(page, record, session::detail)),
    ("workspace.health", |page, record| form(page, record, store::health)),
];

/// Who reads a page.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reader<'a> {
    /// In columns, where it is a terminal.
    pub(crate) width: Option<usize>,
    /// A fixed time for the clock, RFC 3339.
    pub(crate) clock: Option<&'a str>,
}

/// Whether the answer of `op` has a form of its own.
pub(crate) fn is_known(op: &str) -> bool {
    FORMS.iter().any(|(known, _)| *known == op)
}

/// Whether an answer says no, which is a result and no error: the exit status says it too.
pub(crate) fn says_no(record: &dyn Record) -> bool {
    record.as_any().downcast_ref::<barograph::Health>().is_some_and(|health| !health.ok)
}

/// The answer of `op` as text, with ANSI styles.
pub(crate) fn render(op: &str, record: &dyn Record, reader: Reader<'_>) -> String {
    let mut page = Page::new(reader.width).at(reader.clock);
    if let Some((_, form)) = FORMS.iter().find(|(known, _)| *known == op)
        && form(&mut page, record)
    {
        return page.into_text();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_that_of_an_operation() {
        for (op, _) in FORMS {
            assert!(barograph::surface::operation(op).is_ok(), "{op}");
        }
    }
}
