//! Repositories that lack something, or mean harm: a counted gap or a typed error, never a wrong number.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use barograph::{CouplingArgs, FeatureTable, FeaturesArgs, OpenArgs, Workspace, blocking};

use super::git::{Folder, git, git_at, open};

fn features(path: &Path) -> barograph::Result<FeatureTable> {
    blocking::wait(async { open(path).await?.git().features(FeaturesArgs::default()).await })
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A repository of `commits` commits that change three files in turn.
fn made(folder: &Folder, options: &[&str], commits: u32) -> std::path::PathBuf {
    let path = folder.path().join("made");
    std::fs::create_dir_all(&path).unwrap();
    git(&path, &[&["init", "-q"], options].concat());
    git(&path, &["config", "uploadpack.allowFilter", "true"]);
    for step in 0..commits {
        let lines: String = (0..=step).map(|line| format!("line {line}\n")).collect();
        write(&path, &format!("src/f{}", step % 3), &lines);
        git(&path, &["add", "-A"]);
        git_at(&path, step, &["commit", "-q", "-m", if step % 4 == 0 { "fix" } else { "step" }]);
    }
    path
}

fn clone(from: &Path, folder: &Folder, name: &str, options: &[&str]) -> std::path::PathBuf {
    let url = format!("file://{}", from.display());
    git(folder.path(), &[&["clone", "-q"], options, &[&url, name]].concat());
    folder.path().join(name)
}

/// Writes an object of any content; its id.
fn object(repo: &Path, kind: &str, content: &[u8]) -> String {
    let mut child = Command::new("git")
        .args(["hash-object", "-t", kind, "--literally", "-w", "--stdin"])
        .current_dir(repo)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(content).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn tree(repo: &Path, entries: &[(&str, &str, &str)]) -> String {
    let mut content = Vec::new();
    for (mode, name, id) in entries {
        content.extend_from_slice(format!("{mode} {name}\0").as_bytes());
        let bytes = (0..id.len()).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap());
        content.extend(bytes);
    }
    object(repo, "tree", &content)
}

fn commit(repo: &Path, tree: &str, parents: &[&str], rest: &str) -> String {
    let parents: String = parents.iter().map(|parent| format!("parent {parent}\n")).collect();
    object(repo, "commit", format!("tree {tree}\n{parents}{rest}").as_bytes())
}

const PERSON: &str = "author A <a@x> 1600000000 +0000\ncommitter A <a@x> 1600000000 +0000\n\nm\n";

#[test]
fn clones_of_every_kind_count_what_they_lack() {
    let folder = Folder::new("kinds");
    let whole = made(&folder, &[], 12);
    let all = features(&whole).unwrap();
    assert_eq!((all.rows.len(), all.history.gaps, all.history.cut), (12, 0, false));
    for (name, options) in [
        ("shared", &["--shared"][..]),
        ("reference", &["--reference", whole.to_str().unwrap()]),
        ("mirror", &["--mirror"]),
    ] {
        assert_eq!(features(&clone(&whole, &folder, name, options)).unwrap(), all, "{name}");
    }
    let linked = folder.path().join("linked");
    git(&whole, &["worktree", "add", "-q", "--detach", linked.to_str().unwrap(), "HEAD~3"]);
    assert_eq!(features(&linked).unwrap().rows[..], all.rows[..9]);
    // No contents, or no trees either: every commit is a gap; names, times and parents are known.
    for filter in ["--filter=blob:none", "--filter=tree:0"] {
        let partial = clone(&whole, &folder, &filter[9..13], &["--bare", filter]);
        let table = features(&partial).unwrap();
        assert_eq!(
            (table.history.commits, table.history.gaps, table.history.cut),
            (12, 12, false),
            "{filter}"
        );
        assert!(table.rows.is_empty());
    }
    let shallow = clone(&whole, &folder, "shallow", &["--depth=4"]);
    let table = features(&shallow).unwrap();
    assert_eq!((table.rows.len(), table.history.gaps, table.history.cut), (3, 1, true));
    // Packs as git leaves them after repacking, and a multi-pack index.
    git(&whole, &["repack", "-q", "-a", "-d", "-f", "--depth=50"]);
    assert_eq!(features(&whole).unwrap(), all);
    write(&whole, "late", "1\n");
    git(&whole, &["add", "-A"]);
    git_at(&whole, 99, &["commit", "-q", "-m", "late"]);
    git(&whole, &["repack", "-q"]);
    git(&whole, &["multi-pack-index", "write"]);
    assert_eq!(features(&whole).unwrap().rows[..12], all.rows[..]);
}

#[test]
fn other_formats_are_read_or_refused() {
    let folder = Folder::new("formats");
    let sha1 = features(&made(&folder, &[], 10)).unwrap();
    let folder = Folder::new("formats");
    let sha256 = made(&folder, &["--object-format=sha256"], 10);
    for packed in [false, true] {
        let table = features(&sha256).unwrap();
        assert_eq!(table.rows.len(), 10, "packed: {packed}");
        for (a, b) in table.rows.iter().zip(&sha1.rows) {
            assert_eq!((a.sha.len(), a.la, a.nuc, a.age.to_bits()), (64, b.la, b.nuc, b.age.to_bits()));
        }
        git(&sha256, &["repack", "-q", "-a", "-d"]);
    }
    // A format of references that this library does not know is an error that says so.
    git(&sha256, &["config", "extensions.refStorage", "reftable"]);
    match features(&sha256) {
        Ok(table) => assert!(table.rows.len() <= 10),
        Err(error) => assert!(error.code().starts_with("git."), "{error:?}"),
    }
}

#[test]
fn replaced_commits_count_as_git_shows_them_and_grafts_do_not() {
    let folder = Folder::new("replace");
    let repo = made(&folder, &[], 10);
    let all = features(&repo).unwrap();
    // The sixth commit becomes a root: what came before is not shown.
    let sixth = git(&repo, &["rev-parse", "HEAD~4"]);
    git(&repo, &["replace", "--graft", &sixth]);
    let shown = git(&repo, &["rev-list", "--count", "HEAD"]);
    git(&repo, &["repack", "-q", "-a", "-d"]);
    let table = features(&repo).unwrap();
    assert_eq!((table.rows.len().to_string(), table.rows.len()), (shown, 5));
    assert_eq!(table.rows[0].nf, 3);
    git(&repo, &["replace", "-d", &sixth]);
    assert_eq!(features(&repo).unwrap(), all);
    std::fs::create_dir_all(repo.join(".git/info")).unwrap();
    std::fs::write(repo.join(".git/info/grafts"), format!("{sixth}\n")).unwrap();
    assert_eq!(features(&repo).unwrap(), all);
}

#[test]
fn absent_and_damaged_objects_are_gaps() {
    let folder = Folder::new("damage");
    let repo = made(&folder, &[], 12);
    let all = features(&repo).unwrap();
    let loose = |id: &str| repo.join(".git/objects").join(&id[..2]).join(&id[2..]);
    // A content that two commits have seen, before one and after the other.
    let blob = git(&repo, &["rev-parse", "HEAD~6:src/f2"]);
    let kept = std::fs::read(loose(&blob)).unwrap();
    let set = |content: Option<&[u8]>| {
        let _ = std::fs::remove_file(loose(&blob));
        if let Some(content) = content {
            std::fs::write(loose(&blob), content).unwrap();
        }
    };
    let mut cut = kept.clone();
    cut.truncate(kept.len() / 2);
    let garbage = vec![0x5a; 64];
    for content in [None, Some(&cut[..]), Some(&garbage), Some(&[])] {
        set(content);
        let table = features(&repo).unwrap();
        assert_eq!((table.history.commits, table.history.gaps), (12, 2));
        for row in &table.rows {
            let truth = all.rows.iter().find(|known| known.sha == row.sha).unwrap();
            assert_eq!(row, truth);
        }
        assert_eq!(table.rows.len(), 10);
    }
    set(Some(&kept));
    // A commit in the middle is gone: what is behind it is cut, and says so.
    let middle = git(&repo, &["rev-parse", "HEAD~5"]);
    std::fs::rename(loose(&middle), folder.path().join("aside")).unwrap();
    let table = features(&repo).unwrap();
    assert!(table.history.cut && table.rows.len() == 4 && table.history.gaps == 1, "{:?}", table.history);
}

#[test]
fn flipped_bits_in_a_pack_do_no_harm() {
    let folder = Folder::new("flips");
    let repo = made(&folder, &[], 12);
    git(&repo, &["repack", "-q", "-a", "-d", "-f"]);
    let find = |end: &str| {
        let entries = std::fs::read_dir(repo.join(".git/objects/pack")).unwrap();
        entries
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|e| e == end))
            .unwrap()
    };
    for end in ["pack", "idx"] {
        let path = find(end);
        let sound = std::fs::read(&path).unwrap();
        let mut mode = std::fs::metadata(&path).unwrap().permissions();
        #[allow(clippy::permissions_set_readonly_false)]
        mode.set_readonly(false);
        std::fs::set_permissions(&path, mode).unwrap();
        let step = sound.len() / 60 + 1;
        for at in (0..sound.len()).step_by(step) {
            let mut bad = sound.clone();
            bad[at] ^= 0x41;
            std::fs::write(&path, &bad).unwrap();
            match features(&repo) {
                Ok(table) => assert!(table.rows.len() <= 12),
                Err(error) => assert!(error.code().starts_with("git."), "{end} {at}: {error:?}"),
            }
        }
        for length in [0, 1, 40, sound.len() / 2, sound.len() - 1] {
            std::fs::write(&path, &sound[..length]).unwrap();
            match features(&repo) {
                Ok(table) => assert!(table.rows.len() <= 12),
                Err(error) => assert!(error.code().starts_with("git."), "{end} cut at {length}: {error:?}"),
            }
        }
        std::fs::write(&path, &sound).unwrap();
    }
    assert_eq!(features(&repo).unwrap().rows.len(), 12);
}

