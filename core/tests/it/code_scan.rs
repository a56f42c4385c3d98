//! Files that no reader expects: loops, what may not be read, single lines of 100 MB, names that are no text.

use std::path::Path;
use std::time::Duration;

use barograph::{CodeMetrics, CodeMetricsArgs, SkipReason, Workspace, blocking::wait};

use crate::support::{Folder, open};

fn write(folder: &Path, path: &str, text: impl AsRef<[u8]>) {
    let file = folder.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

fn metrics(ws: &Workspace, paths: &[&str]) -> CodeMetrics {
    let paths = paths.iter().map(|&path| path.to_owned()).collect();
    wait(ws.code().metrics(CodeMetricsArgs { paths, ..CodeMetricsArgs::default() })).unwrap()
}

fn paths(metrics: &CodeMetrics) -> Vec<&str> {
    metrics.files.iter().map(|file| file.path.as_str()).collect()
}

fn reasons(metrics: &CodeMetrics) -> Vec<(&str, SkipReason)> {
    metrics.skipped.iter().map(|skipped| (skipped.path.as_str(), skipped.reason)).collect()
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_unless_named() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new("links");
    let outside = Folder::new("links-outside");
    write(outside.path(), "secret.py", "x = 1\n");
    write(folder.path(), "a/one.py", "x = 1\n");
    symlink("..", folder.path().join("a/up")).unwrap();
    symlink(outside.path(), folder.path().join("out")).unwrap();
    symlink(outside.path().join("secret.py"), folder.path().join("secret.py")).unwrap();
    symlink("itself.py", folder.path().join("itself.py")).unwrap();
    let ws = folder.open();
    assert_eq!(paths(&metrics(&ws, &[])), ["a/one.py"]);
    let named = metrics(&ws, &["secret.py", "a/up/a/one.py"]);
    let secret = outside.path().canonicalize().unwrap().join("secret.py");
    assert_eq!(paths(&named), [secret.to_str().unwrap(), "a/one.py"]);
    // A link to itself is there, and cannot be looked at.
    assert_eq!(reasons(&metrics(&ws, &["itself.py"])), [("itself.py", SkipReason::Unreadable)]);
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_skipped_with_a_reason() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("denied");
    write(folder.path(), "open.py", "x = 1\n");
    write(folder.path(), "shut.py", "x = 1\n");
    write(folder.path(), "shut/inner.py", "x = 1\n");
    let set = |path: &str, mode| {
        std::fs::set_permissions(folder.path().join(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set("shut.py", 0o000);
    set("shut", 0o000);
    // The superuser may read everything.
    let is_denied = std::fs::read(folder.path().join("shut.py")).is_err();
    let all = metrics(&folder.open(), &[]);
    set("shut", 0o755);
    if is_denied {
        assert_eq!(paths(&all), ["open.py"]);
        assert_eq!(reasons(&all), [("shut", SkipReason::Unreadable), ("shut.py", SkipReason::Unreadable)]);
    } else {
        assert_eq!(paths(&all), ["open.py", "shut.py", "shut/inner.py"]);
    }
}

#[test]
fn a_line_of_100_megabytes_is_neither_read_nor_an_error() {
    let folder = Folder::new("huge");
    let file = folder.path().join("line.js");
    let part = "a(1);".repeat(1 << 18);
    let mut out = std::fs::File::create(&file).unwrap();
    for _ in 0..77 {
        std::io::Write::write_all(&mut out, part.as_bytes()).unwrap();
    }
    drop(out);
    assert!(std::fs::metadata(&file).unwrap().len() > 100_000_000);
    let ws = folder.open();
    assert_eq!(reasons(&metrics(&ws, &[])), [("line.js", SkipReason::Huge)]);
    assert_eq!(reasons(&metrics(&ws, &["line.js"])), [("line.js", SkipReason::Huge)]);
}

#[test]
fn a_minified_file_is_read_where_it_is_named() {
    let folder = Folder::new("minified");
    write(folder.path(), "a.min.js", "function f(a){return a?1:2}");
    write(folder.path(), "b.js", format!("{}\n", "function f(a){return a?1:2};".repeat(200)));
    let ws = folder.open();
    let all = metrics(&ws, &[]);
    assert_eq!(reasons(&all), [("a.min.js", SkipReason::Minified), ("b.js", SkipReason::Minified)]);
    assert_eq!(metrics(&ws, &["b.js"]).files[0].functions.len(), 200);
}

#[test]
fn empty_files_and_texts_that_are_not_utf_8_give_numbers() {
    let folder = Folder::new("odd");
    write(folder.path(), "empty.py", "");
    write(folder.path(), "latin.py", b"def f(a):\n    # caf\xe9\n    return '\xff' if a else 1\n");
    let mut nul = b"def g(a):\n    return 1\n".to_vec();
    nul.extend(b"# a line of text\n".repeat(600));
    nul.extend_from_slice(b"\0\ndef h(a):\n    return 1 if a else 2\n");
    write(folder.path(), "late.py", &nul);
    write(folder.path(), "early.py", b"\0def k(a):\n    return 1\n");
    let ws = folder.open();
    let all = metrics(&ws, &[]);
    assert_eq!(paths(&all), ["empty.py", "late.py", "latin.py"]);
    assert_eq!(all.files[0].functions.len(), 0);
    assert_eq!(all.files[2].functions[0].cyclomatic, 2);
    assert_eq!(reasons(&all), [("early.py", SkipReason::Binary)]);
    // A file that is named is read, whatever it holds.
    assert_eq!(paths(&metrics(&ws, &["early.py"])), ["early.py"]);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_read() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new("names");
    let name = std::ffi::OsStr::from_bytes(b"caf\xe9.py");
    std::fs::write(folder.path().join(name), "x = 1\n").unwrap();
    let ws = folder.open();
    for _ in 0..2 {
        assert_eq!(paths(&metrics(&ws, &[])), ["caf\u{fffd}.py"]);
    }
}

#[test]
fn a_folder_without_a_repository_is_read_and_nothing_there_is_an_error() {
    let folder = Folder::new("plain");
    write(folder.path(), "b.py", "x = 1\n");
    write(folder.path(), "a/c.go", "package a\n");
    write(folder.path(), ".hidden/d.py", "x = 1\n");
    write(folder.path(), ".git-like.py", "x = 1\n");
    let ws = folder.open();
    assert_eq!(paths(&metrics(&ws, &[])), [".git-like.py", "a/c.go", "b.py"]);
    assert_eq!(paths(&metrics(&ws, &["a", "b.py", "a/c.go"])), ["a/c.go", "b.py"]);
    assert_eq!(paths(&metrics(&ws, &[".hidden"])), [".hidden/d.py"]);
    let args = CodeMetricsArgs { paths: vec!["nope".to_owned()], ..CodeMetricsArgs::default() };
    let error = wait(ws.code().metrics(args)).unwrap_err();
    assert_eq!(error.code(), "path.missing");
    assert!(error.message().contains("`nope`"), "{error}");
}

#[test]
fn ignored_files_are_left_out_below_a_work_tree_only() {
    let folder = Folder::new("ignored");
    write(folder.path(), ".gitignore", "build/\n*.gen.py\n");
    write(folder.path(), "build/a.py", "x = 1\n");
    write(folder.path(), "b.gen.py", "x = 1\n");
    write(folder.path(), "c.py", "x = 1\n");
    let ws = folder.open();
    assert_eq!(paths(&metrics(&ws, &[])), ["b.gen.py", "build/a.py", "c.py"]);
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    assert_eq!(paths(&metrics(&ws, &[])), ["c.py"]);
    assert_eq!(paths(&metrics(&ws, &["build/a.py"])), ["build/a.py"]);
}

#[test]
fn what_did_not_change_gives_the_same_and_what_did_is_seen() {
    let folder = Folder::new("again");
    let work = folder.path().join("work");
    for number in 0..40 {
        write(
            &work,
            &format!("f{number}.py"),
            format!("def f{number}(a):\n    return a if a else {number}\n"),
        );
    }
    let open = || {
        wait(Workspace::open(barograph::OpenArgs {
            path: work.display().to_string(),
            store: Some(folder.store().display().to_string()),
            ..barograph::OpenArgs::default()
        }))
    };
    let ws = open().unwrap();
    let first = metrics(&ws, &[]);
    assert_eq!(metrics(&ws, &[]), first);
    // Of equal size, and within the same second: only the content tells.
    write(&work, "f7.py", "def f7(a):\n    return a or a and 7\n");
    std::fs::rename(work.join("f8.py"), work.join("moved.py")).unwrap();
    std::fs::remove_file(work.join("f9.py")).unwrap();
    for ws in [&ws, &open().unwrap()] {
        let again = metrics(ws, &[]);
        assert_eq!(again.files.len(), 39);
        let of = |path: &str| again.files.iter().find(|file| file.path == path).unwrap();
        assert_eq!(of("f7.py").functions[0].cyclomatic, 3);
        assert_eq!(of("moved.py").functions[0].name, "f8");
        assert_eq!(of("f10.py"), first.files.iter().find(|file| file.path == "f10.py").unwrap());
    }
    // A store that is damaged costs time and nothing else.
    drop(ws);
    let mut bytes = std::fs::read(folder.store()).unwrap();
    let count = bytes.len();
    for at in (count / 3..count).step_by(997) {
        bytes[at] ^= 0x55;
    }
    let _ = std::fs::remove_file(folder.path().join("s.db-wal"));
    std::fs::write(folder.store(), bytes).unwrap();
    // Where not even the store's own pages are sound, opening says so.
    if let Ok(ws) = open() {
        assert_eq!(metrics(&ws, &[]).files.len(), 39);
    }
}

#[test]
fn a_text_that_is_not_on_disk_is_measured() {
    let folder = Folder::new("text");
    let ws = open(folder.path()).unwrap();
    let text = |paths: &[&str], text: &str| {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        wait(ws.code().metrics(CodeMetricsArgs { paths, text: Some(text.to_owned()), ..Default::default() }))
    };
    let go = text(
        &["new/a.go"],
        "package a\n\nfunc F(a int) int {\n\tif a > 0 {\n\t\treturn 1\n\t}\n\treturn 2\n}\n",
    )
    .unwrap();
    assert_eq!((paths(&go), go.files[0].functions[0].cognitive), (vec!["new/a.go"], 1));
    assert_eq!(text(&[], "x").unwrap_err().code(), "args.invalid");
    assert_eq!(text(&["a.txt"], "x").unwrap_err().code(), "language.unknown");
    assert_eq!(text(&["run"], "#!/usr/bin/env python3\nx = 1\n").unwrap().files[0].language, "python");
}

#[test]
fn a_walk_that_nobody_waits_for_stops() {
    let folder = Folder::new("cancelled");
    for number in 0..3000 {
        write(
            folder.path(),
            &format!("d{}/f{number}.py", number % 50),
            "def f(a):\n    return a\n".repeat(60),
        );
    }
    let ws = folder.open();
    let stopped = wait(async {
        let code = ws.code();
        let mut work = std::pin::pin!(code.metrics(CodeMetricsArgs::default()));
        let polled =
            std::future::poll_fn(|cx| std::task::Poll::Ready(work.as_mut().poll(cx).is_ready())).await;
        // Dropping the call cancels it.
        !polled
    });
    assert!(stopped);
    // What was begun does not stand in the way of the next call.
    assert_eq!(metrics(&ws, &["d0"]).files.len(), 60);
    let started = std::time::Instant::now();
    drop(ws);
    assert!(started.elapsed() < Duration::from_secs(60));
}
