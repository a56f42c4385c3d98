//! The files below folders: ignored ones left out, links not followed, in order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::WalkBuilder;
use serde::{Deserialize, Serialize};

use super::Request;
use super::facts::{FileFacts, Outside};
use super::recognise::{Around, ByName, by_name};
use crate::base::cancel::CancelToken;
use crate::base::clock::Clock;
use crate::code::language::Language;
use crate::code::record::{SkipReason, SkippedFile};
use crate::error::{Error, Result};

/// Hidden folders in which projects keep code of their own.
const KNOWN_HIDDEN: &[&str] = &[".ci", ".circleci", ".github", ".gitlab", ".husky"];

/// The files in which git keeps attributes.
const ATTRIBUTES: &str = ".gitattributes";

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

/// What the system says of a file: another text would show in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Size in bytes.
    pub size: u64,
    /// When the text was changed last, in nanoseconds since the Unix epoch.
    pub modified: i64,
    /// When anything of the file was changed last; 0 where the system does not tell.
    pub changed: i64,
    /// The file's number in its file system; 0 where there is none.
    pub inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let time = |seconds: i64, nanoseconds: i64| {
                seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds)
            };
            Stamp {
                size: metadata.len(),
                modified: time(metadata.mtime(), metadata.mtime_nsec()),
                changed: time(metadata.ctime(), metadata.ctime_nsec()),
                inode: metadata.ino(),
            }
        }
        #[cfg(not(unix))]
        {
            let since =
                metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            let modified = since.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(0));
            Stamp { size: metadata.len(), modified, ..Stamp::default() }
        }
    }

    /// Whether the file was at rest for long enough before `now_ms` that a change after it gets another time,
    /// however coarse the file system's clock is.
    fn is_settled(&self, now_ms: i64) -> bool {
        self.modified.max(self.changed) / 1_000_000 + AT_REST_MS < now_ms
    }
}

/// File systems count time in steps of up to two seconds.
const AT_REST_MS: i64 = 2_000;

/// A file that was met.
#[derive(Debug)]
pub(super) struct Met {
    /// The path in answers.
    pub path: String,
    /// Where it is.
    pub file: PathBuf,
    /// Whether the caller named it.
    pub named: bool,
    /// What its name says.
    pub name: ByName,
    /// Whether it is a header among C++ files.
    pub among_cpp: bool,
    /// What is known from outside.
    pub facts: FileFacts,
    /// What the system says of it.
    pub stamp: Stamp,
    /// Whether the stamp can be trusted the next time.
    pub settled: bool,
}

impl Met {
    /// What is known of it besides its text.
    pub fn around(&self) -> Around<'_> {
        let file_name = self.path.rsplit('/').next().unwrap_or_default();
        Around { file_name, name: self.name, among_cpp: self.among_cpp, facts: &self.facts }
    }
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
    let mut found = Found {
        top: request.top,
        include_vendored: request.include_generated,
        // Else nobody can say of a file what its name does not.
        attributes: request.outside.as_ref().map(|outside| outside.is_mentioned()),
        unnamed: Vec::new(),
        now_ms: Clock::system().now_ms(),
        files: BTreeMap::new(),
        vendored: BTreeMap::new(),
        walked: Walked::default(),
    };
    if request.paths.is_empty() {
        found.folder(request.top, cancel)?;
    }
    for path in request.paths {
        cancel.check()?;
        let place = locate(request.top, request.from, path)?;
        match std::fs::metadata(&place) {
            Ok(metadata) if metadata.is_dir() => found.folder(&place, cancel)?,
            Ok(metadata) if metadata.is_file() => found.named(place, &metadata),
            Ok(_) => found.unreadable(&place, "it is no file"),
            Err(error) => found.unreadable(&place, &error.to_string()),
        }
    }
    Ok(found.end(request))
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

struct Found<'a> {
    top: &'a Path,
    include_vendored: bool,
    /// Whether attributes were met that say what linguist wants to know; `None` where nothing can say it.
    attributes: Option<bool>,
    /// Files whose name says nothing.
    unnamed: Vec<PathBuf>,
    now_ms: i64,
    /// By path in answers: sorted, and each once. Beside it the folder of other people's code that it lies in.
    files: BTreeMap<Vec<u8>, Met>,
    /// Folders of other people's code, by the files in them.
    vendored: BTreeMap<Vec<u8>, PathBuf>,
    walked: Walked,
}