#[test]
fn hostile_objects_have_bounded_answers() {
    let folder = Folder::new("hostile");
    let repo = folder.path().join("made");
    std::fs::create_dir_all(&repo).unwrap();
    git(&repo, &["init", "-q"]);
    let blob = object(&repo, "blob", b"one\n");
    let other = object(&repo, "blob", b"two\n");
    // Names that no work tree can have are only names here.
    let inner = tree(&repo, &[("100644", "config", &blob)]);
    let first = tree(&repo, &[("100644", "..", &blob), ("40000", ".git", &inner), ("100644", "a", &blob)]);
    let one = commit(&repo, &first, &[], PERSON);
    // The same folder ten times in each of ten levels: 10^10 files.
    let mut bomb = blob.clone();
    for level in 0..10 {
        let mode = if level == 0 { "100644" } else { "40000" };
        let names: Vec<String> = (0..10).map(|name| format!("d{name}")).collect();
        let entries: Vec<_> = names.iter().map(|name| (mode, name.as_str(), bomb.as_str())).collect();
        bomb = tree(&repo, &entries);
    }
    let two = commit(&repo, &bomb, &[&one], PERSON);
    // Folders within folders, far deeper than any stack.
    git(&repo, &["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{}f", "d/".repeat(2500))]);
    let deep = git(&repo, &["write-tree"]);
    let three = commit(&repo, &deep, &[&one], PERSON);
    // Trees that are none, entries that overlap, a header that is absurd.
    let broken = object(&repo, "tree", b"100644 a");
    let four = commit(&repo, &broken, &[&one], PERSON);
    let doubled = tree(&repo, &[("100644", "a", &blob), ("100644", "a", &other), ("40000", "a", &inner)]);
    let five = commit(&repo, &doubled, &[&one], PERSON);
    let absurd = format!(
        "author {} <{}> 99999999999999999999 +9999\ncommitter <<>> -9223372036854775808 x\n{}\n\nfix\n",
        "n".repeat(1 << 20),
        "e".repeat(1 << 20),
        "mergetag x".repeat(1 << 16)
    );
    let six = commit(&repo, &first, &[&five, &five, &one], &absurd);
    let seven = commit(&repo, &tree(&repo, &[("100644", "a", &other)]), &[&six], &absurd);
    let late = PERSON.replace("1600000000", "9223372036854775807");
    let eight = commit(&repo, &tree(&repo, &[("100644", "a", &blob)]), &[&seven], &late);
    for (tip, gaps) in [(&one, 0), (&two, 1), (&three, 1), (&four, 1), (&five, 0), (&eight, 0)] {
        git(&repo, &["update-ref", "refs/heads/main", tip]);
        git(&repo, &["symbolic-ref", "HEAD", "refs/heads/main"]);
        let table = features(&repo).unwrap();
        assert_eq!(table.history.gaps, gaps, "{tip}");
        assert_eq!(table.rows.len() as u64, table.history.commits - gaps);
    }
    git(&repo, &["update-ref", "refs/heads/main", &one]);
    assert_eq!(features(&repo).unwrap().rows[0].nf, 3);
    // A tree that stands for itself: only a replacement can make one.
    let looped = tree(&repo, &[("40000", "d", &first), ("100644", "x", &blob)]);
    git(&repo, &["replace", "-f", &first, &looped]);
    let table = features(&repo).unwrap();
    assert_eq!((table.history.commits, table.history.gaps, table.rows.len()), (1, 1, 0));
}

