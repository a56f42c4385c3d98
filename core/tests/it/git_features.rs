//! The measures against the reference, row by row and column by column.

use std::path::{Path, PathBuf};

use barograph::{DeepenArgs, FeatureRow, FeaturesArgs, OpenArgs, Workspace, blocking};

use super::git::{Folder, clone_of, git, open};

/// How many of the reference's rows are equal, and which columns differ in the others.
fn compare(rows: &[FeatureRow], csv: &Path) -> (usize, usize, Vec<String>) {
    let text = std::fs::read_to_string(csv).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let (mut equal, mut total) = (0, 0);
    let mut notes = Vec::new();
    for (at, line) in lines.enumerate() {
        total += 1;
        let Some(row) = rows.get(at) else {
            notes.push(format!("row {at} is missing"));
            continue;
        };
        let json = serde_json::to_value(row).unwrap();
        let differing: Vec<String> = names
            .iter()
            .zip(line.split(','))
            .filter(|(name, expected)| !same(&json[name.to_lowercase()], expected))
            .map(|(name, expected)| format!("{name} {} not {expected}", json[name.to_lowercase()]))
            .collect();
        if differing.is_empty() {
            equal += 1;
        } else {
            notes.push(format!("row {at} {}: {}", row.sha, differing.join(", ")));
        }
    }
    if rows.len() > total {
        notes.push(format!("{} rows too many", rows.len() - total));
    }
    (equal, total, notes)
}

/// Reals to 1e-6 relative, or to the digits that the reference prints.
fn same(value: &serde_json::Value, expected: &str) -> bool {
    if let Some(text) = value.as_str() {
        return text == expected;
    }
    let (Some(value), Ok(number)) = (value.as_f64(), expected.parse::<f64>()) else { return false };
    let digits = expected.split_once('.').map_or(0, |(_, digits)| digits.len());
    let printed = if digits == 0 { 0.0 } else { 0.51 * 10f64.powi(-(digits as i32)) };
    (value - number).abs() <= (1e-6 * number.abs()).max(printed)
}

fn check(repository: &Path, csv: &Path, renames: bool, least: f64) {
    let rows = blocking::wait(async {
        let ws = open(repository).await?;
        ws.git().features(FeaturesArgs { renames, ..FeaturesArgs::default() }).await
    })
    .unwrap()
    .rows;
    let (equal, total, notes) = compare(&rows, csv);
    eprintln!("{}: {equal} of {total} rows equal", csv.display());
    for note in notes.iter().take(20) {
        eprintln!("  {note}");
    }
    assert!(equal as f64 >= least * total as f64 && rows.len() == total, "{}: {notes:#?}", csv.display());
}

#[test]
fn synthetic_repositories_equal_the_reference() {
    for name in ["kamei/synth-7", "kamei/synth-19"] {
        let folder = Folder::new("kamei");
        let clone = clone_of(name, &folder);
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name);
        check(&clone, &fixture.join("kamei.csv"), true, 1.0);
        check(&clone, &fixture.join("kamei-norenames.csv"), false, 1.0);
    }
}

/// `BAROGRAPH_KAMEI` names a folder with `NAME.csv`, `NAME-norenames.csv` and the repository `NAME`.
#[test]
fn real_repositories_equal_the_reference() {
    let Some(folder) = std::env::var_os("BAROGRAPH_KAMEI").map(PathBuf::from) else {
        eprintln!("skipped: BAROGRAPH_KAMEI names no folder with references of real repositories");
        return;
    };
    for entry in std::fs::read_dir(&folder).unwrap() {
        let csv = entry.unwrap().path();
        let Some(name) = csv.file_name().and_then(|name| name.to_str()?.strip_suffix(".csv")) else {
            continue;
        };
        let (name, renames) = name.strip_suffix("-norenames").map_or((name, true), |name| (name, false));
        check(&folder.join(name), &csv, renames, 0.995);
    }
}

#[test]
fn history_is_kept_in_the_store_and_deepened_on_demand() {
    let folder = Folder::new("store");
    let whole = clone_of("kamei/synth-19", &folder);
    let url = format!("file://{}", whole.display());
    git(folder.path(), &["clone", "-q", "--depth=3", &url, "shallow"]);
    let store = folder.path().join("store.db").display().to_string();
    let args = |path: &Path| OpenArgs {
        path: path.display().to_string(),
        store: Some(store.clone()),
        ..OpenArgs::default()
    };
    let shallow = folder.path().join("shallow");
    blocking::wait(async {
        let all = open(&whole).await?.git().features(FeaturesArgs::default()).await?;
        let ws = Workspace::open(args(&shallow)).await?;
        let cut = ws.git().features(FeaturesArgs::default()).await?;
        assert!(cut.history.cut && cut.history.gaps > 0 && cut.rows.len() < all.rows.len());
        let wrong = DeepenArgs { remote: "nowhere".to_owned(), ..DeepenArgs::default() };
        let error = ws.git().deepen(wrong).await.unwrap_err();
        assert_eq!(error.code(), "git.fetch");
        assert!(error.context()["stderr"].contains("nowhere"), "{error:?}");
        let some = ws.git().deepen(DeepenArgs { commits: 2, ..DeepenArgs::default() }).await?;
        assert!(some.was_cut && some.is_cut);
        let rest = ws.git().deepen(DeepenArgs::default()).await?;
        assert!(rest.was_cut && !rest.is_cut);
        assert_eq!(ws.git().features(FeaturesArgs::default()).await?, all);
        drop(ws);
        // Another process reads what this one has kept.
        let again = Workspace::open(args(&shallow)).await?;
        assert_eq!(again.git().features(FeaturesArgs::default()).await?, all);
        let last = FeaturesArgs { range: Some("HEAD~2..".to_owned()), ..FeaturesArgs::default() };
        let last = again.git().features(last).await?.rows;
        assert!(!last.is_empty() && all.rows.ends_with(&last[last.len() - 1..]));
        assert!(!again.git().deepen(DeepenArgs::default()).await?.was_cut);
        Ok::<(), barograph::Error>(())
    })
    .unwrap();
}
