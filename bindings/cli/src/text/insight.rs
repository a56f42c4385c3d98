//! `git.files`, `git.coupling`, `git.owners` and `git.hotspots` as text.

use barograph::{
    ChangeTrend, ComplexityBasis, CountedHistory, FileCoupling, FileHistories, FileHistory, Hotspots,
    OwnedPath, Ownership,
};
use clap::builder::styling::{AnsiColor, Style};

use super::layout::{Align, BOLD, DIM, Page, number, percent, safe, styled, thousands};

/// How many of each are shown; all of them are in the JSON.
const ROWS: usize = 30;
/// How many owners of the whole selection are shown, and how many of each path.
const OWNERS: usize = 10;
const NAMES: usize = 3;

/// Writes `git.hotspots`.
pub(crate) fn hotspots(page: &mut Page, answer: &Hotspots) {
    let rows: Vec<Vec<String>> = answer
        .files
        .iter()
        .take(ROWS)
        .map(|file| {
            let complexity = match file.complexity_basis {
                ComplexityBasis::Cognitive => number(file.complexity),
                // A tilde for what is only near to it.
                ComplexityBasis::Indentation => format!("~{}", number(file.complexity)),
            };
            vec![
                format!("{:.2}", file.score),
                safe(&file.path),
                thousands(file.commits),
                number(file.weighted_commits),
                trend(file.trend, file.recent_commits, file.earlier_commits),
                complexity,
                thousands(file.lines),
                thousands(file.fixes),
                thousands(file.authors),
            ]
        })
        .collect();
    let header = ["score", "file", "commits", "weighted", "trend", "complexity", "lines", "fixes", "authors"];
    table(page, &header, &[1, 4], &rows);
    rest(page, answer.files.len());
    page.line("");
    if answer.files.iter().any(|file| file.complexity_basis == ComplexityBasis::Indentation) {
        page.paragraph(&dim("~        "), "by indentation, as the language has no grammar here");
    }
    let mut compared = format!("{} files of code", thousands(answer.compared));
    if answer.unmeasured > 0 {
        compared.push_str(&format!("; {} could not be measured", thousands(answer.unmeasured)));
    }
    page.paragraph(&dim("compared "), &compared);
    basis(page, &answer.basis);
}

/// Writes `git.coupling`.
pub(crate) fn coupling(page: &mut Page, answer: &FileCoupling) {
    if answer.pairs.is_empty() {
        page.line("no two files change together within these limits");
    }
    let rows: Vec<Vec<String>> = answer
        .pairs
        .iter()
        .take(ROWS)
        .map(|pair| {
            vec![
                percent(pair.degree / 100.0),
                safe(&pair.path),
                safe(&pair.coupled),
                thousands(pair.shared),
                number(pair.average_revisions),
                format!("{} ago", days(pair.last_shared_days)),
            ]
        })
        .collect();
    let header = ["degree", "file", "changes with", "together", "of on average", "last"];
    table(page, &header, &[1, 2], &rows);
    rest(page, answer.pairs.len());
    page.line("");
    if answer.too_large > 0 {
        let text = format!("{} commits of too many files do not count", thousands(answer.too_large));
        page.paragraph(&dim("large    "), &text);
    }
    basis(page, &answer.basis);
}

/// Writes `git.owners`.
pub(crate) fn owners(page: &mut Page, answer: &Ownership) {
    if let Some(whole) = answer.paths.first() {
        page.line(&styled(BOLD, &title(whole)));
        let rows: Vec<Vec<String>> = whole
            .owners
            .iter()
            .take(OWNERS)
            .map(|owner| {
                vec![
                    percent(owner.share),
                    safe(&owner.name),
                    safe(&owner.email),
                    thousands(owner.commits),
                    format!("+{}", thousands(owner.added)),
                    format!("-{}", thousands(owner.deleted)),
                    owner.last_active.split('T').next().unwrap_or_default().to_owned(),
                ]
            })
            .collect();
        table(page, &["share", "name", "e-mail", "commits", "", "", "last active"], &[1, 2], &rows);
        let more = (whole.authors as usize).saturating_sub(whole.owners.len().min(OWNERS));
        if more > 0 {
            page.line(&format!("  and {} more", thousands(more as u64)));
        }
    }
    if answer.paths.len() > 1 {
        page.heading("By path");
        let rows: Vec<Vec<String>> = answer.paths[1..]
            .iter()
            .take(ROWS)
            .map(|path| {
                let names: Vec<String> = path
                    .owners
                    .iter()
                    .take(NAMES)
                    .map(|owner| format!("{} {}", safe(&owner.name), percent(owner.share)))
                    .collect();
                vec![
                    safe(&path.path),
                    thousands(path.commits),
                    thousands(path.authors),
                    thousands(path.bus_factor),
                    thousands(path.truck_factor),
                    names.join(", "),
                ]
            })
            .collect();
        let header = ["path", "commits", "authors", "bus factor", "truck factor", "owners"];
        table(page, &header, &[0, 5], &rows);
        rest(page, answer.paths.len() - 1);
    }
    page.line("");
    basis(page, &answer.basis);
}