#[test]
fn a_bomb_is_not_unpacked() {
    let folder = Folder::new("bomb");
    let repo = made(&folder, &[], 9);
    let file = std::fs::File::create(repo.join("bomb")).unwrap();
    file.set_len(600 << 20).unwrap();
    drop(file);
    git(&repo, &["-c", "core.bigFileThreshold=1g", "add", "bomb"]);
    git_at(&repo, 50, &["commit", "-q", "-m", "bomb"]);
    std::fs::remove_file(repo.join("bomb")).unwrap();
    git(&repo, &["add", "-A"]);
    git_at(&repo, 51, &["commit", "-q", "-m", "bomb defused"]);
    let table = features(&repo).unwrap();
    assert_eq!((table.rows.len(), table.history.gaps), (11, 0));
    assert_eq!((table.rows[9].la, table.rows[9].nf, table.rows[10].ld), (0, 1, 0));
}

#[test]
fn rewritten_history_is_noticed_once() {
    let folder = Folder::new("rewritten");
    let repo = made(&folder, &[], 6);
    let store = folder.path().join("s.db").display().to_string();
    let ask = || {
        let args =
            OpenArgs { path: repo.display().to_string(), store: Some(store.clone()), ..OpenArgs::default() };
        blocking::wait(async { Workspace::open(args).await?.git().features(FeaturesArgs::default()).await })
            .unwrap()
    };
    assert_eq!(ask().history.dropped, 0);
    write(&repo, "more", "1\n");
    git(&repo, &["add", "-A"]);
    git_at(&repo, 70, &["commit", "-q", "-m", "more"]);
    assert_eq!((ask().history.dropped, ask().rows.len()), (0, 7));
    // Another branch is no rewriting, nor is coming back.
    git(&repo, &["checkout", "-q", "-b", "side", "HEAD~3"]);
    assert_eq!(ask().history.dropped, 0);
    git(&repo, &["checkout", "-q", "main"]);
    assert_eq!(ask().history.dropped, 0);
    git(&repo, &["reset", "-q", "--hard", "HEAD~2"]);
    git_at(&repo, 80, &["commit", "-q", "--allow-empty", "-m", "instead"]);
    let rewritten = ask();
    assert_eq!((rewritten.history.dropped, rewritten.rows.len()), (2, 6));
    assert_eq!(rewritten.rows, features(&repo).unwrap().rows);
    assert_eq!(ask().history.dropped, 0);
}

