//! SZZ on planted bugs, scenario by scenario, and on what histories do to lines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use barograph::{SzzArgs, SzzFixes, SzzSource, SzzTable, blocking};

use super::git::{Folder, clone_of, git, git_at, open};

fn szz(repository: &Path, args: SzzArgs) -> SzzTable {
    blocking::wait(async { open(repository).await?.git().szz(args).await }).unwrap()
}

fn inducing(table: &SzzTable, fix: &str) -> BTreeSet<String> {
    table.rows.iter().filter(|row| row.fix == fix).map(|row| row.inducing.clone()).collect()
}

/// The fields of a line of CSV.
fn fields(line: &str) -> Vec<String> {
    let (mut all, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(std::mem::take(&mut field)),
            _ => field.push(letter),
        }
    }
    all.push(field);
    all
}

#[test]
fn planted_bugs_are_found_in_every_scenario() {
    for name in ["kamei/synth-7", "kamei/synth-19"] {
        let folder = Folder::new("szz");
        let table = szz(&clone_of(name, &folder), SzzArgs::default());
        let truth = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name);
        let truth = std::fs::read_to_string(truth.join("szz_truth.csv")).unwrap();
        let mut scenarios: BTreeMap<String, [usize; 3]> = BTreeMap::new();
        for line in truth.lines().skip(1) {
            let [fix, cause, scenario, path, place] = fields(line).try_into().unwrap();
            let expected: BTreeSet<String> =
                Some(cause).filter(|cause| !cause.is_empty()).into_iter().collect();
            let found = inducing(&table, &fix);
            let [right, wrong, missed] = scenarios.entry(scenario).or_default();
            *right += found.intersection(&expected).count();
            *wrong += found.difference(&expected).count();
            *missed += expected.difference(&found).count();
            if !expected.is_empty() {
                let here = |row: &&barograph::SzzRow| row.fix == fix && row.path == path;
                assert!(
                    table.rows.iter().filter(here).any(|row| row.line.to_string() == place),
                    "{name}: {fix} has no row at {path}:{place}"
                );
            }
        }
        eprintln!("{name} (right, wrong, missed): {scenarios:?}");
        assert_eq!(scenarios.len(), 7);
        for (scenario, [right, wrong, missed]) in scenarios {
            assert!(right as f64 >= 0.95 * (right + wrong) as f64, "{name}: precision of {scenario}");
            assert!(right as f64 >= 0.95 * (right + missed) as f64, "{name}: recall of {scenario}");
        }
    }
}

/// A repository that is written commit by commit.
struct Written {
    folder: Folder,
    minutes: u32,
}

