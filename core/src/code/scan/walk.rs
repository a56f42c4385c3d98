//! The files below folders: ignored ones left out, links not followed, in order.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

use super::Request;
use super::facts::FileFacts;
use super::recognise::{ByName, by_name};
use crate::base::cancel::CancelToken;
use crate::code::record::{SkipReason, SkippedFile};
use crate::error::{Error, Result};

/// Hidden folders in which projects keep code of their own.
const KNOWN_HIDDEN: &[&str] = &[".ci", ".circleci", ".github", ".gitlab", ".husky"];

/// Folders of other people's code, by name, in lower case.
const VENDORED: &[&str] = &[
    "3rdparty",
    "3rd-party",
    "3rd_party",
    "_vendor",
    "bower_components",
    "godeps",
    "jspm_packages",
    "node_modules",
    "site-packages",
    "third-party",
    "third_party",
    "thirdparty",
    "vendor",
    "vendored",
    "vendors",
];

/// A file that was met.
#[derive(Debug)]
pub(super) struct Met {
    /// The path in answers.
    pub path: String,
    /// Where it is.
    pub file: PathBuf,
    /// Whether the caller named it.
    pub named: bool,
    /// Whether it lies in a folder of other people's code.
    pub vendored: bool,
    /// What its name says.
    pub name: ByName,
    /// What is known from outside.
    pub facts: FileFacts,
    /// What the system says of it.
    pub metadata: std::fs::Metadata,
}

/// Everything that was met.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Files that may be code, sorted by path.
    pub files: Vec<Met>,
    /// What could not be read, and folders that were passed over.
    pub skipped: Vec<SkippedFile>,
    /// Files that are no code by their name.
    pub unknown: u64,
}

/// Lists the files that `request` asks for.
///
/// Errors: `path.missing` for a path at which there is nothing, `call.cancelled`.
pub(super) fn walk(request: &mut Request<'_>, cancel: &CancelToken) -> Result<Walked> {
    let mut found =
        Found { top: request.top.to_owned(), include: request.include_generated, ..Found::default() };
    if request.paths.is_empty() {
        found.folder(request.top, cancel)?;
    }
    for path in request.paths {
        cancel.check()?;
        let place = locate(request.top, request.from, path)?;
        match std::fs::metadata(&place) {
            Ok(metadata) if metadata.is_dir() => found.folder(&place, cancel)?,
            Ok(metadata) if metadata.is_file() => found.file(place, true, false, Some(metadata)),
            Ok(_) => found.unreadable(&place, "it is no file"),
            Err(error) => found.unreadable(&place, &error.to_string()),
        }
    }
    let mut walked = Walked { skipped: found.skipped, unknown: found.unknown, ..Walked::default() };
    walked.files.extend(found.files.into_values());
    if let Some(outside) = &mut request.outside {
        for met in &mut walked.files {
            if let Ok(inside) = met.file.strip_prefix(request.top) {
                met.facts = outside.facts(&bytes_of(inside));
            }
        }
    }
    Ok(walked)
}

/// The path with every link in it resolved, where there is something.
fn locate(top: &Path, from: &Path, path: &str) -> Result<PathBuf> {
    let given = Path::new(path);
    for place in [from.join(given), top.join(given)] {
        match place.canonicalize() {
            Ok(place) => return Ok(place),
            // What is there and cannot be looked at is met, and skipped for that.
            Err(_) if place.symlink_metadata().is_ok() => return Ok(place),
            Err(_) => {}
        }
    }
    Err(Error::new(
        "path.missing",
        format!(
            "there is nothing at `{path}`; name a file or a folder below `{}`, or an absolute path",
            from.display()
        ),
    )
    .with("path", path))
}

#[derive(Default)]
struct Found {
    top: PathBuf,
    include: bool,
    files: BTreeMap<PathBuf, Met>,
    skipped: Vec<SkippedFile>,
    unknown: u64,
}

impl Found {
    fn folder(&mut self, folder: &Path, cancel: &CancelToken) -> Result<()> {
        let mut builder = WalkBuilder::new(folder);
        builder
            .hidden(false)
            .ignore(false)
            .git_global(false)
            .follow_links(false)
            .require_git(true)
            .parents(true)
            .filter_entry(|entry| {
                let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
                entry.depth() == 0
                    || !is_folder
                    || !is_hidden(entry.file_name())
                    || is_known(entry.file_name())
            });
        for entry in builder.build() {
            cancel.check()?;
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    let vendored = entry.path().strip_prefix(folder).is_ok_and(is_vendored);
                    self.file(entry.into_path(), false, vendored, None);
                }
                Ok(_) => {}
                Err(error) => {
                    let path = place_of(&error).unwrap_or(folder).to_owned();
                    self.unreadable(&path, &error.to_string());
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, file: PathBuf, named: bool, vendored: bool, metadata: Option<std::fs::Metadata>) {
        let name = by_name(file.file_name().unwrap_or_default());
        let hidden = file.file_name().is_some_and(is_hidden);
        if name == ByName::Unknown || (hidden && !named && name == ByName::Shebang) {
            self.unknown += u64::from(named || !hidden);
            return;
        }
        if self.files.get(&file).is_some_and(|known| known.named) {
            return;
        }
        let metadata = match metadata.map_or_else(|| std::fs::symlink_metadata(&file), Ok) {
            Ok(metadata) => metadata,
            // Deleted since the folder was listed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => return self.unreadable(&file, &error.to_string()),
        };
        let path = self.shown(&file);
        self.files.insert(
            file.clone(),
            Met { path, file, named, vendored, name, facts: FileFacts::default(), metadata },
        );
    }

    fn unreadable(&mut self, path: &Path, why: &str) {
        let message = format!("it cannot be read: {why}");
        self.skipped.push(SkippedFile { path: self.shown(path), reason: SkipReason::Unreadable, message });
    }

    fn shown(&self, path: &Path) -> String {
        shown(&self.top, path)
    }
}

/// The path in answers.
pub(super) fn shown(top: &Path, path: &Path) -> String {
    let text = path.strip_prefix(top).unwrap_or(path).to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

/// The path's bytes, `/` between components.
pub(super) fn bytes_of(path: &Path) -> Vec<u8> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        path.as_os_str().as_bytes().to_vec()
    }
    #[cfg(not(unix))]
    {
        path.to_string_lossy().replace('\\', "/").into_bytes()
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}

fn is_known(name: &OsStr) -> bool {
    KNOWN_HIDDEN.iter().any(|known| name == *known)
}

/// Whether one of the folders of a path bears a name of those that hold other people's code.
pub fn is_vendored(path: &Path) -> bool {
    path.parent().into_iter().flat_map(Path::components).any(|part| {
        part.as_os_str()
            .to_str()
            .is_some_and(|name| VENDORED.iter().any(|known| name.eq_ignore_ascii_case(known)))
    })
}

fn place_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => place_of(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}