fn title(whole: &OwnedPath) -> String {
    format!(
        "{} files, {} commits, {} authors; bus factor {}, truck factor {}",
        thousands(whole.files),
        thousands(whole.commits),
        thousands(whole.authors),
        thousands(whole.bus_factor),
        thousands(whole.truck_factor)
    )
}

/// Writes `git.files`, what changed most of late first.
pub(crate) fn files(page: &mut Page, answer: &FileHistories) {
    let mut files: Vec<&FileHistory> = answer.files.iter().collect();
    // Equal ones stay sorted by path.
    files.sort_by(|a, b| (b.weighted_commits * b.weight).total_cmp(&(a.weighted_commits * a.weight)));
    let rows: Vec<Vec<String>> = files
        .iter()
        .take(ROWS)
        .map(|file| {
            let owner = match &file.main_author {
                Some(name) => format!("{} {}", safe(name), percent(file.ownership)),
                None => "-".to_owned(),
            };
            vec![
                safe(&file.path),
                thousands(file.commits),
                number(file.weighted_commits),
                file.lines.map_or_else(|| "-".to_owned(), thousands),
                file.relative_churn.map_or_else(|| "-".to_owned(), number),
                file.age_days.map_or_else(|| "-".to_owned(), days),
                file.last_change_days.map_or_else(|| "-".to_owned(), days),
                thousands(file.fixes),
                thousands(file.authors),
                thousands(file.bus_factor),
                owner,
            ]
        })
        .collect();
    let header = [
        "file",
        "commits",
        "weighted",
        "lines",
        "churn",
        "age",
        "unchanged",
        "fixes",
        "authors",
        "bus factor",
        "owner",
    ];
    table(page, &header, &[0, 10], &rows);
    rest(page, answer.files.len());
    page.line("");
    basis(page, &answer.basis);
}

fn table(page: &mut Page, header: &[&str], left: &[usize], rows: &[Vec<String>]) {
    if rows.is_empty() {
        return;
    }
    let align: Vec<Align> =
        (0..header.len()).map(|at| if left.contains(&at) { Align::Left } else { Align::Right }).collect();
    page.table(header, &align, rows);
}

fn rest(page: &mut Page, count: usize) {
    if count > ROWS {
        page.line(&format!("  and {} more", thousands((count - ROWS) as u64)));
    }
}

fn basis(page: &mut Page, basis: &CountedHistory) {
    let mut text = format!(
        "{} commits up to {} of {}",
        thousands(basis.counted),
        basis.tip.get(..10).unwrap_or(&basis.tip),
        basis.time.split('T').next().unwrap_or_default()
    );
    for (count, what) in [(basis.by_bots, "by bots"), (basis.ignored, "in .git-blame-ignore-revs")] {
        if count > 0 {
            text.push_str(&format!("; {} {what} left out", thousands(count)));
        }
    }
    if basis.history.cut {
        text.push_str("; the clone is shallow, so earlier ones are missing: git deepen fetches them");
    }
    if basis.history.gaps > 0 {
        text.push_str(&format!("; {} whose changes could not be read", thousands(basis.history.gaps)));
    }
    page.paragraph(&dim("history  "), &text);
}

fn trend(trend: ChangeTrend, recent: u64, earlier: u64) -> String {
    let (sign, style): (&str, Style) = match trend {
        ChangeTrend::Rising => ("↑", AnsiColor::Red.on_default()),
        ChangeTrend::Stable => ("·", DIM),
        ChangeTrend::Falling => ("↓", AnsiColor::Green.on_default()),
    };
    format!("{} {recent} after {earlier}", styled(style, sign))
}

fn dim(text: &str) -> String {
    styled(DIM, text)
}

