//! The files of a commit: their paths and contents by id, and which of them nobody writes by hand.

use std::collections::HashSet;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};

use super::super::read::Reader;
use super::super::repository::Repository;
use super::super::tree::{differing, is_regular};
use crate::code::scan::{is_generated_name, is_vendored};
use crate::error::{Error, Result};

/// A small file that says how to read the others is never larger.
const SMALL: u64 = 4 << 20;

/// Where commits are named that are not to blame.
const IGNORED: &str = ".git-blame-ignore-revs";

/// A file of the tip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::git) struct TipFile {
    pub path: BString,
    pub id: ObjectId,
    pub generated: bool,
    pub vendored: bool,
}

/// The plain files of a commit, sorted by path, and what it says of its authors.
#[derive(Debug)]
pub(in crate::git) struct Tip {
    pub files: Vec<TipFile>,
    /// Committer time, seconds since the Unix epoch.
    pub time: i64,
    /// The content of `.mailmap`; empty where there is none.
    pub mailmap: Vec<u8>,
    /// The commits that `.git-blame-ignore-revs` names.
    pub ignored: HashSet<ObjectId>,
}

impl Tip {
    /// Reads the trees of `tip` and its small files.
    ///
    /// Errors: `git.object_missing` where some of its trees are not in this clone.
    pub fn read(repo: &Repository, tip: ObjectId) -> Result<Tip> {
        let missing = || {
            Error::new(
                "git.object_missing",
                format!("the tree of `{tip}` is not wholly in this clone; fetch it"),
            )
            .with("id", tip)
        };
        let mut reader = repo.reader();
        let head = reader.commit(&tip).ok_or_else(missing)?;
        let mut found = Vec::new();
        differing(&mut reader, None, Some(head.tree), &mut found).ok_or_else(missing)?;
        let mut files: Vec<TipFile> = found
            .into_iter()
            .filter_map(|file| file.new.map(|(mode, id)| (mode, id, file.path)))
            .filter(|(mode, ..)| is_regular(*mode))
            .map(|(_, id, path)| TipFile {
                generated: is_generated(path.as_ref()),
                vendored: is_vendored_folder(path.as_ref()),
                path,
                id,
            })
            .collect();
        // A tree's order puts a folder `a/` behind a file `a.b`; paths are sorted by their bytes.
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Attributes::read(&mut reader, &files).apply(&mut files);
        let mut top = |name: &str| {
            let at = files.binary_search_by(|file| file.path.as_bstr().cmp(BStr::new(name))).ok()?;
            small(&mut reader, &files[at].id)
        };
        let mailmap = top(".mailmap").unwrap_or_default();
        let ignored = top(IGNORED).map(|text| revisions(&text)).unwrap_or_default();
        Ok(Tip { files, time: head.time, mailmap, ignored })
    }
}

fn small(reader: &mut Reader, id: &ObjectId) -> Option<Vec<u8>> {
    reader.size(id).filter(|size| *size <= SMALL)?;
    reader.blob(id).map(|blob| blob.data.to_vec())
}

/// One whole id in each line; `#` begins a comment, as in git.
fn revisions(text: &[u8]) -> HashSet<ObjectId> {
    text.lines()
        .filter_map(|line| line.split(|byte| *byte == b'#').next())
        .filter_map(|line| ObjectId::from_hex(line.trim()).ok())
        .collect()
}

/// Names of data that tools write.
const GENERATED_NAMES: &[&str] = &[
    "cargo.lock",
    "composer.lock",
    "flake.lock",
    "gemfile.lock",
    "go.sum",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pdm.lock",
    "pipfile.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "pubspec.lock",
    "uv.lock",
    "yarn.lock",
];

/// Endings of what is built from other files of the tree.
const GENERATED_ENDINGS: &[&str] = &[".min.css", ".min.js", ".min.mjs", ".css.map", ".js.map", ".snap"];

/// Beside code, data that tools write counts here: lock files are the most often changed files of all.
fn is_generated(path: &BStr) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_str_lossy();
    let lower = name.to_ascii_lowercase();
    is_generated_name(&name)
        || GENERATED_NAMES.contains(&lower.as_str())
        || GENERATED_ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

fn is_vendored_folder(path: &BStr) -> bool {
    // Deeper down a folder `deps` is as often somebody's own code.
    path.starts_with(b"deps/") || is_vendored(std::path::Path::new(&*path.to_str_lossy()))
}

/// What the tip's `.gitattributes` say; nothing outside of the tip is asked.
struct Attributes {
    search: gix::attrs::Search,
    names: gix::attrs::search::MetadataCollection,
    any: bool,
}

/// The attributes that matter: whether they say that the file is generated, else that it is vendored.
const ATTRIBUTES: [(&str, bool); 4] =
    [("linguist-generated", true), ("generated", true), ("linguist-vendored", false), ("vendored", false)];