#[test]
fn a_history_without_lines_couples_files_alike() {
    let folder = Folder::new("light");
    let repo = folder.path().join("made");
    std::fs::create_dir_all(&repo).unwrap();
    git(&repo, &["init", "-q"]);
    for step in 0..14 {
        for file in ["a", "b"] {
            write(&repo, &format!("src/{file}"), &format!("{step}\n{}", "same line\n".repeat(30)));
        }
        if step == 7 {
            git(&repo, &["mv", "src/a", "src/c"]);
            std::fs::remove_file(repo.join("src/a")).unwrap_or_default();
        }
        if step > 7 {
            std::fs::remove_file(repo.join("src/a")).unwrap();
            write(&repo, "src/c", &format!("{step}\n{}", "same line\n".repeat(30)));
        }
        git(&repo, &["add", "-A"]);
        git_at(&repo, step, &["commit", "-q", "-m", "step"]);
    }
    let (light, full, table) = blocking::wait(async {
        let ws = open(&repo).await?;
        let light = ws.git().coupling(CouplingArgs::default()).await?;
        let table = ws.git().features(FeaturesArgs::default()).await?;
        let full = ws.git().coupling(CouplingArgs::default()).await?;
        Ok::<_, barograph::Error>((light, full, table))
    })
    .unwrap();
    assert_eq!(
        (serde_json::to_value(&light).unwrap(), table.rows.len()),
        (serde_json::to_value(&full).unwrap(), 14)
    );
    assert_eq!(table, features(&repo).unwrap());
    assert!(!serde_json::to_value(&light).unwrap()["pairs"].as_array().unwrap().is_empty());
}