/// `3 d`, `5 w`, `2.1 y`.
fn days(days: f64) -> String {
    match days {
        days if days < 14.0 => format!("{days:.0} d"),
        days if days < 365.0 => format!("{:.0} w", days / 7.0),
        days => format!("{:.1} y", days / 365.25),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph::{CoupledFiles, Hotspot, Owner};

    fn plain(write: impl Fn(&mut Page)) -> String {
        let mut page = Page::new(None);
        write(&mut page);
        anstream::adapter::strip_str(&page.into_text()).to_string()
    }

    fn counted() -> CountedHistory {
        CountedHistory {
            tip: "0123456789abcdef".into(),
            time: "2026-01-31T12:00:00.000Z".into(),
            counted: 1200,
            by_bots: 3,
            ..CountedHistory::default()
        }
    }

    #[test]
    fn hotspots_come_with_their_trend() {
        let file = Hotspot {
            path: "src/a\u{1b}.c".into(),
            score: 0.987,
            commits: 1234,
            weighted_commits: 12.34,
            complexity: 812.0,
            lines: 4000,
            recent_commits: 9,
            earlier_commits: 4,
            trend: ChangeTrend::Rising,
            fixes: 7,
            authors: 3,
            ..Hotspot::default()
        };
        let answer = Hotspots { files: vec![file], compared: 20, unmeasured: 1, basis: counted() };
        assert_eq!(
            plain(|page| hotspots(page, &answer)),
            "  score  file      commits  weighted  trend        complexity  lines  fixes  authors\n\
             \x20  0.99  src/a\u{fffd}.c    1,234      12.3  ↑ 9 after 4        ~812  4,000      7        3\n\
             \n\
             ~        by indentation, as the language has no grammar here\n\
             compared 20 files of code; 1 could not be measured\n\
             history  1,200 commits up to 0123456789 of 2026-01-31; 3 by bots left out\n"
        );
    }

    #[test]
    fn owners_of_the_whole_come_first() {
        let owner = |name: &str, share| Owner {
            name: name.into(),
            email: "a@b".into(),
            commits: 4,
            share,
            added: 1000,
            deleted: 2,
            last_active: "2026-01-01T00:00:00.000Z".into(),
            ..Owner::default()
        };
        let path = |path: &str| OwnedPath {
            path: path.into(),
            files: 2,
            commits: 8,
            authors: 2,
            bus_factor: 1,
            truck_factor: 2,
            owners: vec![owner("Ann", 0.75), owner("Bob", 0.25)],
        };
        let answer = Ownership { paths: vec![path(""), path("src/")], basis: counted() };
        assert_eq!(
            plain(|page| owners(page, &answer)),
            "2 files, 8 commits, 2 authors; bus factor 1, truck factor 2\n\
             \x20 share  name  e-mail  commits              last active\n\
             \x20  75 %  Ann   a@b           4  +1,000  -2   2026-01-01\n\
             \x20  25 %  Bob   a@b           4  +1,000  -2   2026-01-01\n\
             \n\
             By path\n\
             \x20 path  commits  authors  bus factor  truck factor  owners\n\
             \x20 src/        8        2           1             2  Ann 75 %, Bob 25 %\n\
             \n\
             history  1,200 commits up to 0123456789 of 2026-01-31; 3 by bots left out\n"
        );
    }

    #[test]
    fn couplings_and_files_are_tables() {
        let pair = CoupledFiles {
            path: "a.c".into(),
            coupled: "a.h".into(),
            degree: 85.7,
            shared: 6,
            revisions: 8,
            coupled_revisions: 6,
            average_revisions: 7.0,
            last_shared_days: 20.0,
            same_folder: true,
        };
        let answer = FileCoupling { pairs: vec![pair], too_large: 2, basis: counted() };
        let text = plain(|page| coupling(page, &answer));
        assert!(text.contains("86 %  a.c   a.h"), "{text}");
        assert!(text.contains("large    2 commits of too many files"), "{text}");
        assert!(plain(|page| coupling(page, &FileCoupling::default())).starts_with("no two files"));
        let file = |path: &str, weighted_commits| FileHistory {
            path: path.into(),
            commits: 3,
            weighted_commits,
            age_days: Some(800.0),
            weight: 1.0,
            ..FileHistory::default()
        };
        let mut basis = counted();
        basis.history.cut = true;
        let answer = FileHistories { files: vec![file("calm", 0.5), file("busy", 2.0)], basis };
        let text = plain(|page| files(page, &answer));
        assert!(text.find("busy") < text.find("calm") && text.contains("2.2 y"), "{text}");
        assert!(text.contains("shallow"), "{text}");
    }
}
