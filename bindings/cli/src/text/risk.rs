//! `risk.change` as text: the rank first, then what stands behind it.

use barograph::{Basis, ChangeRisk, FileShare, Reason, RiskLevel};
use clap::builder::styling::{AnsiColor, Style};

use super::layout::{Align, BOLD, DIM, Page, number, percent, safe, styled, thousands};

/// How many of each list are shown; all of them are in the JSON.
const REASONS: usize = 5;
const FILES: usize = 5;
const COMMITS: usize = 10;

/// A contribution below this many log-odds (a factor of 1.05) is not worth a line.
const FLAT: f64 = 0.05;

/// How many earlier changes a score looks back on.
const WINDOW: u64 = 500;

/// Writes the answer.
pub(crate) fn write(page: &mut Page, risk: &ChangeRisk) {
    rank(page, risk);
    reasons(page, &risk.reasons);
    files(page, &risk.files);
    commits(page, risk);
    page.line("");
    provenance(page, risk);
    for note in &risk.notes {
        page.paragraph(&format!("{}     ", styled(AnsiColor::Yellow.on_default(), "note")), &safe(note));
    }
}

fn rank(page: &mut Page, risk: &ChangeRisk) {
    let whose = match risk.score_basis {
        Basis::Prior => "the changes the prior was trained on".to_owned(),
        _ if risk.history.commits > WINDOW => format!("your last {WINDOW} changes"),
        _ => "your earlier changes".to_owned(),
    };
    // Cut, not rounded: 99.8 % must not read as all of them.
    let score = risk.score.floor();
    if unreadable(risk) {
        // A number that says next to nothing is not put first.
        page.line(&styled(BOLD, "what this change did cannot be read in this clone (see the note)"));
    } else {
        let text = format!("riskier than {score:.0} % of {whose} — {}", risk.level);
        page.line(&styled(colour(risk.level).bold(), &text));
    }

    let base = match risk.calibration.basis {
        Basis::Prior => format!("at the prior's base rate of {}", percent(risk.base_rate)),
        Basis::Given => format!("at the given base rate of {}", percent(risk.base_rate)),
        Basis::Repository => format!("at this repository's base rate of {}", percent(risk.base_rate)),
    };
    let interval = &risk.interval;
    let range = format!(
        "{} interval {} to {}",
        percent(interval.level),
        percent(interval.low).trim_end_matches(" %"),
        percent(interval.high)
    );
    page.paragraph("", &format!("probability of a defect {} {base} ({range})", percent(risk.probability)));

    let change = &risk.change;
    let what = match (&change.tip, risk.commits.len()) {
        (None, _) => "the work tree".to_owned(),
        (Some(tip), 0 | 1) => format!("commit {}", short(tip)),
        (Some(tip), count) => format!("{count} commits up to {}", short(tip)),
    };
    page.paragraph(
        "",
        &format!(
            "{what}: {}, +{} -{} lines, {}",
            counted(change.files, "file"),
            thousands(change.added),
            thousands(change.deleted),
            safe(&change.time)
        ),
    );
}

/// Whether not even the size of the change is known: its parent is not in the clone.
fn unreadable(risk: &ChangeRisk) -> bool {
    risk.reasons.iter().any(|reason| reason.feature == "la" && reason.value.is_none())
}

fn reasons(page: &mut Page, all: &[Reason]) {
    let mut shown: Vec<&Reason> = all.iter().filter(|reason| reason.contribution.abs() >= FLAT).collect();
    shown.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
    shown.truncate(REASONS);
    page.heading("Why");
    if shown.is_empty() {
        page.line("  nothing stands out: every measure is near its mean");
        return;
    }
    let named: Vec<(String, &Reason)> = shown.iter().map(|reason| (measured(reason), *reason)).collect();
    let width = named.iter().map(|(text, _)| super::layout::columns(text)).max().unwrap_or(0);
    for (measured, reason) in named {
        let arrow = match reason.contribution > 0.0 {
            true => styled(AnsiColor::Red.on_default(), "↑"),
            false => styled(AnsiColor::Green.on_default(), "↓"),
        };
        let space = " ".repeat(width - super::layout::columns(&measured));
        page.paragraph(&format!("  {arrow} {}{space}  ", styled(BOLD, &measured)), &safe(&reason.sentence));
        if reason.contribution > 0.0 && !reason.action.is_empty() {
            page.paragraph(&format!("    {}  → ", " ".repeat(width)), &safe(&reason.action));
        }
    }
}

