//! How a store is, and what makes sessions in it, as text.

use barograph::{Health, ScheduleList};
use clap::builder::styling::AnsiColor;

use super::layout::{Align, DIM, Page, safe, styled, thousands};

/// Writes each check with its reason, then what fills the store.
pub(crate) fn health(page: &mut Page, found: &Health) {
    let width = found.checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
    for check in &found.checks {
        let word = match check.ok {
            true => styled(AnsiColor::Green.on_default(), "ok "),
            false => styled(AnsiColor::Red.on_default().bold(), "BAD"),
        };
        page.paragraph(&format!("{word}  {:width$}  ", safe(&check.name)), &safe(&check.reason));
    }
    page.line("");
    let fact = |page: &mut Page, name: &str, text: &str| {
        page.paragraph(&styled(DIM, &format!("{name:<10}")), text);
    };
    let [open, paused, ended] =
        [found.sessions_open, found.sessions_paused, found.sessions_ended].map(thousands);
    fact(page, "sessions", &format!("{open} open, {paused} paused, {ended} ended"));
    let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
    let log =
        if found.log_bytes > 0 { format!(" and {} of log", mib(found.log_bytes)) } else { String::new() };
    fact(page, "size", &format!("{}{log}", mib(found.store_bytes)));
    for queue in &found.queues {
        let [waiting, running, done, dead] =
            [queue.waiting, queue.running, queue.done, queue.dead].map(thousands);
        let counts = format!("{waiting} waiting, {running} running, {done} done, {dead} dead");
        fact(page, "queue", &format!("{}: {counts}", safe(&queue.queue)));
    }
    for load in &found.owners {
        let gone = if load.owner.alive { "" } else { ", gone" };
        let who = safe(&format!("pid {} on {}{gone}", load.owner.pid, load.owner.host));
        fact(page, "owner", &format!("{who}: {} sessions, {} tasks", load.sessions, load.tasks));
    }
}

/// Writes every schedule with when it fires next.
pub(crate) fn schedules(page: &mut Page, found: &ScheduleList) {
    let rows: Vec<Vec<String>> = found
        .schedules
        .iter()
        .map(|one| {
            let next = match &one.next {
                _ if one.paused => "paused".to_owned(),
                Some(next) => format!("{next}, {}", page.until(next)),
                None => "never again".to_owned(),
            };
            let cron = one.cron.as_deref().unwrap_or("once");
            vec![safe(&one.name), safe(cron), next, thousands(one.fired)]
        })
        .collect();
    if rows.is_empty() {
        page.line("no schedules");
        return;
    }
    let align = [Align::Left, Align::Left, Align::Left, Align::Right];
    page.table(&["name", "fires", "next", "fired"], &align, &rows);
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph::{HealthCheck, Schedule};

    #[test]
    fn what_is_bad_stands_out_with_its_reason() {
        let check =
            |name: &str, ok: bool, reason: &str| HealthCheck { name: name.into(), ok, reason: reason.into() };
        let found = Health {
            checks: vec![
                check("store.writable", true, "a transaction was committed"),
                check("disk.space", false, "only 3 MiB are free; make room"),
            ],
            store_bytes: 3 << 20,
            sessions_open: 1204,
            ..Health::default()
        };
        let mut page = Page::new(None);
        health(&mut page, &found);
        let plain = anstream::adapter::strip_str(&page.into_text()).to_string();
        assert_eq!(
            plain,
            "ok   store.writable  a transaction was committed\nBAD  disk.space      only 3 MiB are free; make room\n\n\
             sessions  1,204 open, 0 paused, 0 ended\nsize      3.0 MiB\n"
        );
    }

    #[test]
    fn schedules_say_when_they_fire_next() {
        let nightly = Schedule {
            name: "nightly".into(),
            cron: Some("0 3 * * * UTC".into()),
            next: Some("2026-02-01T03:00:00.000Z".into()),
            fired: 2,
            ..Schedule::default()
        };
        let once = Schedule { name: "once".into(), ..Schedule::default() };
        let mut page = Page::new(None).at(Some("2026-01-31T12:00:00Z"));
        schedules(&mut page, &ScheduleList { schedules: vec![nightly, once] });
        let plain = anstream::adapter::strip_str(&page.into_text()).to_string();
        assert!(
            plain.contains("  nightly  0 3 * * * UTC  2026-02-01T03:00:00.000Z, in 15 h      2\n"),
            "{plain}"
        );
        assert!(plain.contains("  once     once           never again"), "{plain}");
    }
}
