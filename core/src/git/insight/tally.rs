//! Counts by author.

use super::touches::Touch;

/// What one author did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Part {
    pub person: u32,
    pub commits: u64,
    pub weighted: f64,
    pub added: u64,
    pub deleted: u64,
    /// The latest of the author's commits, by place in the order.
    pub last: u32,
}

/// Counts by author, emptied at little cost.
#[derive(Debug)]
pub(super) struct Tally {
    parts: Vec<Part>,
    /// By person: where in `parts` plus 1; 0 where not.
    at: Vec<u32>,
}

impl Tally {
    pub fn new(people: usize) -> Tally {
        Tally { parts: Vec::new(), at: vec![0; people] }
    }

    pub fn clear(&mut self) {
        for part in self.parts.drain(..) {
            self.at[part.person as usize] = 0;
        }
    }

    /// Adds a touch; `commit` says whether its commit was not counted yet.
    pub fn add(&mut self, person: u32, touch: &Touch, weight: f64, commit: bool) {
        let at = &mut self.at[person as usize];
        if *at == 0 {
            self.parts.push(Part { person, ..Part::default() });
            *at = self.parts.len() as u32;
        }
        let part = &mut self.parts[*at as usize - 1];
        if commit {
            part.commits += 1;
            part.weighted += weight;
        }
        part.added += u64::from(touch.added);
        part.deleted += u64::from(touch.deleted);
        part.last = part.last.max(touch.place);
    }

    /// What was counted: most commits first, of equals the one with more changed lines, then the one
    /// that is first by `name`.
    pub fn ranked<K: Ord>(&self, name: impl Fn(u32) -> K) -> Vec<Part> {
        let mut parts = self.parts.clone();
        parts.sort_by(|a, b| {
            (b.commits, b.added + b.deleted)
                .cmp(&(a.commits, a.added + a.deleted))
                .then_with(|| name(a.person).cmp(&name(b.person)))
        });
        parts
    }
}
