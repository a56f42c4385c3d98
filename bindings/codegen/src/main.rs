//! `cargo gen [--check]`: writes everything that is generated from the list of operations, or
//! compares it with what is committed.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's command, not a library"
)]

mod docs;
mod go;
mod model;
mod node;
mod python;
mod rust;
mod schemas;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A generated file: path from the repository's root, content.
type File = (String, String);

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned).unwrap_or_default();
    let files = match generate(&root) {
        Ok(files) => files,
        Err(error) => {
            eprintln!("cargo gen: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut stale: Vec<PathBuf> = Vec::new();
    for (path, content) in &files {
        let path = root.join(path);
        if std::fs::read_to_string(&path).is_ok_and(|current| &current == content) {
            continue;
        }
        if !check {
            let written = std::fs::create_dir_all(path.parent().unwrap_or(&root))
                .and_then(|()| std::fs::write(&path, content));
            if let Err(error) = written {
                eprintln!("cargo gen: {}: {error}", path.display());
                return ExitCode::FAILURE;
            }
        }
        stale.push(path);
    }
    for path in &stale {
        println!(
            "{} {}",
            if check { "differs" } else { "wrote" },
            path.strip_prefix(&root).unwrap_or(path).display()
        );
    }
    if check && !stale.is_empty() {
        eprintln!(
            "cargo gen --check: {} of {} files differ; run `cargo gen` and commit",
            stale.len(),
            files.len()
        );
        return ExitCode::FAILURE;
    }
    println!("{} generated files are up to date", files.len());
    ExitCode::SUCCESS
}

fn generate(root: &Path) -> Result<Vec<File>, String> {
    let description = barograph::describe();
    let model = model::Model::from(&description)?;
    let mut files = schemas::files(&description, &model);
    files.push(docs::languages(root)?);
    files.extend(rust::files(&model));
    files.extend(python::files(&model));
    files.extend(node::files(&model));
    files.extend(go::files(&model));
    Ok(files)
}