impl Attributes {
    fn read(reader: &mut Reader, files: &[TipFile]) -> Attributes {
        let mut all = Attributes {
            search: gix::attrs::Search::default(),
            names: gix::attrs::search::MetadataCollection::default(),
            any: false,
        };
        let mut sources: Vec<&TipFile> = files
            .iter()
            .filter(|file| file.path == ".gitattributes" || file.path.ends_with(b"/.gitattributes"))
            .collect();
        // What stands deeper is asked first: it comes later.
        sources.sort_by_key(|file| file.path.find_iter(b"/").count());
        for file in sources {
            let Some(text) = small(reader, &file.id) else { continue };
            if !text.contains_str("generated") && !text.contains_str("vendored") {
                continue;
            }
            let source = std::path::PathBuf::from(file.path.to_str_lossy().into_owned());
            let top = file.path == ".gitattributes";
            let added = self::add(&mut all, &text, source, top);
            all.any |= added;
        }
        all
    }

    fn apply(&self, files: &mut [TipFile]) {
        if !self.any {
            return;
        }
        let mut outcome = gix::attrs::search::Outcome::default();
        outcome.initialize_with_selection(&self.names, ATTRIBUTES.iter().map(|(name, _)| *name));
        for file in files {
            outcome.reset();
            let case = gix::glob::pattern::Case::Sensitive;
            if !self.search.pattern_matching_relative_path(
                file.path.as_ref(),
                case,
                Some(false),
                &mut outcome,
            ) {
                continue;
            }
            for found in outcome.iter_selected() {
                let state = match found.assignment.state {
                    gix::attrs::StateRef::Set => true,
                    gix::attrs::StateRef::Unset => false,
                    gix::attrs::StateRef::Value(value) => !value.as_bstr().eq_ignore_ascii_case(b"false"),
                    gix::attrs::StateRef::Unspecified => continue,
                };
                let name = found.assignment.name.as_str();
                match ATTRIBUTES.iter().find(|(known, _)| *known == name) {
                    Some((_, true)) => file.generated = state,
                    Some((_, false)) => file.vendored = state,
                    None => {}
                }
            }
        }
    }
}

fn add(all: &mut Attributes, text: &[u8], source: std::path::PathBuf, top: bool) -> bool {
    // The root only tells where the patterns are relative to; nothing is read from there.
    let root = std::path::Path::new("");
    all.search.add_patterns_buffer(text, source, Some(root), &mut all.names, top).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_generated_files() {
        for path in
            ["a/package-lock.json", "go.sum", "api/x.pb.go", "x_pb2.py", "a/Cargo.lock", "zz_generated.x.go"]
        {
            assert!(is_generated(path.into()), "{path}");
        }
        for path in ["a/lock.rs", "generate.py", "pb.go", "yarn.lock/readme.md", "package.json"] {
            assert!(!is_generated(path.into()), "{path}");
        }
    }

    #[test]
    fn folders_of_vendored_files() {
        for path in ["deps/lua/x.c", "a/node_modules/b.js", "Vendor/x.go", "a/b/third_party/c/d.h"] {
            assert!(is_vendored_folder(path.into()), "{path}");
        }
        for path in ["src/deps.rs", "src/deps/x.rs", "vendor", "vending/x.go", "src/dependency/x.c"] {
            assert!(!is_vendored_folder(path.into()), "{path}");
        }
    }

    fn marked(sources: &[(&str, &str)], paths: &[&str]) -> Vec<(bool, bool)> {
        let mut all = Attributes {
            search: gix::attrs::Search::default(),
            names: gix::attrs::search::MetadataCollection::default(),
            any: true,
        };
        for (path, text) in sources {
            assert!(add(&mut all, text.as_bytes(), path.into(), *path == ".gitattributes"));
        }
        let mut files: Vec<TipFile> = paths
            .iter()
            .map(|path| TipFile {
                path: (*path).into(),
                id: gix::hash::Kind::Sha1.null(),
                generated: *path == "go.sum",
                vendored: false,
            })
            .collect();
        all.apply(&mut files);
        files.iter().map(|file| (file.generated, file.vendored)).collect()
    }

    #[test]
    fn attributes_of_the_tip_have_the_last_word() {
        let top = ".gitattributes";
        let sources = [
            (top, "*.gen.c linguist-generated\nlib/** linguist-vendored=true\ngo.sum -linguist-generated\n"),
            ("sub/.gitattributes", "x.gen.c linguist-generated=false\nown/*.c generated\n"),
        ];
        assert_eq!(
            marked(&sources, &["a.gen.c", "lib/z/y.c", "go.sum", "sub/x.gen.c", "sub/own/q.c", "own/q.c"]),
            [(true, false), (false, true), (false, false), (false, false), (true, false), (false, false)]
        );
    }

    #[test]
    fn ids_of_ignored_revisions() {
        let (a, b) = ("1".repeat(40), "2".repeat(40));
        let text = format!("# reformat\n{a} # trailing\n\n  {b}\nshort\n#{}\n", "3".repeat(40));
        let found = revisions(text.as_bytes());
        assert_eq!(found.len(), 2);
        assert!(found.contains(&ObjectId::from_hex(a.as_bytes()).unwrap()));
    }
}