/// `la 340 lines`, `fix yes`; a value that is not known says so.
fn measured(reason: &Reason) -> String {
    let value = reason.value.map_or_else(|| "unknown".to_owned(), number);
    let text = match reason.value {
        Some(value) if reason.unit == "yes or no" => {
            format!("{} {}", reason.feature, if value > 0.0 { "yes" } else { "no" })
        }
        Some(_) => format!("{} {value} {}", reason.feature, reason.unit),
        None => format!("{} {value}", reason.feature),
    };
    safe(text.trim_end())
}

fn files(page: &mut Page, all: &[FileShare]) {
    // One file has the whole share, which tells nothing.
    if all.len() < 2 {
        return;
    }
    page.heading("Where");
    // Largest share first, and the entry for the rest last: what is named is at the front.
    let shown = all.iter().take(FILES).take_while(|file| file.path.is_some()).count();
    let (named, rest) = all.split_at(shown);
    let mut rows: Vec<Vec<String>> =
        named.iter().map(|file| row(file, safe(file.path.as_deref().unwrap_or_default()))).collect();
    if !rest.is_empty() {
        let sum = FileShare {
            path: None,
            share: rest.iter().map(|file| file.share).sum(),
            added: rest.iter().map(|file| file.added).sum(),
            deleted: rest.iter().map(|file| file.deleted).sum(),
            files: rest.iter().map(|file| file.files.max(1)).sum(),
        };
        let more = counted(sum.files, "more file");
        rows.push(row(&sum, more));
    }
    page.table(&[], &[Align::Right, Align::Left, Align::Right, Align::Right], &rows);
}

fn row(file: &FileShare, name: String) -> Vec<String> {
    vec![
        percent(file.share),
        name,
        format!("+{}", thousands(file.added)),
        format!("-{}", thousands(file.deleted)),
    ]
}

fn commits(page: &mut Page, risk: &ChangeRisk) {
    if risk.commits.len() < 2 {
        return;
    }
    page.heading("Commits, riskiest first");
    let mut all: Vec<_> = risk.commits.iter().collect();
    // Equal ones stay newest first.
    all.sort_by(|a, b| b.score.total_cmp(&a.score));
    let rows: Vec<Vec<String>> = all
        .iter()
        .take(COMMITS)
        .map(|commit| {
            vec![
                format!("{:.0}", commit.score.floor()),
                styled(colour(commit.level), &commit.level.to_string()),
                short(&commit.sha).to_owned(),
                safe(&commit.title),
            ]
        })
        .collect();
    page.table(&[], &[Align::Right, Align::Left, Align::Left, Align::Left], &rows);
    if all.len() > COMMITS {
        page.line(&format!("  and {} more", thousands((all.len() - COMMITS) as u64)));
    }
}

fn provenance(page: &mut Page, risk: &ChangeRisk) {
    let model = &risk.model;
    let until = model.trained_until.split('T').next().unwrap_or_default();
    let trained = format!(
        "{} {}, trained on {} until {until}",
        model.name,
        model.version,
        if model.trained_on.is_empty() { "no named data".to_owned() } else { model.trained_on.join(", ") }
    );
    page.paragraph(&format!("{}    ", styled(DIM, "model")), &safe(&trained));
    let history = &risk.history;
    let mut seen = format!("{} seen", counted(history.commits, "commit"));
    if history.cut {
        seen.push_str("; the clone is shallow, so earlier ones are missing: --deepen fetches them");
    }
    if history.gaps > 0 {
        seen.push_str(&format!("; {}, whose changes could not be read", counted(history.gaps, "gap")));
    }
    page.paragraph(&format!("{}  ", styled(DIM, "history")), &seen);
}

/// `1 file`, `2 files`.
fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", thousands(count), if count == 1 { "" } else { "s" })
}

fn short(sha: &str) -> &str {
    sha.get(..10).unwrap_or(sha)
}

