//! What the tests of the built command share.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The command with these arguments, in no colour and without input.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_barograph"));
    command.args(args).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn run(args: &[&str]) -> Output {
    command(args).output().expect("the command starts")
}

/// What it wrote.
pub fn out(done: &Output) -> String {
    String::from_utf8(done.stdout.clone()).expect("UTF-8")
}

/// What it said of an error.
pub fn err(done: &Output) -> String {
    String::from_utf8(done.stderr.clone()).expect("UTF-8")
}

/// Its exit status, -1 where a signal ended it.
pub fn status(done: &Output) -> i32 {
    done.status.code().unwrap_or(-1)
}

/// An empty folder outside of every repository, removed at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    /// A fresh one.
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("barograph-command-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// Its path.
    pub fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