impl Written {
    fn new() -> Written {
        let folder = Folder::new("szz-written");
        git(folder.path(), &["init", "-q"]);
        Written { folder, minutes: 0 }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn git(&mut self, arguments: &[&str]) -> String {
        self.minutes += 1;
        git_at(self.folder.path(), self.minutes, arguments)
    }

    /// Writes files (`None` removes one), commits, and gives the id.
    fn commit(&mut self, message: &str, files: &[(&str, Option<&str>)]) -> String {
        for (path, text) in files {
            let path = self.folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            match text {
                Some(text) => std::fs::write(path, text).unwrap(),
                None => std::fs::remove_file(path).unwrap(),
            }
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }
}

const BASE: &str = "def first(a):\n    total = start(a)\n    return total\n\n\ndef second(b):\n    rest = stop(b)\n    return rest\n";

fn of(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn messages_name_the_commit_that_was_wrong() {
    let mut repo = Written::new();
    let root = repo.commit("Begin", &[("a.py", Some(BASE))]);
    let other = repo.commit("Other", &[("b.py", Some("x = 1\n"))]);
    let changed = BASE.replace("start(a)", "begin(a)");
    let trailer =
        repo.commit(&format!("Mend it\n\nFixes: {} (\"Other\")", &other[..12]), &[("a.py", Some(&changed))]);
    let reverted =
        repo.commit(&format!("Revert \"Mend\"\n\nThis reverts commit {trailer}."), &[("a.py", Some(BASE))]);
    let both = szz(repo.path(), SzzArgs::default());
    assert_eq!(both.fixes, 2);
    assert_eq!(inducing(&both, &trailer), of(&[&other]));
    assert_eq!(inducing(&both, &reverted), of(&[&trailer]));
    let [first, second] = both.rows.as_slice() else { panic!("{both:?}") };
    assert_eq!((first.source, first.path.as_str(), first.line), (SzzSource::Trailer, "", 0));
    assert_eq!((second.source, second.path.as_str(), second.line), (SzzSource::Revert, "a.py", 2));
    let by_message = szz(repo.path(), SzzArgs { fixes: SzzFixes::Message, ..SzzArgs::default() });
    assert_eq!(inducing(&by_message, &trailer), of(&[&root]));
    let listed = SzzArgs { from_commits: vec![reverted.clone()], ..SzzArgs::default() };
    assert_eq!(inducing(&szz(repo.path(), listed), &reverted), of(&[&trailer]));
    let elsewhere = SzzArgs { path: Some("b.py".to_owned()), fixes: SzzFixes::Message, ..SzzArgs::default() };
    assert_eq!(szz(repo.path(), elsewhere).rows, []);
    let late = SzzArgs { range: Some("HEAD~1..".to_owned()), ..SzzArgs::default() };
    assert_eq!(szz(repo.path(), late).fixes, 1);
}

#[test]
fn commits_that_blame_looks_through_make_no_line() {
    let mut repo = Written::new();
    let root = repo.commit("Begin", &[("a.py", Some(BASE))]);
    let formatted = BASE.replace("stop(b)", "stop( b = b )");
    let format = repo.commit("Reformat", &[("a.py", Some(&formatted))]);
    repo.commit("List", &[(".git-blame-ignore-revs", Some(&format!("# Formatting\n{format} # all\n")))]);
    let fix = repo.commit("Fix second", &[("a.py", Some(&formatted.replace("stop( b = b )", "halt(b)")))]);
    assert_eq!(inducing(&szz(repo.path(), SzzArgs::default()), &fix), of(&[&root]));
}

#[test]
fn merges_carry_lines_and_keep_their_own() {
    let mut repo = Written::new();
    repo.commit("Begin", &[("a.py", Some(BASE))]);
    repo.git(&["checkout", "-q", "-b", "left"]);
    let left = repo.commit("Left", &[("a.py", Some(&BASE.replace("start(a)", "left(a)")))]);
    repo.git(&["checkout", "-q", "-b", "right", "HEAD~1"]);
    let right = repo.commit("Right", &[("a.py", Some(&BASE.replace("stop(b)", "right(b)")))]);
    repo.git(&["checkout", "-q", "-b", "third", "HEAD~1"]);
    repo.commit("Third", &[("c.py", Some("c = 1\n"))]);
    repo.git(&["checkout", "-q", "left"]);
    // An octopus that merges what git would, and changes a line of its own.
    repo.git(&["merge", "-q", "--no-commit", "-s", "ours", "right", "third"]);
    let merged =
        BASE.replace("start(a)", "left(a)").replace("stop(b)", "right(b)").replace("return rest", "return 7");
    let merge = repo.commit("Merge", &[("a.py", Some(&merged)), ("c.py", Some("c = 1\n"))]);
    assert_eq!(repo.git(&["rev-list", "--parents", "-1", "HEAD"]).split(' ').count(), 4);
    let fix = repo.commit(
        "Fix all",
        &[("a.py", Some(&merged.replace("(a)", "(1)").replace("(b)", "(2)").replace('7', "8")))],
    );
    let table = szz(repo.path(), SzzArgs { all: true, ..SzzArgs::default() });
    let root = repo.git(&["rev-list", "--max-parents=0", "HEAD"]);
    assert_eq!(inducing(&table, &fix), of(&[&left, &right, &merge, &root]));
}

#[test]
fn code_around_added_lines_is_answered_on_demand() {
    let mut repo = Written::new();
    let root = repo.commit("Begin", &[("a.py", Some(BASE))]);
    let fix = repo.commit(
        "Fix first",
        &[("a.py", Some(&BASE.replace("    return total", "    check(a)\n    return total")))],
    );
    let plain = szz(repo.path(), SzzArgs::default());
    assert_eq!((plain.fixes, plain.unanswered, plain.rows.len()), (1, 1, 0));
    let table = szz(repo.path(), SzzArgs { weak: true, ..SzzArgs::default() });
    assert_eq!(inducing(&table, &fix), of(&[&root]));
    assert!(table.rows.iter().all(|row| row.source == SzzSource::Context));
}

#[test]
fn what_a_shallow_clone_lacks_is_counted() {
    let mut repo = Written::new();
    repo.commit("Begin", &[("a.py", Some(BASE))]);
    repo.commit("More", &[("b.py", Some("b = 1\n"))]);
    repo.commit("Fix first", &[("a.py", Some(&BASE.replace("start(a)", "begin(a)")))]);
    let url = format!("file://{}", repo.path().display());
    git(repo.path(), &["clone", "-q", "--depth=2", &url, "../szz-shallow"]);
    let shallow = repo.path().with_file_name("szz-shallow");
    let table = szz(&shallow, SzzArgs::default());
    let _ = std::fs::remove_dir_all(&shallow);
    assert_eq!((table.rows.len(), table.unknown_lines, table.unanswered), (0, 1, 1));
    assert!(table.history.cut && table.history.gaps == 1);
}
