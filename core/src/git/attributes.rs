//! What `.gitattributes` say of files, in linguist's words; only the repository's own are read.

use gix::attrs::StateRef;
use gix::attrs::search::Outcome;
use gix::bstr::{BStr, ByteSlice};
use gix::worktree::stack::state::attributes::Source;

use super::repository::Repository;
use crate::code::scan::{FileFacts, Outside};

const NAMES: [&str; 4] =
    ["linguist-language", "linguist-generated", "linguist-vendored", "linguist-detectable"];

/// The attributes of the files of a work tree.
pub struct Attributes {
    repo: gix::Repository,
    /// Made when it is first asked for: most repositories say nothing in these words.
    state: Option<State>,
}

struct State {
    stack: gix::worktree::Stack,
    outcome: Outcome,
}

impl Attributes {
    /// The attributes of `repo`; nothing is read yet.
    pub fn of(repo: &Repository) -> Attributes {
        Attributes { repo: repo.local(), state: None }
    }

    fn state(&mut self) -> Option<&mut State> {
        if self.state.is_none() {
            // The index would only tell of files that are not checked out.
            let index = gix::index::State::new(self.repo.object_hash());
            let stack = self.repo.attributes_only(&index, Source::WorktreeThenIdMapping).ok()?;

            let outcome = stack.selected_attribute_matches(NAMES);
            self.state = Some(State { stack: stack.detach(), outcome });
        }
        self.state.as_mut()
    }
}

impl Outside for Attributes {
    fn is_mentioned(&self) -> bool {
        let file = self.repo.common_dir().join("info").join("attributes");
        std::fs::read(file).is_ok_and(|text| text.find("linguist-").is_some())
    }

    fn facts(&mut self, path: &[u8]) -> FileFacts {
        let mut facts = FileFacts::default();
        let objects = self.repo.objects.clone();
        let Some(State { stack, outcome }) = self.state() else { return facts };
        // What cannot be read says nothing.
        let Ok(platform) = stack.at_path(BStr::new(path), None, &objects) else { return facts };
        if !platform.matching_attributes(outcome) {
            return facts;
        }
        for found in outcome.iter_selected() {
            let state = found.assignment.state;
            let truth = match state {
                StateRef::Set => Some(true),
                StateRef::Unset => Some(false),
                StateRef::Value(value) => match value.as_bstr().as_bytes() {
                    b"true" => Some(true),
                    b"false" => Some(false),
                    _ => None,
                },
                StateRef::Unspecified => None,
            };
            match found.assignment.name.as_str() {
                "linguist-language" => {
                    if let StateRef::Value(value) = state {
                        facts.language = Some(value.as_bstr().to_string());
                    }
                }
                "linguist-generated" => facts.generated = truth,
                "linguist-vendored" => facts.vendored = truth,
                "linguist-detectable" => facts.detectable = truth,
                _ => {}
            }
        }
        facts
    }
}
