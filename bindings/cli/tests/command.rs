//! The built command, really run: exit statuses, formats, errors, pipes and signals.

mod common;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use common::{Folder, command, err, out, run, status};
use serde_json::Value;

/// The fixture repository of this name.
fn fixture(name: &str) -> String {
    static FIXTURES: OnceLock<PathBuf> = OnceLock::new();
    let all = FIXTURES.get_or_init(|| {
        let built = Command::new("python3")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/repositories.py"))
            .arg("--into")
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("fixtures"))
            .output()
            .expect("python3 builds the fixtures; install it");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        PathBuf::from(String::from_utf8_lossy(&built.stdout).trim())
    });
    all.join(name).to_str().unwrap().to_owned()
}

#[test]
fn version_and_description() {
    let done = run(&["--version"]);
    assert_eq!((status(&done), out(&done)), (0, format!("barograph {}\n", env!("CARGO_PKG_VERSION"))));
    let done = run(&["describe"]);
    let surface: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(surface["version"], env!("CARGO_PKG_VERSION"));
    assert!(surface["operations"].as_array().is_some_and(|all| all.len() > 20));
}

#[test]
fn a_wrong_use_names_the_nearest_and_ends_with_2() {
    for (line, part) in [
        (&["rsik"][..], "'risk'"),
        (&["risk", "chnge"], "'change'"),
        (&["risk", "change", "--wrktree"], "'--worktree'"),
        (&["session", "show"], "<ID>"),
        (&["workspace", "info", "--format", "csv"], "csv and arrow are for answers that are rows"),
        (&["workspace", "info", "--format", "jsno"], "'json'"),
        (&["call", "risk.chang", "--in-memory"], "did you mean `risk.change`?"),
        (&["call", "risk.change", "{\"rang\":1}", "--in-memory"], "did you mean `range`?"),
        (&["call", "session.begin", "--in-memory"], "not one of Workspace"),
        (&["call", "risk.change", "@/nowhere/at/all"], "cannot be read"),
        (&["workspace", "info", "--in-memory", "--clock", "yesterday"], "error[args.invalid]"),
    ] {
        let done = run(line);
        assert_eq!(status(&done), 2, "{line:?}: {}", err(&done));
        assert!(err(&done).contains(part), "{line:?}: {}", err(&done));
        assert_eq!(out(&done), "", "{line:?}");
    }
}

#[test]
fn an_error_ends_with_its_kind_and_is_json_where_asked() {
    let folder = Folder::new("kinds");
    let nowhere = folder.0.join("nowhere");
    let done = run(&["workspace", "info", "--repo", nowhere.to_str().unwrap()]);
    assert_eq!(status(&done), 3);
    assert!(err(&done).starts_with("error[git.not_a_repository]: "), "{}", err(&done));
    assert!(err(&done).contains("\n  path  "), "{}", err(&done));
    let done = run(&["workspace", "info", "--format", "json", "--repo", nowhere.to_str().unwrap()]);
    let record: Value = serde_json::from_slice(&done.stderr).unwrap();
    assert_eq!(
        (status(&done), &record["kind"], &record["op"]),
        (3, &"not_found".into(), &"workspace.open".into())
    );
    assert_eq!(err(&done).lines().count(), 1);
}

#[test]
fn text_and_json_of_a_record() {
    let folder = Folder::new("record");
    let done = run(&["workspace", "info", "--in-memory", "--repo", folder.text()]);
    assert_eq!(status(&done), 0, "{}", err(&done));
    assert!(out(&done).contains("durability  none\n"), "{}", out(&done));
    let named = run(&["workspace", "info", "--in-memory", "--format", "json", "--repo", folder.text()]);
    let called = run(&["call", "workspace.info", "--in-memory", "--format", "json", "--repo", folder.text()]);
    assert_eq!(out(&named), out(&called));
    let record: Value = serde_json::from_slice(&named.stdout).unwrap();
    assert_eq!(record["version"], env!("CARGO_PKG_VERSION"));
    assert!(out(&named).ends_with("}\n"));
}