impl Found<'_> {
    fn folder(&mut self, folder: &Path, cancel: &CancelToken) -> Result<()> {
        self.attributes_above(folder);
        let passed: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
        let note = Arc::clone(&passed);
        let (everything, may_be_ours) = (self.include_vendored, self.attributes.is_some());
        let start = folder.to_owned();
        let mut builder = WalkBuilder::new(folder);
        builder
            .hidden(false)
            .ignore(false)
            .git_global(false)
            .follow_links(false)
            .require_git(true)
            .parents(true)
            .filter_entry(move |entry| {
                if entry.depth() == 0 || !entry.file_type().is_some_and(|kind| kind.is_dir()) {
                    return true;
                }
                let name = entry.file_name();
                // Attributes above it may call it ours.
                let enter = || everything || (may_be_ours && has_attributes_above(&start, entry.path()));
                if is_vendored_name(name) && !enter() {
                    note.lock().unwrap_or_else(PoisonError::into_inner).push(entry.path().to_owned());
                    return false;
                }
                !is_hidden(name) || KNOWN_HIDDEN.iter().any(|known| name == *known)
            });
        for entry in builder.build() {
            cancel.check()?;
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    let vendored = match self.include_vendored {
                        true => None,
                        false => vendored_folder(folder, entry.path()),
                    };
                    self.met(entry.into_path(), vendored);
                }
                Ok(_) => {}
                Err(error) => {
                    let path = place_of(&error).unwrap_or(folder).to_owned();
                    self.unreadable(&path, &error.to_string());
                }
            }
        }
        for folder in passed.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            self.pass_over(&folder);
        }
        Ok(())
    }

    /// A file that the caller named.
    fn named(&mut self, file: PathBuf, metadata: &Metadata) {
        let name = by_name(file.file_name().unwrap_or_default());
        self.attributes_above(&file);
        if name == ByName::Unknown {
            self.walked.unknown += 1;
            self.unnamed.push(file);
            return;
        }
        let among_cpp = name == ByName::Header && is_among_cpp(&file);
        self.add(file, name, true, among_cpp, metadata);
    }

    /// A file that a folder holds.
    fn met(&mut self, file: PathBuf, vendored: Option<PathBuf>) {
        let file_name = file.file_name().unwrap_or_default();
        let name = by_name(file_name);
        if is_hidden(file_name) && matches!(name, ByName::Unknown | ByName::Shebang) {
            if file_name == ATTRIBUTES {
                self.note_attributes(&file);
            }
            return;
        }
        if name == ByName::Unknown {
            self.walked.unknown += 1;
            if self.attributes.is_some() && vendored.is_none() {
                self.unnamed.push(file);
            }
            return;
        }
        match std::fs::symlink_metadata(&file) {
            Ok(metadata) => {
                if let Some(folder) = vendored {
                    self.vendored.insert(self.key(&file), folder);
                }
                self.add(file, name, false, false, &metadata);
            }
            // Deleted since the folder was listed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => self.unreadable(&file, &error.to_string()),
        }
    }

    fn add(&mut self, file: PathBuf, name: ByName, named: bool, among_cpp: bool, metadata: &Metadata) {
        let key = self.key(&file);
        if !named && self.files.contains_key(&key) {
            return;
        }
        let stamp = Stamp::of(metadata);
        let settled = stamp.is_settled(self.now_ms);
        let path = shown(self.top, &file);
        let facts = FileFacts::default();
        self.files.insert(key, Met { path, file, named, name, among_cpp, facts, stamp, settled });
    }

    fn key(&self, file: &Path) -> Vec<u8> {
        bytes_of(file.strip_prefix(self.top).unwrap_or(file))
    }

    fn unreadable(&mut self, path: &Path, why: &str) {
        let message = format!("it cannot be read: {why}");
        let path = shown(self.top, path);
        self.walked.skipped.push(SkippedFile { path, reason: SkipReason::Unreadable, message });
    }

    fn pass_over(&mut self, folder: &Path) {
        self.walked.skipped.push(SkippedFile {
            path: shown(self.top, folder),
            reason: SkipReason::Vendored,
            message: "its files are somebody else's code, by the folder's name".to_owned(),
        });
    }

    /// Asks of every file below the top what is known of it from outside.
    fn ask(&mut self, outside: &mut dyn Outside) {
        for file in std::mem::take(&mut self.unnamed) {
            let Ok(inside) = file.strip_prefix(self.top) else { continue };
            let known = outside.facts(&bytes_of(inside)).language;
            if known.is_some_and(|name| Language::of_linguist(&name).is_some())
                && let Ok(metadata) = std::fs::symlink_metadata(&file)
            {
                self.walked.unknown -= 1;
                self.add(file, ByName::Unknown, false, false, &metadata);
            }
        }
        for (key, met) in &mut self.files {
            if met.file.starts_with(self.top) {
                met.facts = outside.facts(key);
            }
        }
    }

    /// Notes the attributes of the folders from the top down to `folder`.
    fn attributes_above(&mut self, folder: &Path) {
        if self.attributes == Some(false) {
            let above = folder.ancestors().skip(1).take_while(|above| above.starts_with(self.top));
            let files: Vec<PathBuf> = above.map(|above| above.join(ATTRIBUTES)).collect();
            files.iter().for_each(|file| self.note_attributes(file));
        }
    }

    fn note_attributes(&mut self, file: &Path) {
        if self.attributes == Some(false) {
            let says = |text: Vec<u8>| text.windows(9).any(|part| part == b"linguist-");
            self.attributes = Some(std::fs::read(file).is_ok_and(says));
        }
    }

    /// Everything that was met, with what is known from outside of it.
    fn end(mut self, request: &mut Request<'_>) -> Walked {
        if self.attributes == Some(true)
            && let Some(outside) = &mut request.outside
        {
            self.ask(*outside);
        }
        let mut passed = BTreeSet::new();
        if !request.include_generated {
            let vendored = std::mem::take(&mut self.vendored);
            self.files.retain(|key, met| match vendored.get(key) {
                Some(folder) if met.facts.vendored.is_none() && !met.named => {
                    passed.insert(folder.clone());
                    false
                }
                _ => true,
            });
        }
        passed.iter().for_each(|folder| self.pass_over(folder));
        among_cpp(&mut self.files);
        self.walked.files = self.files.into_values().collect();
        self.walked
    }
}

