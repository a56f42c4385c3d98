//! The tower on real repositories, made with the git executable.

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use crate::base::cancel::CancelToken;
    use crate::base::port::{Memory, Segments, Silent};
    use crate::error::Result;
    use crate::git::change::FileChange;
    use crate::git::history::Stored;
    use crate::git::*;

    struct Repo(PathBuf);

    impl Drop for Repo {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    impl Repo {
        fn folder() -> Repo {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let name =
                format!("barograph-git-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().join(name);
            let _ = std::fs::remove_dir_all(&path);
            std::fs::create_dir_all(&path).unwrap();
            Repo(path)
        }

        fn new() -> Repo {
            let repo = Repo::folder();
            repo.git(&["init", "-q"]);
            repo
        }

        fn git(&self, arguments: &[&str]) -> String {
            self.git_as("ann@example.org", 0, arguments)
        }

        fn git_as(&self, author: &str, day: i64, arguments: &[&str]) -> String {
            let date = format!("{} +0000", 1_600_000_000 + day * 86_400);
            let output = Command::new("git")
                .args([
                    "-c",
                    "protocol.file.allow=always",
                    "-c",
                    "init.defaultBranch=main",
                    "-c",
                    "core.autocrlf=false",
                ])
                .args(arguments)
                .current_dir(&self.0)
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .env("GIT_CONFIG_SYSTEM", "/dev/null")
                .envs([("GIT_AUTHOR_NAME", "A"), ("GIT_COMMITTER_NAME", "A"), ("GIT_AUTHOR_EMAIL", author)])
                .envs([
                    ("GIT_COMMITTER_EMAIL", author),
                    ("GIT_AUTHOR_DATE", &date),
                    ("GIT_COMMITTER_DATE", &date),
                ])
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "git {arguments:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        fn commit(&self, author: &str, day: i64, message: &str) -> gix::ObjectId {
            self.git(&["add", "-A"]);
            self.git_as(author, day, &["commit", "-q", "--allow-empty", "-m", message]);
            self.id("HEAD")
        }

        fn id(&self, revision: &str) -> gix::ObjectId {
            gix::ObjectId::from_hex(self.git(&["rev-parse", revision]).as_bytes()).unwrap()
        }

        fn open(&self) -> Repository {
            Repository::open(&self.0).unwrap()
        }

        fn clone(&self, options: &[&str]) -> Repo {
            let to = Repo::folder();
            let from = format!("file://{}", self.0.display());
            let mut arguments = vec!["clone", "-q"];
            arguments.extend(options);
            arguments.extend([from.as_str(), "."]);
            to.git(&arguments);
            to
        }
    }

    fn load(repo: &Repository, segments: &dyn Segments) -> Result<Arc<History>> {
        History::load(repo, repo.head()?, Level::Lines, segments, &Silent, &CancelToken::new())
    }

    fn change(repo: &Repository, range: &str) -> Result<Change> {
        let history = load(repo, &Memory::default()).ok();
        repo.change(history.as_deref(), range, None, None, &CancelToken::new())
    }

    /// Path, added, deleted, lines before: one line per file.
    fn shown(change: &Change) -> Vec<String> {
        let line = |file: &FileChange| {
            let from = file.old_path.as_ref().map_or(String::new(), |old| format!("{old}=>"));
            let binary = if file.binary { " binary" } else { "" };
            format!("{from}{} +{} -{} of {}{binary}", file.path, file.added, file.deleted, file.lines_before)
        };
        change.files.iter().map(line).collect()
    }

    fn code<T: std::fmt::Debug>(result: Result<T>) -> String {
        result.unwrap_err().code().to_owned()
    }

    /// Ten lines that no other number gives.
    fn lines(number: usize) -> String {
        (0..10).map(|line| format!("line {line} of file number {number} and nothing else\n")).collect()
    }

    #[test]
    fn what_is_no_repository_says_so() {
        let folder = Repo::folder();
        assert_eq!(code(Repository::open(&folder.0)), "git.not_a_repository");
        assert_eq!(code(Repository::open(&folder.0.join("absent/too"))), "git.not_a_repository");
        let repo = Repo::new();
        assert_eq!(code(repo.open().head()), "git.no_commits");
        assert_eq!(code(change(&repo.open(), "HEAD")), "git.no_commits");
        assert_eq!(code(change(&repo.open(), "HEAD~1..HEAD")), "git.no_commits");
        assert_eq!(code(change(&repo.open(), "main")), "git.revision");
        repo.write("a", "a\n");
        repo.commit("a@x", 0, "one");
        let error = change(&repo.open(), "no-such..HEAD").unwrap_err();
        assert_eq!(error.code(), "git.revision");
        assert!(error.message().contains("`no-such`"), "{error}");
        assert_eq!(code(change(&repo.open(), "HEAD~7")), "git.revision");
        assert_eq!(code(change(&repo.open(), "HEAD:a")), "git.revision");
        assert_eq!(code(change(&repo.open(), &"1".repeat(40))), "git.object_missing");
        // An unborn branch beside a born one.
        repo.git(&["checkout", "-q", "--orphan", "fresh"]);
        assert_eq!(code(repo.open().head()), "git.no_commits");
        assert!(change(&repo.open(), "main").is_ok());
        // From a folder below and from a file.
        repo.write("deep/down/b", "");
        for below in ["deep/down", "deep/down/b"] {
            assert_eq!(Repository::open(&repo.0.join(below)).unwrap().top(), repo.0.canonicalize().unwrap());
        }
    }

    #[test]
    fn a_bare_repository_keeps_its_home_inside() {
        let repo = Repo::new();
        repo.write("a", "a\n");
        repo.commit("a@x", 0, "one");
        let bare = repo.clone(&["--bare"]);
        let opened = bare.open();
        assert!(opened.is_bare() && opened.home() == bare.0.canonicalize().unwrap());
        assert_eq!(shown(&change(&opened, "HEAD").unwrap()), ["a +1 -0 of 0"]);
        assert_eq!(code(opened.worktree_change(None, None, 0, &CancelToken::new())), "git.read");
    }

    #[test]
    fn ranges_go_from_the_merge_base_to_the_tip() {
        let repo = Repo::new();
        repo.write("a", "1\n2\n3\n");
        let root = repo.commit("a@x", 0, "Root");
        repo.git(&["checkout", "-q", "-b", "side"]);
        repo.write("b", "1\n");
        let first = repo.commit("B@x", 1, "Add b");
        repo.write("b", "1\n2\n");
        let second = repo.commit("b@x", 2, "Fixes b\n\nbody");
        repo.git(&["checkout", "-q", "main"]);
        repo.write("a", "1\n3\n");
        let main = repo.commit("a@x", 3, "Cut a");
        let opened = repo.open();

        for range in ["main..side", "main...side"] {
            let side = change(&opened, range).unwrap();
            assert_eq!((side.base, side.tip, side.fix), (Some(root), Some(second), true));
            assert_eq!((side.author.as_deref(), side.time), (Some("b@x"), 1_600_000_000 + 2 * 86_400));
            assert_eq!(shown(&side), ["b +2 -0 of 0"]);
            let titles: Vec<_> =
                side.commits.iter().map(|commit| (commit.id, commit.title.as_str())).collect();
            assert_eq!(titles, [(second, "Fixes b"), (first, "Add b")]);
        }
        repo.git_as("m@x", 4, &["merge", "-q", "--no-ff", "-m", "Merge side", "side"]);
        let merge = change(&opened, "HEAD").unwrap();
        assert_eq!(merge.base, Some(main));
        assert_eq!(shown(&merge), ["b +2 -0 of 0"]);
        assert_eq!(merge.commits.iter().map(|commit| commit.id).collect::<Vec<_>>(), [second, first]);
        assert!(merge.fix);
        let over = opened.change(None, "HEAD", Some("words"), Some("X@Y"), &CancelToken::new()).unwrap();
        assert_eq!((over.fix, over.author.as_deref()), (false, Some("x@y")));
        let rooted = change(&opened, &root.to_string()).unwrap();
        assert_eq!((rooted.base, rooted.parent_missing), (None, false));
        assert_eq!(shown(&rooted), ["a +3 -0 of 0"]);
        assert_eq!(shown(&change(&opened, "HEAD~1").unwrap()), ["a +0 -1 of 3"]);
        // Nothing changed.
        assert!(change(&opened, "HEAD..HEAD").unwrap().files.is_empty());
        repo.git(&["tag", "-a", "-m", "tag", "v1", "side"]);
        assert_eq!(change(&opened, "v1").unwrap().tip, Some(second));
        // Without a common ancestor everything is new.
        repo.git(&["checkout", "-q", "--orphan", "other"]);
        repo.commit("a@x", 5, "Other root");
        let other = change(&opened, "main..other").unwrap();
        assert_eq!((other.base, other.files.len(), other.commits.len()), (None, 2, 1));
    }

    #[test]
    fn odd_files_are_measured_as_git_does() {
        let repo = Repo::new();
        repo.write("text", "a\nb");
        repo.write("binary", "a\0b\n");
        repo.write("turns", "text\n");
        repo.write("old name", &lines(1));
        std::os::unix::fs::symlink("text", repo.0.join("link")).unwrap();
        let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"l\xe4tin");
        std::fs::write(repo.0.join(odd), "1\n").unwrap();
        repo.commit("a@x", 0, "one");
        repo.write("text", "a\nb\nc\n");
        repo.write("binary", "a\0c\n");
        repo.write("turns", "\0\n");
        repo.git(&["mv", "old name", "new name"]);
        std::fs::remove_file(repo.0.join("link")).unwrap();
        std::os::unix::fs::symlink("binary", repo.0.join("link")).unwrap();
        std::fs::write(repo.0.join(odd), "1\n2\n").unwrap();
        repo.git(&["add", "-A"]);
        repo.git(&["update-index", "--chmod=+x", "text"]);
        std::fs::write(repo.0.join("message"), b"caf\xe9 fix\n").unwrap();
        repo.git(&["-c", "i18n.commitEncoding=latin1", "commit", "-q", "-F", "message"]);
        let odd = change(&repo.open(), "HEAD").unwrap();
        assert!(odd.fix && odd.commits[0].title.contains('\u{fffd}'));
        assert_eq!(
            shown(&odd),
            [
                "binary +0 -0 of 0 binary",
                "link +1 -1 of 1",
                "l\u{fffd}tin +1 -0 of 1",
                "old name=>new name +0 -0 of 10",
                "text +2 -1 of 2",
                "turns +0 -0 of 0 binary",
            ]
        );
    }

    #[test]
    fn octopus_merges_and_submodules_do_no_harm() {
        let inner = Repo::new();
        inner.write("x", "x\n");
        inner.commit("a@x", 0, "inner");
        let repo = Repo::new();
        repo.write("a", "a\n");
        repo.commit("a@x", 0, "root");
        for (day, branch) in ["one", "two", "three"].into_iter().enumerate() {
            repo.git(&["checkout", "-q", "-b", branch, "main"]);
            repo.write(branch, "1\n");
            repo.commit("b@x", day as i64 + 1, branch);
        }
        repo.git(&["checkout", "-q", "main"]);
        repo.write("m", "m\n");
        repo.commit("m@x", 4, "main");
        repo.git_as("m@x", 5, &["merge", "-q", "-m", "octopus", "one", "two", "three"]);
        assert_eq!(repo.git(&["rev-list", "--parents", "-1", "HEAD"]).split(' ').count(), 5);
        let octopus = change(&repo.open(), "HEAD").unwrap();
        assert_eq!((octopus.files.len(), octopus.commits.len()), (3, 3));
        repo.git(&["submodule", "--quiet", "add", inner.0.to_str().unwrap(), "module"]);
        repo.commit("a@x", 6, "module");
        assert_eq!(shown(&change(&repo.open(), "HEAD").unwrap()), [".gitmodules +3 -0 of 0"]);
        std::fs::write(repo.0.join("module/x"), "changed\n").unwrap();
        let dirty = repo.open().worktree_change(None, None, 0, &CancelToken::new()).unwrap();
        assert!(dirty.files.is_empty(), "{:?}", shown(&dirty));
        let history = load(&repo.open(), &Memory::default()).unwrap();
        let table = history.features(None, history.tip(), true);
        assert_eq!((table.rows.len(), table.history.commits, table.history.cut), (6, 6, false));
    }

    #[test]
    fn the_working_tree_is_a_change() {
        let repo = Repo::new();
        repo.write("kept", "1\n");
        repo.write("staged", "1\n");
        repo.write("edited", "1\n2\n");
        repo.write("gone", "1\n2\n3\n");
        repo.write("moved", &lines(3));
        repo.write(".gitignore", "*.log\n");
        let head = repo.commit("a@x", 0, "one");
        let opened = repo.open();
        let cancel = CancelToken::new();
        assert!(opened.worktree_change(None, None, 7, &cancel).unwrap().files.is_empty());
        repo.write("staged", "1\n2\n");
        repo.git(&["add", "staged"]);
        repo.write("edited", "2\n");
        std::fs::remove_file(repo.0.join("gone")).unwrap();
        std::fs::rename(repo.0.join("moved"), repo.0.join("moved here")).unwrap();
        repo.write("new/one", "1\n");
        repo.write("noise.log", "1\n");
        repo.git(&["config", "filter.x.clean", "touch ran; cat"]);
        repo.write(".git/info/attributes", "* filter=x\n");
        let dirty = opened.worktree_change(Some("Fix it"), Some("Me@X"), 7, &cancel).unwrap();
        assert_eq!((dirty.base, dirty.tip, dirty.time, dirty.fix), (Some(head), None, 7, true));
        assert_eq!(dirty.author.as_deref(), Some("me@x"));
        let expected = [
            "edited +0 -1 of 2",
            "gone +0 -3 of 3",
            "moved=>moved here +0 -0 of 10",
            "new/one +1 -0 of 0",
            "staged +1 -0 of 1",
        ];
        assert_eq!(shown(&dirty), expected);
        assert!(!repo.0.join("ran").exists(), "a program of the repository was started");
    }

    #[test]
    fn shallow_clones_say_what_they_lack_and_a_pack_gives_it_back() {
        let repo = Repo::new();
        for day in 0..60 {
            repo.write("a", &"x\n".repeat(day + 1));
            repo.commit(if day % 2 == 0 { "a@x" } else { "b@x" }, day as i64, "step");
        }
        let whole = repo.open();
        let full = load(&whole, &Memory::default()).unwrap();
        let all = full.features(None, full.tip(), true);
        assert_eq!((all.rows.len(), all.history.cut, all.history.gaps), (60, false, 0));
        let pack = repo.0.join("history.pack");
        let exported = pack::export(&full, &pack).unwrap();
        assert_eq!(
            (exported.commits, exported.file_changes, exported.tip.clone()),
            (60, 60, full.tip().to_string())
        );

        for depth in [1usize, 2, 50] {
            let clone = repo.clone(&[&format!("--depth={depth}")]);
            let opened = clone.open();
            assert!(opened.is_shallow());
            let segments = Memory::default();
            let cut = load(&opened, &segments).unwrap();
            let span = cut.span(Some(cut.tip()));
            assert_eq!((span.commits, span.cut, span.gaps), (depth as u64, true, 1));
            assert_eq!(cut.features(None, cut.tip(), true).rows.len(), depth - 1);
            let tip = opened.change(Some(&cut), "HEAD", None, None, &CancelToken::new()).unwrap();
            assert_eq!(tip.parent_missing, depth == 1);
            assert_eq!(tip.files.is_empty(), depth == 1);
            if depth == 1 {
                assert_eq!(code(opened.resolve("HEAD~1")), "git.revision");
            }

            let imported = pack::import(&segments, &pack).unwrap();
            assert_eq!((imported.commits, imported.tip), (60, exported.tip.clone()));
            let again = load(&opened, &segments).unwrap();
            assert_eq!(again.features(None, again.tip(), true), all, "depth {depth}");
            let tip = opened.change(Some(&again), "HEAD", None, None, &CancelToken::new()).unwrap();
            assert_eq!((tip.parent_missing, shown(&tip)), (false, vec!["a +1 -0 of 59".to_owned()]));
            let own = again.own(again.tip(), again.tip()).unwrap();
            assert_eq!(own.0, 59);
            assert_eq!(again.before(tip.base).prepare(&tip).vector(None), own.1);
        }

        // What was cut is read once it is there.
        let clone = repo.clone(&["--depth=2"]);
        let segments = Memory::default();
        assert!(load(&clone.open(), &segments).unwrap().span(Some(full.tip())).cut);
        clone.git(&["fetch", "-q", "--unshallow"]);
        let deep = load(&clone.open(), &segments).unwrap();
        assert_eq!(deep.features(None, deep.tip(), true), all);
    }

    fn fixture(name: &str) -> PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(name)
    }

    #[test]
    fn what_the_first_release_kept_is_still_read() {
        let repo = Repo::folder();
        let bundle = fixture("kamei/synth-19/repo.bundle");
        repo.git(&["clone", "-q", "-b", "main", bundle.to_str().unwrap(), "."]);
        let whole = repo.open();
        let fresh = load(&whole, &Memory::default()).unwrap();
        let all = fresh.features(None, fresh.tip(), true);
        let signatures = |history: &History| -> std::collections::BTreeMap<_, _> {
            let log = history.log();
            (0..log.len() as u32).map(|at| (log.commit(at).id, log.restore(at).signature)).collect()
        };
        let pack = fixture("history/synth-19-v1.pack");
        let old = std::fs::read(&pack).unwrap();
        // The chunk in the pack is also what a segment of that release holds.
        let chunk = &old[12..old.len() - 32];
        let segment = Memory::default();
        segment.replace("git/history/v1", "any", chunk).unwrap();
        for round in 0..2 {
            let again = load(&whole, &segment).unwrap();
            assert_eq!(again.features(None, again.tip(), true), all, "{round}");
            assert_eq!(signatures(&again), signatures(&fresh), "{round}");
            assert!(segment.read(history::SEGMENT).unwrap().is_some());
            segment.replace("git/history/v1", "any", b"read no more").unwrap();
        }
        // A pack of that release, where the objects are and where they are not.
        let imported = Memory::default();
        assert_eq!(pack::import(&imported, &pack).unwrap().commits, 250);
        let again = load(&whole, &imported).unwrap();
        assert_eq!(signatures(&again), signatures(&fresh));
        let shallow = repo.clone(&["--depth=1", "--single-branch", "-b", "main"]);
        let imported = Memory::default();
        pack::import(&imported, &pack).unwrap();
        let again = load(&shallow.open(), &imported).unwrap();
        assert_eq!(again.features(None, again.tip(), true), all);
        let known = signatures(&again).into_values().flatten().count();
        assert_eq!(known, 1, "the tip alone is in the clone");
    }

    #[test]
    fn damaged_and_newer_packs_are_refused() {
        let repo = Repo::new();
        repo.write("a", "a\n");
        repo.commit("a@x", 0, "one");
        let history = load(&repo.open(), &Memory::default()).unwrap();
        let pack = repo.0.join("p");
        pack::export(&history, &pack).unwrap();
        let bytes = std::fs::read(&pack).unwrap();
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            std::fs::write(&pack, &bad).unwrap();
            let error = pack::import(&Memory::default(), &pack).unwrap_err();
            assert!(matches!(error.code(), "git.pack_format" | "git.pack_version"), "{at}: {error}");
        }
        std::fs::write(&pack, b"BAROHIST\x09\0\0\0").unwrap();
        assert_eq!(code(pack::import(&Memory::default(), &pack)), "git.pack_version");
        std::fs::write(&pack, b"").unwrap();
        assert_eq!(code(pack::import(&Memory::default(), &pack)), "git.pack_format");
        assert_eq!(code(pack::import(&Memory::default(), &repo.0.join("absent"))), "git.pack_format");
        assert_eq!(code(pack::export(&history, &repo.0.join("no/such/folder/p"))), "git.pack_format");
    }

    #[test]
    fn a_partial_clone_counts_gaps() {
        let repo = Repo::new();
        repo.git(&["config", "uploadpack.allowFilter", "true"]);
        for day in 0..4 {
            repo.write("a", &"x\n".repeat(day + 1));
            repo.commit("a@x", day as i64, "step");
        }
        let clone = repo.clone(&["--filter=blob:none"]);
        let history = load(&clone.open(), &Memory::default()).unwrap();
        let table = history.features(None, history.tip(), true);
        assert_eq!((table.history.commits, table.history.gaps, table.history.cut), (4, 4, false));
        assert!(table.rows.is_empty());
        assert_eq!(code(change(&clone.open(), "HEAD")), "git.object_missing");
        // Paths, authors and times are known all the same.
        let next = Change {
            time: 1_600_000_000 + 4 * 86_400,
            author: Some("a@x".into()),
            files: vec![FileChange { path: "a".into(), added: 1, ..FileChange::default() }],
            ..Change::default()
        };
        let vector = history.before(Some(history.tip())).prepare(&next).vector(None);
        assert_eq!((vector[8], vector[9], vector[10], vector[11]), (1.0, 1.0, 4.0, 4.0));
    }

    #[test]
    fn a_change_is_measured_like_the_commit_it_becomes() {
        let repo = Repo::new();
        for (day, author) in [(0, "a@x"), (3, "b@x"), (900, "a@x"), (901, "c@x")] {
            repo.write("core/x/a.c", &format!("{}{day}\n", lines(1)));
            repo.write("core/y.c", &format!("{day}\n"));
            if day != 3 {
                repo.write("doc/z", &format!("{day}\n{day}\n"));
            }
            repo.write("top", &format!("{day}\n"));
            repo.commit(author, day, "step");
        }
        repo.git(&["mv", "core/x/a.c", "doc/a.c"]);
        repo.write("core/y.c", "1\n2\n3\n");
        repo.write("fresh/f", "f\n");
        let tip = repo.commit("a@x", 1000, "Fix all");
        let opened = repo.open();
        let history = load(&opened, &Memory::default()).unwrap();
        let whole = opened.change(Some(&history), "HEAD", None, None, &CancelToken::new()).unwrap();
        let before = history.before(whole.base);
        let (place, own) = history.own(tip, tip).unwrap();
        assert_eq!((place, before.measured()), (4, 4));
        assert_eq!(before.prepare(&whole).vector(None), own);
        assert_eq!(own[11], 2.0);
        for skip in 0..whole.files.len() {
            let mut less = whole.clone();
            less.files.remove(skip);
            let (quick, slow) =
                (before.prepare(&whole).vector(Some(skip)), before.prepare(&less).vector(None));
            for (at, name) in FEATURES.iter().enumerate() {
                assert!(
                    (quick[at] - slow[at]).abs() < 1e-9,
                    "{name} without file {skip}: {} {}",
                    quick[at],
                    slow[at]
                );
            }
        }
        let stranger = Change { author: Some("nobody@x".into()), ..whole.clone() };
        assert_eq!(before.prepare(&stranger).vector(None)[11..], [0.0, 0.0, 0.0]);
        let nothing = Change { files: Vec::new(), ..whole };
        assert_eq!(before.prepare(&nothing).vector(None)[..6], [0.0; 6]);
    }

    #[test]
    fn histories_are_continued_not_read_again() {
        let repo = Repo::new();
        repo.write("a", "1\n");
        repo.commit("a@x", 0, "one");
        let opened = repo.open();
        let segments = Memory::default();
        let cancel = CancelToken::new();
        let first = load(&opened, &segments).unwrap();
        repo.write("b", "1\n");
        repo.commit("b@x", 1, "two");
        let head = opened.head().unwrap();
        let next = first.advance(&opened, head, &segments, &Silent, &cancel).unwrap();
        assert_eq!(next.span(Some(head)).commits, 2);
        // Another process was first: its records are taken, ours added.
        let other = Memory::default();
        load(&opened, &other).unwrap();
        repo.write("c", "1\n");
        repo.commit("a@x", 2, "three");
        let head = opened.head().unwrap();
        let stale = first.advance(&opened, head, &segments, &Silent, &cancel).unwrap();
        assert_eq!(stale.span(Some(head)).commits, 3);
        let fresh = load(&opened, &segments).unwrap();
        assert_eq!(fresh.features(None, head, true), stale.features(None, head, true));
        assert_eq!(
            fresh.features(None, head, true),
            load(&opened, &other).unwrap().features(None, head, true)
        );

        // A damaged segment is rebuilt, and sound again.
        let (tip, mut bytes) = segments.read(history::SEGMENT).unwrap().unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        segments.replace(history::SEGMENT, &tip, &bytes).unwrap();
        let rebuilt = load(&opened, &segments).unwrap();
        assert_eq!(rebuilt.features(None, head, true), fresh.features(None, head, true));
        let (_, sound) = segments.read(history::SEGMENT).unwrap().unwrap();
        assert_eq!(crate::git::log::Log::read(&sound).1, sound.len());

        // Rewritten history only adds.
        repo.git_as("a@x", 3, &["commit", "-q", "--amend", "-m", "rewritten"]);
        let head = opened.head().unwrap();
        let amended = rebuilt.advance(&opened, head, &segments, &Silent, &cancel).unwrap();
        assert_eq!(amended.features(None, head, true).rows.len(), 3);
    }

    #[test]
    fn five_thousand_renames_are_quick() {
        let repo = Repo::new();
        for number in 0..5000 {
            repo.write(&format!("old/d{}/f{number}", number % 50), &lines(number));
        }
        repo.commit("a@x", 0, "one");
        repo.git(&["mv", "old", "new"]);
        repo.write("new/d0/f0", &format!("{}more\n", lines(0)));
        repo.commit("a@x", 1, "two");
        let started = std::time::Instant::now();
        let opened = repo.open();
        let history = load(&opened, &Memory::default()).unwrap();
        let renamed = opened.change(Some(&history), "HEAD", None, None, &CancelToken::new()).unwrap();
        assert_eq!(renamed.files.len(), 5000);
        assert!(renamed.files.iter().all(|file| file.old_path.is_some()));
        let measure = history.before(renamed.base).prepare(&renamed);
        let nuc: f64 = (0..5000).map(|skip| measure.vector(Some(skip))[10]).sum();
        assert_eq!(nuc, 5000.0);
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }

    #[test]
    fn a_file_of_200_megabytes_is_no_trouble() {
        let repo = Repo::new();
        repo.write("a", "a\n");
        repo.commit("a@x", 0, "one");
        let file = std::fs::File::create(repo.0.join("big")).unwrap();
        file.set_len(200 << 20).unwrap();
        drop(file);
        let opened = repo.open();
        let dirty = opened.worktree_change(None, None, 0, &CancelToken::new()).unwrap();
        assert_eq!(shown(&dirty), ["big +0 -0 of 0 binary"]);
    }

    #[test]
    fn a_set_token_stops_the_reading() {
        let repo = Repo::new();
        repo.write("a", "a\n");
        repo.commit("a@x", 0, "one");
        let cancel = CancelToken::new();
        cancel.cancel();
        let opened = repo.open();
        let tip = opened.head().unwrap();
        let stopped = History::load(&opened, tip, Level::Lines, &Memory::default(), &Silent, &cancel);
        assert_eq!(code(stopped), "call.cancelled");
        assert_eq!(code(opened.worktree_change(None, None, 0, &cancel)), "call.cancelled");
    }

    #[test]
    fn a_reading_that_was_cut_short_goes_on() {
        let repo = Repo::new();
        for day in 0..24usize {
            repo.write(&format!("f{}", day % 5), &lines(day));
            repo.commit(&format!("a{}@x", day % 3), day as i64, "step");
        }
        let opened = repo.open();
        let tip = opened.head().unwrap();
        let whole = load(&opened, &Memory::default()).unwrap();
        // What is left of a reading: any pieces of the log, with the tip and without it.
        for kept in [
            |at: u32| !at.is_multiple_of(3),
            |at: u32| !(at + 1).is_multiple_of(3),
            |at: u32| at > 11,
            |at: u32| (8..20).contains(&at),
        ] {
            let segments = Memory::default();
            let pieces = (0..whole.log().len() as u32).filter(|at| kept(*at));
            Stored::default().add(&segments, pieces.map(|at| whole.log().restore(at)).collect());
            let resumed = load(&opened, &segments).unwrap();
            assert_eq!(resumed.features(None, tip, true), whole.features(None, tip, true));
            let again = load(&opened, &segments).unwrap();
            assert_eq!(again.log().len(), whole.log().len());
        }
    }

    #[test]
    fn a_record_stays_small() {
        let repo = Repo::new();
        for day in 0..30usize {
            for file in 0..6 {
                repo.write(
                    &format!("some/longer/folder/name_{}.rs", (day * 5 + file) % 40),
                    &lines(day * 10 + file),
                );
            }
            repo.commit("a@x", day as i64, "step");
        }
        let history = load(&repo.open(), &Memory::default()).unwrap();
        let exported = pack::export(&history, &repo.0.join("p")).unwrap();
        assert!(exported.bytes / exported.file_changes <= 60, "{exported:?}");
    }

    #[test]
    fn a_repository_is_shared_between_threads() {
        fn check<T: Send + Sync + Clone>() {}
        check::<Repository>();
        check::<Arc<History>>();
    }
}
