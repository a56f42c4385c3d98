//! Origins on real repositories, beside git's own blame.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{FileLines, origins};
use crate::base::cancel::CancelToken;
use crate::base::port::Silent;
use crate::git::Repository;

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

struct Clone(PathBuf);

impl Drop for Clone {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn origins_are_those_of_blame() {
    let path = std::env::temp_dir().join(format!("barograph-origins-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    let clone = Clone(path);
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/kamei/synth-7/repo.bundle");
    let (bundle, target) = (bundle.display().to_string(), clone.0.display().to_string());
    git(&std::env::temp_dir(), &["clone", "-q", "-b", "main", &bundle, &target]);
    let names = git(&clone.0, &["ls-files", "-z"]);
    let mut files = Vec::new();
    for name in names.split('\0').filter(|name| !name.is_empty()) {
        let Ok(text) = std::fs::read(clone.0.join(name)) else { continue };
        if text.contains(&0) || clone.0.join(name).is_symlink() {
            continue;
        }
        let count = crate::git::szz::compare::count(&text)
            + u32::from(text.last().is_some_and(|last| *last != b'\n'));
        files.push(FileLines { path: name.as_bytes().to_vec(), lines: (1..=count).collect() });
    }
    let repo = Repository::open(&clone.0).unwrap();
    let tip = repo.head().unwrap();
    let found = origins(&repo, tip, &files, &Silent, &CancelToken::new()).unwrap();
    let (mut same, mut total) = (0, 0);
    for (file, lines) in files.iter().zip(&found) {
        let name = String::from_utf8_lossy(&file.path).into_owned();
        let blame = git(&clone.0, &["blame", "-w", "-M", "-C", "-C", "--porcelain", "HEAD", "--", &name]);
        let ids: Vec<&str> = blame
            .lines()
            .filter_map(|line| line.split(' ').next())
            .filter(|word| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .collect();
        assert_eq!(ids.len(), lines.len(), "{name}");
        for (line, id) in lines.iter().zip(ids) {
            let line = line.as_ref().unwrap();
            assert!(line.time > 0 && !line.author.is_empty() && line.email.contains('@'));
            total += 1;
            same += usize::from(line.commit == id);
        }
    }
    // Blame follows a function to another file only where enough of it is copied; blank lines and
    // brackets are anybody's.
    assert!(total > 1000 && same * 100 >= total * 95, "{same} of {total}");
    let missing = FileLines { path: b"no/such".to_vec(), lines: vec![1] };
    let absent = FileLines { path: files[0].path.clone(), lines: vec![0, 1, 1_000_000] };
    let found = origins(&repo, tip, &[missing, absent], &Silent, &CancelToken::new()).unwrap();
    assert_eq!(found[0], [None]);
    assert!(found[1][0].is_none() && found[1][1].is_some() && found[1][2].is_none());
    let cancel = CancelToken::new();
    cancel.cancel();
    assert!(origins(&repo, tip, &files, &Silent, &cancel).is_err());
}