fn colour(level: RiskLevel) -> Style {
    match level {
        RiskLevel::Unknown => AnsiColor::Yellow.on_default(),
        RiskLevel::Low => AnsiColor::Green.on_default(),
        RiskLevel::Medium => AnsiColor::Yellow.on_default(),
        RiskLevel::High => AnsiColor::Red.on_default(),
        RiskLevel::Critical => AnsiColor::Magenta.on_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph::{Calibration, ChangeSpan, CommitRisk, HistorySpan, Interval, ModelReference};

    fn reason(
        feature: &str,
        value: Option<f64>,
        unit: &str,
        contribution: f64,
        sentence: &str,
        action: &str,
    ) -> Reason {
        Reason {
            feature: feature.into(),
            value,
            unit: unit.into(),
            percentile: Some(91.0),
            contribution,
            sentence: sentence.into(),
            action: action.into(),
        }
    }

    fn file(path: Option<&str>, share: f64, files: u64) -> FileShare {
        FileShare { path: path.map(str::to_owned), share, added: 1200, deleted: 3, files }
    }

    fn commit(sha: &str, title: &str, score: f64, level: RiskLevel) -> CommitRisk {
        CommitRisk { sha: sha.into(), title: title.into(), probability: 0.2, score, level }
    }

    fn sample() -> ChangeRisk {
        ChangeRisk {
            change: ChangeSpan {
                base: Some("aaaaaaaaaaaaaaaa".into()),
                tip: Some("0123456789abcdef".into()),
                time: "2026-01-31T12:00:00Z".into(),
                files: 12,
                added: 1340,
                deleted: 27,
            },
            probability: 0.312,
            base_rate: 0.171,
            interval: Interval { low: 0.24, high: 0.394, level: 0.9 },
            percentile: Some(93.8),
            score: 93.8,
            score_basis: Basis::Repository,
            level: RiskLevel::High,
            reasons: vec![
                reason(
                    "la",
                    Some(1340.0),
                    "lines",
                    0.9,
                    "it adds more lines than 91 % of your changes",
                    "split it",
                ),
                reason("ndev", None, "authors", 0.0, "not known", ""),
                reason("exp", Some(412.0), "commits", -0.4, "its author knows this code base", ""),
                reason("age", Some(3.0), "days", 0.01, "near the mean", ""),
            ],
            files: vec![
                file(Some("src/a.rs"), 0.62, 1),
                file(Some("src/b\u{1b}[2J.rs"), 0.3, 1),
                file(None, 0.08, 10),
            ],
            commits: vec![
                commit("bbbbbbbbbbbbbbbb", "Second", 40.0, RiskLevel::Low),
                commit("cccccccccccccccc", "First", 99.9, RiskLevel::Critical),
            ],
            model: ModelReference {
                name: "prior".into(),
                version: "1".into(),
                trained_on: vec!["jit-issta21".into(), "jit-apache8".into()],
                trained_until: "2019-12-01T00:00:00Z".into(),
            },
            history: HistorySpan { commits: 2345, ..HistorySpan::default() },
            notes: vec!["the author is not known".into()],
            ..ChangeRisk::default()
        }
    }

    fn plain(risk: &ChangeRisk) -> String {
        let mut page = Page::new(None);
        write(&mut page, risk);
        anstream::adapter::strip_str(&page.into_text()).to_string()
    }

    #[test]
    fn the_rank_comes_first_and_the_probability_with_its_basis() {
        assert_eq!(
            plain(&sample()),
            "riskier than 93 % of your last 500 changes — high\n\
             probability of a defect 31 % at the prior's base rate of 17 % (90 % interval 24 to 39 %)\n\
             2 commits up to 0123456789: 12 files, +1,340 -27 lines, 2026-01-31T12:00:00Z\n\
             \nWhy\n\
             \x20 ↑ la 1,340 lines   it adds more lines than 91 % of your changes\n\
             \x20                    → split it\n\
             \x20 ↓ exp 412 commits  its author knows this code base\n\
             \nWhere\n\
             \x20 62 %  src/a.rs       +1,200  -3\n\
             \x20 30 %  src/b\u{fffd}[2J.rs   +1,200  -3\n\
             \x20  8 %  10 more files  +1,200  -3\n\
             \nCommits, riskiest first\n\
             \x20 99  critical  cccccccccc  First\n\
             \x20 40  low       bbbbbbbbbb  Second\n\
             \n\
             model    prior 1, trained on jit-issta21, jit-apache8 until 2019-12-01\n\
             history  2,345 commits seen\n\
             note     the author is not known\n"
        );
    }

    #[test]
    fn a_rank_or_base_rate_of_another_basis_says_so() {
        let mut risk = sample();
        risk.score_basis = Basis::Prior;
        risk.calibration = Calibration { basis: Basis::Given };
        risk.base_rate = 0.2;
        risk.history = HistorySpan { commits: 1, cut: true, gaps: 2, ..HistorySpan::default() };
        risk.change.tip = None;
        let text = plain(&risk);
        assert!(
            text.starts_with("riskier than 93 % of the changes the prior was trained on — high\n"),
            "{text}"
        );
        assert!(text.contains("at the given base rate of 20 %"), "{text}");
        assert!(text.contains("\nthe work tree: 12 files"), "{text}");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("--deepen fetches them") && text.contains("; 2 gaps, whose"), "{text}");
        risk.score_basis = Basis::Repository;
        risk.history.commits = 120;
        assert!(plain(&risk).starts_with("riskier than 93 % of your earlier changes"), "{text}");
    }
}