#[test]
fn arguments_come_from_text_file_or_standard_input() {
    let folder = Folder::new("source");
    let file = folder.0.join("tasks.json");
    std::fs::write(&file, r#"[{ "name": "a" }, { "name": "b" }]"#).unwrap();
    let at_file = format!("@{}", file.display());
    let done = run(&["queue", "enqueue", "q", &at_file, "--repo", folder.text(), "--format", "json"]);
    assert_eq!(status(&done), 0, "{}", err(&done));
    let mut child = command(&["call", "queue.show", "-", "--repo", folder.text(), "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), br#"{ "queue": "q" }"#).unwrap();
    let record: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(record["waiting"], 2);
    let done = run(&["queue", "show", "q", "--repo", folder.text()]);
    assert!(out(&done).contains("waiting  2\n"), "{}", out(&done));
}

#[test]
fn metrics_are_text_json_csv_and_arrow() {
    let repo = fixture("polyglot");
    let metrics = |rest: &[&str]| {
        let done = run(&[&["code", "metrics", "--in-memory", "--repo", &repo], rest].concat());
        assert_eq!(status(&done), 0, "{}", err(&done));
        done
    };
    let text = out(&metrics(&["server", "tides/levels.py"]));
    assert!(text.starts_with("2 files, ") && text.contains("Hardest to follow"), "{text}");
    assert!(text.contains("Gauge.level") && text.contains("tides/levels.py:16"), "{text}");
    assert!(text.contains("1  written by a tool  server/level.pb.go"), "{text}");
    let json: Value = serde_json::from_slice(&metrics(&["--format", "json", "server"]).stdout).unwrap();
    let load = &json["files"][0]["functions"][0];
    assert_eq!((&load["name"], &load["line"]), (&Value::from("Load"), &Value::from(14)));
    assert_eq!((&load["cyclomatic"], &load["cognitive"]), (&Value::from(3), &Value::from(2)));
    let csv = out(&metrics(&["--format", "csv", "server"]));
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("path,language,name,qualified,line,end_line,cyclomatic"), "{csv}");
    assert!(lines[1].starts_with("server/server.go,go,Load,"), "{csv}");
    assert_eq!(lines.len(), 3);
    let files = out(&metrics(&["--format", "csv", "--rows", "files", "server", "buoy/buoy.c"]));
    assert!(files.starts_with("path,language,bytes,generated,") && files.lines().count() == 3, "{files}");
    let arrow = metrics(&["--format", "arrow", "server"]).stdout;
    assert!(arrow.starts_with(&[0xff; 4]), "{:?}", arrow.get(..16));
    let missing = run(&["code", "metrics", "--in-memory", "--repo", &repo, "nope"]);
    assert_eq!(status(&missing), 3, "{}", err(&missing));
    assert!(err(&missing).contains("`nope`"), "{}", err(&missing));
}

#[test]
fn measures_are_csv_in_the_published_columns() {
    let done = run(&["git", "features", "--in-memory", "--repo", &fixture("linear")]);
    assert_eq!(status(&done), 0, "{}", err(&done));
    let text = out(&done);
    let mut lines = text.lines();
    let header = "order,sha,author,time,NS,ND,NF,ENTROPY,LA,LD,LT_SUM,LT,FIX,NDEV,AGE,NUC,NUC_LAST,EXP,REXP,SEXP,\
                  renames,NDEV_MEAN,NUC_MEAN";
    assert_eq!(lines.next(), Some(header));
    let first: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(first.len(), 23);
    let decimals = |at: usize| first[at].split_once('.').map_or(0, |(_, decimals)| decimals.len());
    assert_eq!([7, 11, 14, 18, 21, 22].map(decimals), [6, 4, 6, 6, 4, 4]);
    let json = run(&["git", "features", "--in-memory", "--format", "json", "--repo", &fixture("linear")]);
    let record: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(record["rows"].as_array().unwrap().len(), text.lines().count() - 1);
}

#[test]
fn the_answer_leads_with_the_rank() {
    let done = run(&["risk", "change", "HEAD", "--in-memory", "--repo", &fixture("linear")]);
    assert_eq!(status(&done), 0, "{}", err(&done));
    let text = out(&done);
    let first = text.lines().next().unwrap();
    assert!(
        first.starts_with("riskier than ") && first.contains(" % of ") && first.contains(" — "),
        "{text}"
    );
    assert!(text.contains("at the prior's base rate of "), "{text}");
    assert!(!text.contains('\u{1b}'), "colour outside of a terminal: {text}");
    let json =
        run(&["risk", "change", "HEAD", "--in-memory", "--format", "json", "--repo", &fixture("linear")]);
    let record: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(record["probability"].as_f64().is_some_and(|probability| 0.0 < probability && probability < 1.0));
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let mut child = command(&["describe"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 1];
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut first).unwrap();
    drop(pipe);
    let done = child.wait_with_output().unwrap();
    assert_eq!((status(&done), err(&done)), (0, String::new()));
}

#[cfg(unix)]
/// Starts a command that waits for events until it is told to stop, and returns once it waits.
fn waiting(folder: &Folder) -> (Child, impl Read) {
    // One event that is printed at once says that the wait has begun.
    let tasks = r#"[{ "name": "a" }]"#;
    assert_eq!(status(&run(&["queue", "enqueue", "q", tasks, "--repo", folder.text()])), 0);
    let mut command = command(&["events", "--follow", "--repo", folder.text()]);
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // SAFETY: `signal` may be called between fork and exec. A test that runs in the background
        // of a shell inherits SIGINT ignored, which the command respects.
        unsafe {
            command.pre_exec(|| {
                libc::signal(libc::SIGINT, libc::SIG_DFL);
                Ok(())
            });
        }
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut pipe = BufReader::new(child.stdout.take().unwrap());
    pipe.read_line(&mut line).unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    assert!(event["seq"].as_u64().is_some_and(|seq| seq > 0), "{line}");
    (child, pipe)
}

#[test]
#[cfg(unix)]
fn ctrl_c_cancels_and_ends_with_130() {
    let folder = Folder::new("interrupt");
    // The pipe stays open, or the next event would end the command.
    let (child, _pipe) = waiting(&folder);
    let started = Instant::now();
    // SAFETY: a signal to the child that was just started.
    assert_eq!(unsafe { libc::kill(i32::try_from(child.id()).unwrap(), libc::SIGINT) }, 0);
    let done = child.wait_with_output().unwrap();
    assert_eq!(status(&done), 130, "{}", err(&done));
    assert!(err(&done).starts_with("error[call.cancelled]"), "{}", err(&done));
    assert!(started.elapsed() < Duration::from_secs(20), "cancelling took {:?}", started.elapsed());
}

#[test]
fn events_are_lines_of_json_after_a_cursor() {
    let folder = Folder::new("events");
    for task in [r#"[{ "name": "a" }]"#, r#"[{ "name": "b" }]"#] {
        assert_eq!(status(&run(&["queue", "enqueue", "q", task, "--repo", folder.text()])), 0);
    }
    let all = out(&run(&["events", "--repo", folder.text()]));
    let seqs: Vec<u64> = all
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64().unwrap())
        .collect();
    assert!(seqs.len() >= 2 && seqs.is_sorted(), "{all}");
    let later = out(&run(&["events", "--after", &seqs[0].to_string(), "--repo", folder.text()]));
    assert_eq!(later.lines().count(), seqs.len() - 1);
}
