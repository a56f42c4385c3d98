//! What several topics need: workspaces in fresh folders, and this binary started again as a child.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use barograph::{OpenArgs, Workspace, blocking::wait};

/// A folder that is removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        Folder::in_place(&std::env::temp_dir(), name)
    }

    /// A folder in memory where the system has that, for tests that write much and survive nothing.
    pub fn unsynced(name: &str) -> Folder {
        match Path::new("/dev/shm") {
            memory if memory.is_dir() => Folder::in_place(memory, name),
            _ => Folder::new(name),
        }
    }

    fn in_place(place: &Path, name: &str) -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = place.join(format!("barograph-{name}-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn store(&self) -> PathBuf {
        self.0.join("s.db")
    }

    /// A workspace on this folder's store.
    pub fn open(&self) -> Workspace {
        open(&self.0).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A workspace on the store in `folder`.
pub fn open(folder: &Path) -> barograph::Result<Workspace> {
    open_with(folder, OpenArgs::default())
}

/// As [`open`], with other arguments beside the place.
pub fn open_with(folder: &Path, args: OpenArgs) -> barograph::Result<Workspace> {
    wait(Workspace::open(OpenArgs {
        path: folder.display().to_string(),
        store: Some(folder.join("s.db").display().to_string()),
        ..args
    }))
}

pub fn in_memory() -> Workspace {
    wait(Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() })).unwrap()
}

/// Starts this binary again to run one ignored test as a program of its own; `folder` and `args`
/// reach it through [`child_args`].
pub fn child(test: &str, folder: &Path, args: &[&str]) -> Child {
    child_in(&[], test, folder, args)
}

/// As [`child`], with more in its environment.
pub fn child_in(environment: &[(&str, &str)], test: &str, folder: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"]);
    command.envs(environment.iter().copied());
    command.env("BAROGRAPH_TEST_FOLDER", folder).env("BAROGRAPH_TEST_ARGS", args.join(" "));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The folder and arguments that [`child`] was given; `None` where the test was not started by it.
pub fn child_args() -> Option<(PathBuf, Vec<String>)> {
    let folder = std::env::var_os("BAROGRAPH_TEST_FOLDER")?;
    let args = std::env::var("BAROGRAPH_TEST_ARGS").unwrap_or_default();
    Some((folder.into(), args.split(' ').map(str::to_owned).collect()))
}

/// Sends a signal to a process that a test has started.
pub fn kill(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status().unwrap().success());
}

/// The whole lines of a file; none where there is no file.
pub fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Waits at most 20 s for something to become true.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !is_so() {
        assert!(std::time::Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// Appends a line to the file `log` of a folder, and syncs it.
pub fn note(folder: &Path, line: &str) {
    use std::io::Write;
    let mut log = std::fs::File::options().append(true).create(true).open(folder.join("log")).unwrap();
    log.write_all(format!("{line}\n").as_bytes()).unwrap();
    log.sync_data().unwrap();
}
