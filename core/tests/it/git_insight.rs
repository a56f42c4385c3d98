//! What history says about files: by hand on a small story, and against a slow reference that is
//! made from git's own output.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use barograph::{
    CouplingArgs, FeaturesArgs, FileHistory, FilesArgs, HotspotsArgs, OpenArgs, OwnedBy, Owner, OwnersArgs,
    Workspace, blocking::wait,
};

use super::git::{Folder, clone_of, git, git_at, open};

const ANN: &str = "Ann <ann@example.org>";
const BOB: &str = "Bob <bob@example.org>";

struct Story(Folder);

impl Story {
    fn new(name: &str) -> Story {
        let story = Story(Folder::new(name));
        git(story.path(), &["init", "-q"]);
        story
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn append(&self, path: &str, text: &str) {
        let known = std::fs::read_to_string(self.path().join(path)).unwrap_or_default();
        self.write(path, &(known + text));
    }

    fn commit(&self, day: u32, author: &str, message: &str) -> String {
        git(self.path(), &["add", "-A"]);
        git_at(self.path(), day * 1440, &["commit", "-q", "--author", author, "-m", message]);
        git(self.path(), &["rev-parse", "HEAD"])
    }

    fn open(&self) -> Workspace {
        wait(open(self.path())).unwrap()
    }
}

/// Lines that no other number gives.
fn lines(number: usize, count: usize) -> String {
    (0..count).map(|line| format!("line {line} of file number {number} and nothing else\n")).collect()
}

/// Day by day: two authors, a rename, a reformatting, a bot, a lock file, somebody with two addresses.
fn story() -> Story {
    let story = Story::new("story");
    story.write("src/a.py", &lines(1, 10));
    story.write("src/b.py", &lines(2, 10));
    story.write("docs/readme.md", "hello\n");
    story.commit(0, ANN, "Begin");
    story.append("src/a.py", "one\n");
    story.commit(10, BOB, "Fix a crash");
    story.append("src/a.py", "two\nthree\n");
    story.append("docs/readme.md", "more\n");
    story.commit(20, "ann at home <ann@home.org>", "Add things");
    git(story.path(), &["mv", "src/a.py", "src/core.py"]);
    story.append("src/core.py", "four\n");
    story.commit(30, BOB, "Rename");
    let text = std::fs::read_to_string(story.path().join("src/core.py")).unwrap();
    story.write("src/core.py", &text.replace("line", "  line"));
    let reformat = story.commit(40, BOB, "Reformat");
    story.append("src/core.py", "five\n");
    story.write("go.sum", "x 1\n");
    story.commit(50, "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>", "Bump x");
    story.write(".mailmap", "Ann Author <ann@example.org> <ann@home.org>\n");
    story.write(".git-blame-ignore-revs", &format!("# spaces\n{reformat}\n"));
    story.commit(60, ANN, "Say who is who");
    story
}

fn near(value: f64, expected: f64) {
    assert!((value - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{value} is not {expected}");
}

fn files(ws: &Workspace, args: FilesArgs) -> BTreeMap<String, FileHistory> {
    let answer = wait(ws.git().files(args)).unwrap();
    answer.files.into_iter().map(|file| (file.path.clone(), file)).collect()
}

#[test]
fn a_file_has_the_past_that_was_worked_out_by_hand() {
    let ws = story().open_in_memory();
    let answer = wait(ws.0.git().files(FilesArgs::default())).unwrap();
    assert_eq!((answer.basis.counted, answer.basis.by_bots, answer.basis.ignored), (5, 1, 1));
    assert_eq!(answer.basis.time, "2020-11-12T12:26:40.000Z");
    assert!(!answer.basis.history.cut);
    let paths: Vec<&str> = answer.files.iter().map(|file| file.path.as_str()).collect();
    let all = [".git-blame-ignore-revs", ".mailmap", "docs/readme.md", "go.sum", "src/b.py", "src/core.py"];
    assert_eq!(paths, all);
    let core = &answer.files[5];
    assert_eq!((core.commits, core.added, core.deleted, core.lines), (4, 14, 0, Some(15)));
    near(core.relative_churn.unwrap(), 14.0 / 15.0);
    assert_eq!(
        (core.age_days, core.last_change_days, core.last_fix_days),
        (Some(60.0), Some(30.0), Some(50.0))
    );
    assert_eq!((core.authors, core.minor_authors, core.fixes), (2, 0, 1));
    // Two commits each; Ann's changed twelve lines and Bob's two.
    assert_eq!(core.main_author.as_deref(), Some("Ann"));
    assert_eq!(core.main_author_email.as_deref(), Some("ann@example.org"));
    near(core.ownership, 0.5);
    let weight = |days: f64| (-days / 180.0).exp2();
    near(core.weighted_commits, weight(60.0) + weight(50.0) + weight(40.0) + weight(30.0));
    // Bob's are the younger ones: he alone made more than half of the weight.
    assert!(weight(50.0) + weight(30.0) > weight(60.0) + weight(40.0));
    assert_eq!(core.bus_factor, 1);
    let lock = &answer.files[3];
    assert!(lock.generated && !lock.vendored);
    assert_eq!((lock.commits, lock.weight, lock.age_days), (0, 0.1, None));
    assert_eq!(lock.main_author, None);
}

struct Opened(Workspace, #[allow(dead_code, reason = "keeps the folder")] Story);

impl Story {
    fn open_in_memory(self) -> Opened {
        Opened(self.open(), self)
    }
}

#[test]
fn bots_times_ranges_and_paths_select_commits_and_files() {
    let story = story();
    let ws = story.open();
    let with_bots = files(&ws, FilesArgs { bots: true, ..FilesArgs::default() });
    assert_eq!((with_bots["src/core.py"].commits, with_bots["go.sum"].commits), (5, 1));
    let some = files(
        &ws,
        FilesArgs {
            since: Some("2020-09-20".to_owned()),
            until: Some("2020-10-13T12:26:40Z".to_owned()),
            paths: vec!["src".to_owned()],
            ..FilesArgs::default()
        },
    );
    assert_eq!(some.keys().collect::<Vec<_>>(), ["src/b.py", "src/core.py"]);
    // Day 10 and day 20; day 30 is the end, which is not part of it.
    assert_eq!((some["src/core.py"].commits, some["src/b.py"].commits), (2, 0));
    let range = files(&ws, FilesArgs { range: Some("HEAD~5..HEAD~2".to_owned()), ..FilesArgs::default() });
    // Of the tip before: the ids to ignore are not named there yet, nor are Ann's addresses joined.
    assert_eq!((range["src/core.py"].commits, range["src/core.py"].authors), (3, 2));
    assert!(!range.contains_key("go.sum"));
    assert_eq!(range["src/core.py"].lines, Some(14));
    let home = files(&ws, FilesArgs { range: Some("HEAD~4".to_owned()), ..FilesArgs::default() });
    assert_eq!((home["src/a.py"].authors, home["docs/readme.md"].authors), (3, 2));
}

#[test]
fn owners_of_folders_files_and_changes() {
    let story = story();
    let ws = story.open();
    let answer = wait(ws.git().owners(OwnersArgs::default())).unwrap();
    let paths: Vec<&str> = answer.paths.iter().map(|path| path.path.as_str()).collect();
    assert_eq!(paths, ["", "docs/", "src/"]);
    let (whole, src) = (&answer.paths[0], &answer.paths[2]);
    assert_eq!((whole.files, whole.commits, whole.authors), (6, 5, 2));
    assert_eq!((src.files, src.commits, src.authors), (2, 4, 2));
    let owner = |owner: &Owner| (owner.name.clone(), owner.commits, owner.added, owner.last_active.clone());
    assert_eq!(
        src.owners.iter().map(owner).collect::<Vec<_>>(),
        [
            ("Ann".to_owned(), 2, 22, "2020-10-03T12:26:40.000Z".to_owned()),
            ("Bob".to_owned(), 2, 2, "2020-10-13T12:26:40.000Z".to_owned())
        ]
    );
    near(src.owners[0].share, 0.5);
    // b.py is Ann's. core.py: hers is 3.293 + 1.098 + .328 - .321 ln 3 = 4.366, Bob's 3.268, below 3.293.
    assert_eq!((src.truck_factor, whole.truck_factor), (1, 1));
    let by_file = wait(ws.git().owners(OwnersArgs {
        by: OwnedBy::File,
        paths: vec!["*.py".to_owned()],
        limit: 1,
        ..OwnersArgs::default()
    }))
    .unwrap();
    let rows: Vec<_> =
        by_file.paths.iter().map(|path| (path.path.as_str(), path.authors, path.owners.len())).collect();
    assert_eq!(rows, [("", 2, 1), ("src/b.py", 1, 1), ("src/core.py", 2, 1)]);
    // Who knew core.py before the rename: Ann twice, Bob once; and readme.md was not touched.
    let change = wait(ws.git().owners(OwnersArgs {
        change: Some("HEAD~3".to_owned()),
        by: OwnedBy::File,
        ..OwnersArgs::default()
    }))
    .unwrap();
    let rows: Vec<_> = change
        .paths
        .iter()
        .map(|path| (path.path.as_str(), path.owners.iter().map(|owner| owner.commits).collect::<Vec<_>>()))
        .collect();
    // At that tip nobody said that Ann has two addresses.
    assert_eq!(rows, [("", vec![1, 1, 1]), ("src/core.py", vec![1, 1, 1])]);
    let change = OwnersArgs { change: Some("HEAD~3..HEAD~1".to_owned()), ..OwnersArgs::default() };
    let whole =
        wait(ws.git().owners(OwnersArgs { range: Some("HEAD".to_owned()), ..change.clone() })).unwrap();
    // The bot's go.sum was touched as well, and nobody else ever did.
    assert_eq!(whole.paths.iter().map(|path| path.files).collect::<Vec<_>>(), [2, 1]);
    let outside = OwnersArgs { range: Some("HEAD~4".to_owned()), ..change };
    assert_eq!(wait(ws.git().owners(outside)).unwrap_err().code(), "args.invalid");
}

#[test]
fn files_that_change_together() {
    let story = Story::new("coupled");
    for day in 0..8 {
        story.append("a.c", "x\n");
        if day < 6 {
            story.append("sub/b.c", "y\n");
        }
        if day == 3 {
            // Three files: too large where two are the limit.
            story.append("c.c", "z\n");
        }
        story.commit(day, ANN, "Change");
    }
    let ws = story.open();
    let answer = wait(ws.git().coupling(CouplingArgs::default())).unwrap();
    assert_eq!(answer.pairs.len(), 1);
    let pair = &answer.pairs[0];
    assert_eq!((pair.path.as_str(), pair.coupled.as_str()), ("a.c", "sub/b.c"));
    assert_eq!((pair.shared, pair.revisions, pair.coupled_revisions), (6, 8, 6));
    near(pair.degree, 600.0 / 7.0);
    near(pair.average_revisions, 7.0);
    near(pair.last_shared_days, 2.0);
    assert!(!pair.same_folder);
    let small = wait(ws.git().coupling(CouplingArgs { max_changes: 2, ..CouplingArgs::default() })).unwrap();
    assert_eq!((small.too_large, small.pairs[0].shared, small.pairs[0].revisions), (1, 5, 7));
    let loose =
        CouplingArgs { min_revisions: 1, min_shared: 1, min_coupling: 0.0, ..CouplingArgs::default() };
    let all = wait(ws.git().coupling(loose.clone())).unwrap();
    let shown: Vec<_> =
        all.pairs.iter().map(|pair| format!("{} {} {}", pair.path, pair.coupled, pair.shared)).collect();
    assert_eq!(shown, ["a.c sub/b.c 6", "c.c sub/b.c 1", "a.c c.c 1"]);
    let one = CouplingArgs { paths: vec!["c.c".to_owned()], ..loose };
    assert_eq!(wait(ws.git().coupling(one)).unwrap().pairs.len(), 2);
}

#[test]
fn the_past_goes_with_a_rename() {
    let story = Story::new("moves");
    for day in 0..6 {
        story.append("old.c", &lines(day, 5));
        story.commit(day as u32, ANN, "Change");
    }
    git(story.path(), &["mv", "old.c", "new.c"]);
    story.commit(6, ANN, "Move");
    story.write("old.c", &lines(50, 3));
    story.commit(7, ANN, "Make anew");
    let ws = story.open();
    let found = files(&ws, FilesArgs::default());
    assert_eq!((found["new.c"].commits, found["old.c"].commits), (7, 1));
    // They never changed together.
    assert_eq!(wait(ws.git().coupling(CouplingArgs::default())).unwrap().pairs, []);
    // A rename that was taken back leaves the past where it was.
    git(story.path(), &["checkout", "-q", "-b", "undone", "HEAD~2"]);
    git(story.path(), &["mv", "old.c", "other.c"]);
    story.commit(8, ANN, "Move again");
    git(story.path(), &["mv", "other.c", "old.c"]);
    story.commit(9, ANN, "Undo");
    assert_eq!(files(&ws, FilesArgs::default())["old.c"].commits, 8);
    // So does one on a branch that was merged without its changes.
    git(story.path(), &["checkout", "-q", "-b", "side", "HEAD~2"]);
    git(story.path(), &["mv", "old.c", "lost.c"]);
    story.commit(10, ANN, "Move on the side");
    git(story.path(), &["checkout", "-q", "undone"]);
    git_at(story.path(), 11 * 1440, &["merge", "-q", "-s", "ours", "-m", "Keep ours", "side"]);
    assert_eq!(files(&ws, FilesArgs::default())["old.c"].commits, 8);
}

#[test]
fn hotspots_are_what_is_complex_and_changes() {
    let story = Story::new("hot");
    let nested = |depth: usize| -> String {
        (0..depth).map(|level| format!("{}if x:\n", "    ".repeat(level + 1))).collect()
    };
    let code = |depth: usize| format!("def f(x):\n{}{}return 1\n", nested(depth), "    ".repeat(depth + 1));
    story.write("hot.py", &code(6));
    story.write("calm.py", &code(6));
    story.write("flat.py", &code(0));
    story.write("vendor/x.py", &code(9));
    story.write("notes.txt", "words\n");
    story.commit(0, ANN, "Begin");
    for day in 1..9 {
        story.append("hot.py", &format!("a{day} = 1\n"));
        story.append("flat.py", &format!("a{day} = 1\n"));
        story.append("vendor/x.py", "a = 1\n");
        story.append("notes.txt", "words\n");
        story.commit(day * 20, if day % 2 == 0 { ANN } else { BOB }, "Fix more");
    }
    let ws = story.open();
    let answer = wait(ws.git().hotspots(HotspotsArgs::default())).unwrap();
    let shown: Vec<(&str, u64)> =
        answer.files.iter().map(|file| (file.path.as_str(), file.commits)).collect();
    assert_eq!(shown, [("hot.py", 9), ("flat.py", 9), ("calm.py", 1)]);
    assert_eq!((answer.compared, answer.unmeasured), (3, 0));
    let hot = &answer.files[0];
    // One of the two others changes less, one is less complex.
    near(hot.score, 0.25);
    assert_eq!((hot.recent_commits, hot.earlier_commits, hot.growth), (5, 4, 5));
    assert_eq!((hot.fixes, hot.authors), (8, 2));
    assert!(hot.reason.contains("9 times"), "{}", hot.reason);
    near(answer.files[1].score, 0.0);
    let all =
        wait(ws.git().hotspots(HotspotsArgs { include_generated: true, limit: 1, ..Default::default() }))
            .unwrap();
    assert_eq!((all.compared, all.files.len()), (4, 1));
    let only = HotspotsArgs { paths: vec!["calm.py".to_owned()], ..HotspotsArgs::default() };
    assert_eq!(wait(ws.git().hotspots(only)).unwrap().files.len(), 1);
}

#[test]
fn arguments_that_cannot_be_used_are_named() {
    let story = story();
    let git = story.open().git();
    let code = |error: barograph::Error| error.code().to_owned();
    let since = FilesArgs { since: Some("soon".to_owned()), ..FilesArgs::default() };
    assert_eq!(code(wait(git.files(since)).unwrap_err()), "args.invalid");
    let path = FilesArgs { paths: vec!["../x".to_owned()], ..FilesArgs::default() };
    assert_eq!(code(wait(git.files(path)).unwrap_err()), "args.invalid");
    let life = FilesArgs { half_life_days: 0.0, ..FilesArgs::default() };
    assert_eq!(code(wait(git.files(life)).unwrap_err()), "args.invalid");
    let range = FilesArgs { range: Some("nothing".to_owned()), ..FilesArgs::default() };
    assert_eq!(code(wait(git.files(range)).unwrap_err()), "git.revision");
    let dots = FilesArgs { range: Some("a...b".to_owned()), ..FilesArgs::default() };
    assert_eq!(code(wait(git.files(dots)).unwrap_err()), "args.invalid");
    let degree = CouplingArgs { min_coupling: 101.0, ..CouplingArgs::default() };
    assert_eq!(code(wait(git.coupling(degree)).unwrap_err()), "args.invalid");
    let period = HotspotsArgs { period_days: -1.0, ..HotspotsArgs::default() };
    assert_eq!(code(wait(git.hotspots(period)).unwrap_err()), "args.invalid");
}

#[test]
fn a_shallow_clone_says_that_history_is_cut() {
    let story = story();
    let folder = Folder::new("shallow");
    let from = format!("file://{}", story.path().display());
    git(folder.path(), &["clone", "-q", "--depth", "4", &from, "."]);
    let ws = wait(open(folder.path())).unwrap();
    let answer = wait(ws.git().files(FilesArgs::default())).unwrap();
    assert!(answer.basis.history.cut);
    // Of the four, the first has unknown changes, one is ignored and one a bot's.
    assert_eq!((answer.basis.counted, answer.basis.by_bots, answer.basis.ignored), (1, 1, 1));
    assert_eq!(answer.files.len(), 6);
    assert!(wait(ws.git().owners(OwnersArgs::default())).unwrap().basis.history.cut);
    assert!(wait(ws.git().coupling(CouplingArgs::default())).unwrap().basis.history.cut);
    assert!(wait(ws.git().hotspots(HotspotsArgs::default())).unwrap().basis.history.cut);
}

/// Everything that the four operations answer, as text.
fn everything(ws: &Workspace) -> String {
    let loose =
        CouplingArgs { min_revisions: 1, min_shared: 1, min_coupling: 0.0, ..CouplingArgs::default() };
    let answers = (
        wait(ws.git().files(FilesArgs::default())).unwrap(),
        wait(ws.git().coupling(loose.clone())).unwrap(),
        wait(ws.git().coupling(CouplingArgs { renames: false, ..loose })).unwrap(),
        wait(ws.git().owners(OwnersArgs::default())).unwrap(),
        wait(ws.git().hotspots(HotspotsArgs::default())).unwrap(),
    );
    serde_json::to_string(&answers).unwrap()
}

#[test]
fn what_grew_commit_by_commit_equals_what_is_read_at_once() {
    let folder = Folder::new("grown");
    let source = clone_of("kamei/synth-7", &folder);
    let stored = Folder::new("grown-store");
    let args = || OpenArgs {
        path: source.display().to_string(),
        store: Some(stored.path().join("s.db").display().to_string()),
        ..OpenArgs::default()
    };
    let all = git(&source, &["rev-list", "--topo-order", "--reverse", "main"]);
    let all: Vec<&str> = all.lines().collect();
    let grown = wait(Workspace::open(args())).unwrap();
    for id in all.iter().step_by(all.len() / 7) {
        git(&source, &["update-ref", "refs/heads/main", id]);
        let said = everything(&grown);
        assert_eq!(said, everything(&wait(open(&source)).unwrap()), "{id}");
    }
    git(&source, &["update-ref", "refs/heads/main", all[all.len() - 1]]);
    let said = everything(&grown);
    assert_eq!(said, everything(&wait(open(&source)).unwrap()));
    drop(grown);
    assert_eq!(said, everything(&wait(Workspace::open(args())).unwrap()), "opened again");
    // A clone without a work tree says the same.
    let bare = Folder::new("grown-bare");
    git(bare.path(), &["clone", "-q", "--bare", source.to_str().unwrap(), "."]);
    assert_eq!(said, everything(&wait(open(bare.path())).unwrap()), "bare");
}

/// Path, the one before where renamed, lines added and deleted.
type Change = (String, Option<String>, u64, u64);

/// A commit as git shows it: author and, for each touched path, the one before and the lines.
#[derive(Default)]
struct Shown {
    email: String,
    files: Vec<Change>,
}

/// Every commit that is no merge, by id.
fn shown(repository: &Path, renames: &str) -> BTreeMap<String, Shown> {
    let text = git(repository, &["log", "-z", "--no-merges", "--numstat", renames, "--format=@%H %ae"]);
    let mut commits = BTreeMap::new();
    let mut parts =
        text.split('\0').map(|part| part.trim_start_matches('\n')).filter(|part| !part.is_empty());
    let mut id = String::new();
    while let Some(part) = parts.next() {
        if let Some(head) = part.strip_prefix('@') {
            let (sha, email) = head.split_once(' ').unwrap();
            id = sha.to_owned();
            commits.insert(id.clone(), Shown { email: email.to_lowercase(), files: Vec::new() });
            continue;
        }
        let fields: Vec<&str> = part.splitn(3, '\t').collect();
        let count = |text: &str| text.parse().unwrap_or(0);
        let (path, from) = match fields[2] {
            "" => {
                let from = parts.next().unwrap();
                (parts.next().unwrap().to_owned(), Some(from.to_owned()))
            }
            path => (path.to_owned(), None),
        };
        commits.get_mut(&id).unwrap().files.push((path, from, count(fields[0]), count(fields[1])));
    }
    commits
}

type Past = BTreeSet<(String, String)>;

/// The past of each path of `alive` as pairs of commit and path, by the definition, one path at a
/// time: from the newest commit back, a rename to one of its names adds the old name, and a rename of
/// one of its names to that of a file that lives takes the name away.
fn pasts(
    order: &[String],
    commits: &BTreeMap<String, Shown>,
    alive: &BTreeSet<String>,
) -> BTreeMap<String, Past> {
    let mut names: BTreeMap<&str, BTreeSet<&str>> =
        alive.iter().map(|path| (path.as_str(), BTreeSet::from([path.as_str()]))).collect();
    let mut pasts: BTreeMap<String, Past> = alive.iter().map(|path| (path.clone(), Past::new())).collect();
    for id in order.iter().rev() {
        let before = names.clone();
        for (path, from, ..) in &commits[id].files {
            for (file, own) in &before {
                if own.contains(path.as_str()) {
                    pasts.get_mut(*file).unwrap().insert((id.clone(), path.clone()));
                    if let Some(from) = from {
                        names.values_mut().for_each(|names| _ = names.remove(from.as_str()));
                        names.get_mut(file).unwrap().insert(from);
                    }
                }
            }
        }
    }
    pasts
}

/// Every name's own past.
fn pasts_of_names(commits: &BTreeMap<String, Shown>) -> BTreeMap<String, Past> {
    let mut pasts: BTreeMap<String, Past> = BTreeMap::new();
    for (id, commit) in commits {
        for (path, ..) in &commit.files {
            pasts.entry(path.clone()).or_default().insert((id.clone(), path.clone()));
        }
    }
    pasts
}

fn order(ws: &Workspace) -> Vec<String> {
    let rows = wait(ws.git().features(FeaturesArgs::default())).unwrap().rows;
    rows.into_iter().map(|row| row.sha).collect()
}

fn regular_files(repository: &Path) -> BTreeSet<String> {
    let text = git(repository, &["ls-tree", "-r", "-z", "HEAD"]);
    let entries = text.split('\0').filter(|entry| entry.starts_with("100"));
    entries.map(|entry| entry.split_once('\t').unwrap().1.to_owned()).collect()
}

fn synthetic(name: &str) -> (Folder, PathBuf) {
    let folder = Folder::new("synthetic");
    let path = clone_of(name, &folder);
    (folder, path)
}

#[test]
fn pasts_equal_those_of_a_slow_reference() {
    for name in ["kamei/synth-7", "kamei/synth-19"] {
        let (_folder, repository) = synthetic(name);
        let ws = wait(open(&repository)).unwrap();
        let commits = shown(&repository, "-M50%");
        let pasts = pasts(&order(&ws), &commits, &regular_files(&repository));
        let found = files(&ws, FilesArgs { bots: true, ..FilesArgs::default() });
        assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), regular_files(&repository));
        let mut renamed = 0;
        for (path, file) in &found {
            let past = &pasts[path];
            let ids: BTreeSet<&String> = past.iter().map(|(id, _)| id).collect();
            renamed += usize::from(past.iter().any(|(_, name)| name != path));
            let mut by_author: BTreeMap<&str, u64> = BTreeMap::new();
            for id in &ids {
                *by_author.entry(commits[*id].email.as_str()).or_default() += 1;
            }
            let lines = |pick: fn(&Change) -> u64| -> u64 {
                let touched = |(id, name): &(String, String)| {
                    commits[id].files.iter().filter(|file| file.0 == *name).map(pick).sum::<u64>()
                };
                past.iter().map(touched).sum()
            };
            assert_eq!(file.commits, ids.len() as u64, "{name} {path}");
            assert_eq!(
                (file.added, file.deleted),
                (lines(|file| file.2), lines(|file| file.3)),
                "{name} {path}"
            );
            assert_eq!(file.authors, by_author.len() as u64, "{name} {path}");
            let most = by_author.values().max().copied().unwrap_or(0);
            near(file.ownership, most as f64 / ids.len() as f64);
            let minor = by_author.values().filter(|own| (**own as f64) < 0.05 * ids.len() as f64).count();
            assert_eq!(file.minor_authors, minor as u64, "{name} {path}");
        }
        assert!(renamed > 0, "{name} follows no rename");
    }
}

/// All pairs by brute force: path, other, shared, own and other's revisions.
fn all_pairs(
    pasts: &BTreeMap<String, BTreeSet<String>>,
    args: &CouplingArgs,
) -> BTreeSet<(String, String, u64, u64, u64)> {
    let mut found = BTreeSet::new();
    let all: Vec<_> = pasts.iter().collect();
    for (at, (path, own)) in all.iter().enumerate() {
        for (other, its) in &all[at + 1..] {
            let shared = own.intersection(its).count() as u64;
            let (own, its) = (own.len() as u64, its.len() as u64);
            let average = (own + its) as f64 / 2.0;
            let degree = 100.0 * shared as f64 / average;
            if shared > 0
                && average >= args.min_revisions as f64
                && shared >= args.min_shared
                && degree >= args.min_coupling
                && degree.floor() <= args.max_coupling
            {
                found.insert((path.to_string(), other.to_string(), shared, own, its));
            }
        }
    }
    found
}

#[test]
fn couplings_equal_those_of_a_slow_reference() {
    let mut seen = 0;
    for name in ["kamei/synth-7", "kamei/synth-19"] {
        let (_folder, repository) = synthetic(name);
        let ws = wait(open(&repository)).unwrap();
        let alive = regular_files(&repository);
        for renames in [true, false] {
            let commits = shown(&repository, if renames { "-M50%" } else { "--no-renames" });
            let pasts = match renames {
                true => pasts(&order(&ws), &commits, &alive),
                false => pasts_of_names(&commits),
            };
            for (limit, least) in [(30, 5), (4, 1), (2, 2)] {
                let args = CouplingArgs {
                    bots: true,
                    renames,
                    include_generated: true,
                    max_changes: limit,
                    min_revisions: least,
                    min_shared: least.min(2),
                    min_coupling: if least == 5 { 30.0 } else { 10.0 },
                    max_coupling: if least == 2 { 80.0 } else { 100.0 },
                    ..CouplingArgs::default()
                };
                let small: BTreeMap<String, BTreeSet<String>> = pasts
                    .iter()
                    .map(|(path, past)| {
                        let ids = past.iter().map(|(id, _)| id.clone());
                        (path.clone(), ids.filter(|id| commits[id].files.len() as u64 <= limit).collect())
                    })
                    .collect();
                let answer = wait(ws.git().coupling(args.clone())).unwrap();
                let found: BTreeSet<_> = answer
                    .pairs
                    .iter()
                    .map(|pair| {
                        let revisions = (pair.revisions, pair.coupled_revisions);
                        (pair.path.clone(), pair.coupled.clone(), pair.shared, revisions.0, revisions.1)
                    })
                    .collect();
                assert_eq!(found.len(), answer.pairs.len(), "a pair stands twice");
                assert_eq!(found, all_pairs(&small, &args), "{name} {renames} {limit}");
                let large = commits.values().filter(|commit| commit.files.len() as u64 > limit).count();
                assert_eq!(answer.too_large, large as u64);
                seen += found.len();
            }
        }
    }
    assert!(seen > 100, "only {seen} pairs were compared");
}

#[test]
fn folders_are_owned_as_a_slow_reference_says() {
    let (_folder, repository) = synthetic("kamei/synth-19");
    let ws = wait(open(&repository)).unwrap();
    let commits = shown(&repository, "-M50%");
    let alive = regular_files(&repository);
    let pasts = pasts(&order(&ws), &commits, &alive);
    let args = OwnersArgs { bots: true, limit: 0, ..OwnersArgs::default() };
    let answer = wait(ws.git().owners(args)).unwrap();
    let mut folders = BTreeSet::from([String::new()]);
    for path in &alive {
        folders.extend(path.match_indices('/').map(|(slash, _)| path[..=slash].to_owned()));
    }
    assert_eq!(answer.paths.iter().map(|path| path.path.clone()).collect::<BTreeSet<_>>(), folders);
    for row in &answer.paths {
        let inside: Vec<&String> = alive.iter().filter(|path| path.starts_with(&row.path)).collect();
        let ids: BTreeSet<&String> =
            inside.iter().flat_map(|path| pasts[*path].iter().map(|(id, _)| id)).collect();
        let mut by_author: BTreeMap<&str, u64> = BTreeMap::new();
        for id in &ids {
            *by_author.entry(commits[*id].email.as_str()).or_default() += 1;
        }
        assert_eq!((row.files, row.commits), (inside.len() as u64, ids.len() as u64), "{}", row.path);
        let found: BTreeMap<&str, u64> =
            row.owners.iter().map(|owner| (owner.email.as_str(), owner.commits)).collect();
        assert_eq!(found, by_author, "{}", row.path);
        assert!(row.owners.windows(2).all(|pair| pair[0].commits >= pair[1].commits));
    }
}
