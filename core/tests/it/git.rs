//! Real git repositories, made for a test with the git executable.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use barograph::{OpenArgs, Workspace};

/// A folder that goes with its owner.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("barograph-{}-{number}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs git in `folder`, independent of the machine's configuration.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    git_at(folder, 0, arguments)
}

/// Runs git with `minutes` after a fixed date as the time of what it makes.
pub fn git_at(folder: &Path, minutes: u32, arguments: &[&str]) -> String {
    let date = format!("{} +0000", 1_600_000_000 + u64::from(minutes) * 60);
    let output = Command::new("git")
        .args(["-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Ann")
        .env("GIT_AUTHOR_EMAIL", "ann@example.org")
        .env("GIT_COMMITTER_NAME", "Ann")
        .env("GIT_COMMITTER_EMAIL", "ann@example.org")
        .env("GIT_AUTHOR_DATE", &date)
        .env("GIT_COMMITTER_DATE", &date)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A clone of a bundle among the fixtures.
pub fn clone_of(fixture: &str, folder: &Folder) -> PathBuf {
    let bundle =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures").join(fixture).join("repo.bundle");
    git(folder.path(), &["clone", "-q", "-b", "main", bundle.to_str().unwrap(), "clone"]);
    folder.path().join("clone")
}

/// A workspace on a repository, with everything in memory.
pub async fn open(path: &Path) -> barograph::Result<Workspace> {
    let args = OpenArgs { path: path.display().to_string(), in_memory: true, ..OpenArgs::default() };
    Workspace::open(args).await
}