/// Notes of every header whether C++ files and no C files lie beside it.
fn among_cpp(files: &mut BTreeMap<Vec<u8>, Met>) {
    let mut folders: HashMap<PathBuf, (bool, bool)> = HashMap::new();
    if !files.values().any(|met| met.name == ByName::Header) {
        return;
    }
    for met in files.values() {
        let place = match met.name {
            ByName::Language(Language::C) => (true, false),
            ByName::Language(Language::Cpp) => (false, true),
            _ => continue,
        };
        if let Some(folder) = met.file.parent() {
            let known = folders.entry(folder.to_owned()).or_default();
            *known = (known.0 | place.0, known.1 | place.1);
        }
    }
    for met in files.values_mut().filter(|met| met.name == ByName::Header && !met.named) {
        met.among_cpp =
            met.file.parent().and_then(|folder| folders.get(folder)).is_some_and(|(c, cpp)| !c && *cpp);
    }
}

/// Whether C++ files and no C files lie beside a header.
pub(super) fn is_among_cpp(header: &Path) -> bool {
    let (mut c, mut cpp) = (false, false);
    let entries = header.parent().and_then(|folder| std::fs::read_dir(folder).ok());
    for entry in entries.into_iter().flatten().flatten() {
        let name = by_name(&entry.file_name());
        c |= name == ByName::Language(Language::C);
        cpp |= name == ByName::Language(Language::Cpp);
    }
    !c && cpp
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

/// Whether one of the folders of a path bears a name of those that hold other people's code.
pub fn is_vendored(path: &Path) -> bool {
    path.parent().into_iter().flat_map(Path::components).any(|part| is_vendored_name(part.as_os_str()))
}

fn is_vendored_name(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| VENDORED.iter().any(|known| name.eq_ignore_ascii_case(known)))
}

/// The folder of other people's code, between `folder` and `file`, that the file lies in.
fn vendored_folder(folder: &Path, file: &Path) -> Option<PathBuf> {
    let mut place = folder.to_owned();
    for part in file.parent()?.strip_prefix(folder).ok()?.components() {
        place.push(part);
        if is_vendored_name(part.as_os_str()) {
            return Some(place);
        }
    }
    None
}

/// Whether a folder from `start` down to `folder` has attributes.
fn has_attributes_above(start: &Path, folder: &Path) -> bool {
    folder
        .ancestors()
        .take_while(|above| above.starts_with(start))
        .any(|above| above.join(ATTRIBUTES).exists())
}

fn place_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => place_of(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}
