//! Duplicated blocks across files: runs of tokens that are equal but for layout, comments and imports
//! (clones of type 1), if asked for also but for names and literals (type 2).
//!
//! Three steps, all linear or nearly so. Fingerprints of short runs (winnowing: Schleimer, Wilkerson and
//! Aiken 2003) tell which stretches can hold a duplicate at all; a suffix array over these gives every
//! repeat that cannot be made longer; of these, longest first, each one is kept that has a place which
//! the longer ones do not cover already.

mod answer;
pub mod record;
mod suffix;
mod token;

use std::collections::HashMap;

pub use self::answer::{Tokenise, answer};
use self::suffix::{shared_prefixes, suffix_array};
pub use self::token::Tokens;
use self::token::{BEGINS, CLASS, ENDS, LITERAL, NAME};
use super::metrics::functions;
use super::parse::Parsed;
use crate::base::cancel::CancelToken;
use crate::error::{Error, Result};

/// The shortest duplicate that can be asked for, in tokens.
pub const SHORTEST: usize = 20;

/// Most tokens that are looked at in one call: about a hundred million lines.
const MOST: usize = 1 << 30;

/// Reads the tokens of a file; everything that the search needs of it.
///
/// Errors: `call.cancelled`.
pub fn tokens(parsed: &Parsed<'_>, cancel: &CancelToken) -> Result<Tokens> {
    let mut tokens = token::tokens(parsed, cancel)?;
    let line = |line: u64| u32::try_from(line).unwrap_or(u32::MAX);
    let functions = functions(parsed).into_iter();
    tokens.functions = functions.map(|one| (line(one.line), line(one.end_line), one.qualified)).collect();
    tokens.functions.sort_unstable();
    Ok(tokens)
}

/// What counts as a duplicate.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// The shortest one, in tokens, from [`SHORTEST`].
    pub min_tokens: usize,
    /// Whether names may differ.
    pub ignore_names: bool,
    /// Whether literals may differ.
    pub ignore_literals: bool,
}

impl Settings {
    /// Errors: `args.invalid` for a `min_tokens` below [`SHORTEST`].
    pub fn check(self) -> Result<()> {
        if self.min_tokens < SHORTEST {
            return Err(Error::new(
                "args.invalid",
                format!("`min_tokens` must be {SHORTEST} at least; it is {}", self.min_tokens),
            ));
        }
        Ok(())
    }
}

/// Equal runs of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// How long they are.
    pub tokens: usize,
    /// File and first token of each, in order; no two overlap.
    pub places: Vec<(usize, usize)>,
}

impl Group {
    /// Takes in the places of another group of the same text.
    fn join(&mut self, other: Group) {
        self.places.extend(other.places);
        self.places.sort_unstable();
        let mut end = (0, 0);
        self.places.retain(|place| {
            let apart = *place >= end;
            if apart {
                end = (place.0, place.1 + self.tokens);
            }
            apart
        });
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Clones {
    /// The groups, longest first.
    pub groups: Vec<Group>,
    /// Tokens that stand in a place of a group.
    pub duplicated: u64,
}

/// Finds the duplicated blocks of `files`.
///
/// Errors: `args.invalid` for a `min_tokens` below [`SHORTEST`] and for too many tokens, `call.cancelled`.
pub fn find(files: &[&Tokens], settings: Settings, cancel: &CancelToken) -> Result<Clones> {
    settings.check()?;
    let total: usize = files.iter().map(|file| file.count()).sum();
    if total > MOST {
        return Err(Error::new(
            "args.invalid",
            format!("{total} tokens are more than the {MOST} of one call; name fewer folders in `paths`"),
        ));
    }
    let whole = Whole::new(files, settings);
    cancel.check()?;
    let stretches = whole.stretches(settings.min_tokens);
    cancel.check()?;
    let reduced = Reduced::new(&whole, stretches);
    let order = suffix_array(&reduced.numbers, reduced.upper);
    cancel.check()?;
    let shared = shared_prefixes(&reduced.numbers, &order);
    cancel.check()?;
    let repeats = repeats(&reduced.numbers, &order, &shared, settings.min_tokens);
    drop(shared);
    Choice::new(&whole, &reduced, &order, settings.min_tokens).choose(repeats, cancel)
}

/// All files as one sequence of numbers.
struct Whole<'a> {
    files: &'a [&'a Tokens],
    /// The first token of each file, and the number of all.
    starts: Vec<usize>,
    /// Equal numbers stand for equal tokens.
    numbers: Vec<u32>,
    /// All numbers are below.
    upper: usize,
}

impl<'a> Whole<'a> {
    fn new(files: &'a [&'a Tokens], settings: Settings) -> Whole<'a> {
        let mut known: HashMap<u64, u32> = HashMap::new();
        let total = files.iter().map(|file| file.count()).sum();
        let mut numbers = Vec::with_capacity(total);
        let mut starts = Vec::with_capacity(files.len() + 1);
        let mut own = Vec::new();
        for file in files {
            starts.push(numbers.len());
            own.clear();
            own.extend(file.words.iter().map(|word| {
                let word = match word & CLASS {
                    NAME if settings.ignore_names => NAME,
                    LITERAL if settings.ignore_literals => LITERAL,
                    _ => *word,
                };
                let next = known.len() as u32;
                *known.entry(word).or_insert(next)
            }));
            numbers.extend(file.stream.iter().map(|token| {
                // A place that is not there would be one of a damaged cache.
                own.get((token >> 2) as usize).copied().unwrap_or_default()
            }));
        }
        starts.push(numbers.len());
        Whole { files, starts, numbers, upper: known.len().max(1) }
    }

    /// The file of a token, and the token's place in it.
    fn locate(&self, token: usize) -> (usize, usize) {
        let file = self.starts.partition_point(|start| *start <= token).saturating_sub(1);
        (file, token - self.starts.get(file).copied().unwrap_or_default())
    }

    /// The stretches outside of which no duplicate of `least` tokens can lie, in order.
    fn stretches(&self, least: usize) -> Vec<(usize, usize)> {
        // Any run of `least` tokens holds a whole window of grams, and so the window's least one.
        let gram = least / 2;
        let window = least - gram + 1;
        let mut prints: Vec<(u64, u32)> = Vec::new();
        for ends in self.starts.windows(2) {
            let (start, end) = (ends[0], ends[1]);
            winnow(&self.numbers[start..end], gram, window, |hash, at| {
                prints.push((hash, (start + at) as u32));
            });
        }
        prints.sort_unstable();
        let mut repeated: Vec<u32> = prints
            .chunk_by(|one, other| one.0 == other.0)
            .filter(|chunk| chunk.len() > 1)
            .flat_map(|chunk| chunk.iter().map(|(_, at)| *at))
            .collect();
        drop(prints);
        repeated.sort_unstable();
        let mut stretches: Vec<(usize, usize)> = Vec::new();
        for at in repeated {
            let at = at as usize;
            let (file, _) = self.locate(at);
            // To the next chosen grams on both sides, and the whole of the last one.
            let start = at.saturating_sub(window).max(self.starts[file]);
            let end = (at + window + gram).min(self.starts[file + 1]);
            match stretches.last_mut() {
                Some(last) if last.0 >= self.starts[file] && start <= last.1 => last.1 = last.1.max(end),
                _ => stretches.push((start, end)),
            }
        }
        stretches
    }
}

/// Calls `chosen` for the least gram (hash and place) of every window of `window` grams, once for each.
fn winnow(numbers: &[u32], gram: usize, window: usize, mut chosen: impl FnMut(u64, usize)) {
    const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |number: u32| (u64::from(number) + 1).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let leading = (1..gram).fold(1u64, |power, _| power.wrapping_mul(BASE));
    let mut state = 0u64;
    // Grams that can still become the least one, falling from the front.
    let mut waiting: std::collections::VecDeque<(u64, usize)> = std::collections::VecDeque::new();
    let mut last = usize::MAX;
    for (end, number) in numbers.iter().enumerate() {
        if end >= gram {
            state = state.wrapping_sub(mix(numbers[end - gram]).wrapping_mul(leading));
        }
        state = state.wrapping_mul(BASE).wrapping_add(mix(*number));
        if end + 1 < gram {
            continue;
        }
        let at = end + 1 - gram;
        // The low bits of a sum of products are weak; order by all of them.
        let hash = (state ^ (state >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let hash = hash ^ (hash >> 32);
        while waiting.back().is_some_and(|(other, _)| *other > hash) {
            waiting.pop_back();
        }
        waiting.push_back((hash, at));
        if at + 1 < window {
            continue;
        }
        while waiting.front().is_some_and(|(_, place)| place + window <= at) {
            waiting.pop_front();
        }
        if let Some((hash, place)) = waiting.front()
            && *place != last
        {
            last = *place;
            chosen(*hash, *place);
        }
    }
}

/// The stretches that can hold duplicates, one behind the other, each with a number of its own behind it.
struct Reduced {
    numbers: Vec<u32>,
    /// Where each stretch begins here, and the token with which it begins.
    stretches: Vec<(usize, usize)>,
    /// All numbers are below.
    upper: usize,
}

impl Reduced {
    fn new(whole: &Whole<'_>, stretches: Vec<(usize, usize)>) -> Reduced {
        let length: usize = stretches.iter().map(|(start, end)| end - start + 1).sum();
        let mut numbers = Vec::with_capacity(length);
        // Numbers that occur here, without gaps, so that the alphabet is no larger than it must be.
        let mut dense = vec![u32::MAX; whole.upper];
        let mut known = 0u32;
        for (start, end) in &stretches {
            for number in &whole.numbers[*start..*end] {
                let dense = &mut dense[*number as usize];
                if *dense == u32::MAX {
                    *dense = known;
                    known += 1;
                }
            }
        }
        let mut places = Vec::with_capacity(stretches.len());
        for (start, end) in stretches {
            places.push((numbers.len(), start));
            numbers.extend(whole.numbers[start..end].iter().map(|number| dense[*number as usize]));
            numbers.push(known);
            known += 1;
        }
        Reduced { numbers, stretches: places, upper: known as usize }
    }

    /// The token of all files that stands at a place here.
    fn token(&self, at: usize) -> usize {
        let stretch = self.stretches.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        self.stretches.get(stretch).map_or(0, |(start, token)| token + (at - start))
    }
}

const NONE: u32 = u32::MAX;

/// A run of tokens that occurs more than once and cannot be made longer to the right in all places.
struct Repeat {
    length: u32,
    /// Its places in the suffix array: first, and behind the last.
    from: u32,
    to: u32,
    /// The first and the last place in the text.
    first: u32,
    last: u32,
    /// The number before all of its places; [`NONE`] where they differ.
    before: u32,
    /// The longest repeat that is a beginning of this one, as its place among all of them.
    parent: u32,
    /// Places that belong to no longer repeat, as a chain: first and last.
    chain: (u32, u32),
}

/// The repeats of `least` numbers or more, inner ones (longer) before outer ones.
struct Repeats {
    all: Vec<Repeat>,
    /// The place behind each place in its chain.
    next: Vec<u32>,
}

fn repeats(numbers: &[u32], order: &[u32], shared: &[u32], least: usize) -> Repeats {
    let least = least as u32;
    let mut next = vec![NONE; order.len()];
    let mut all: Vec<Repeat> = Vec::new();
    let mut open: Vec<Repeat> = Vec::new();
    let mut children: Vec<Vec<u32>> = Vec::new();
    let before = |suffix: u32| match suffix {
        0 => NONE,
        _ => numbers.get(suffix as usize - 1).copied().unwrap_or(NONE),
    };
    let fresh = |length: u32, from: u32| Repeat {
        length,
        from,
        to: from,
        first: u32::MAX,
        last: 0,
        before: NONE - 1,
        parent: NONE,
        chain: (NONE, NONE),
    };
    let join = |repeat: &mut Repeat, first: u32, last: u32, left: u32| {
        repeat.first = repeat.first.min(first);
        repeat.last = repeat.last.max(last);
        repeat.before = match repeat.before {
            known if known == NONE - 1 || known == left => left,
            _ => NONE,
        };
    };
    for (at, suffix) in order.iter().copied().enumerate() {
        let behind = shared.get(at + 1).copied().unwrap_or(0);
        if behind >= least && open.last().is_none_or(|top| top.length < behind) {
            open.push(fresh(behind, at as u32));
            children.push(Vec::new());
        }
        if let Some(top) = open.last_mut() {
            join(top, suffix, suffix, before(suffix));
            if top.chain.0 == NONE {
                top.chain = (suffix, suffix);
            } else {
                next[top.chain.1 as usize] = suffix;
                top.chain.1 = suffix;
            }
        }
        // Everything that goes on no further than here.
        while open.last().is_some_and(|top| top.length > behind) {
            let (Some(mut done), Some(inner)) = (open.pop(), children.pop()) else { break };
            done.to = at as u32 + 1;
            let index = all.len() as u32;
            for child in inner {
                all[child as usize].parent = index;
            }
            if behind >= least && open.last().is_none_or(|top| top.length < behind) {
                open.push(fresh(behind, done.from));
                children.push(Vec::new());
            }
            if let (Some(top), Some(siblings)) = (open.last_mut(), children.last_mut()) {
                join(top, done.first, done.last, done.before);
                siblings.push(index);
            }
            all.push(done);
        }
    }
    Repeats { all, next }
}

/// Which repeats become groups.
struct Choice<'a> {
    whole: &'a Whole<'a>,
    reduced: &'a Reduced,
    order: &'a [u32],
    least: usize,
    /// For each number of the reduced text whether a longer repeat covers it.
    covered: Vec<bool>,
}

impl<'a> Choice<'a> {
    fn new(whole: &'a Whole<'a>, reduced: &'a Reduced, order: &'a [u32], least: usize) -> Choice<'a> {
        Choice { whole, reduced, order, least, covered: vec![false; reduced.numbers.len()] }
    }

    fn choose(mut self, repeats: Repeats, cancel: &CancelToken) -> Result<Clones> {
        let Repeats { mut all, mut next } = repeats;
        let mut by_length: Vec<u32> = (0..all.len() as u32).collect();
        // Of two of one length the one with the earlier place, so that the answer never varies.
        by_length.sort_by_key(|at| {
            let repeat = &all[*at as usize];
            (u32::MAX - repeat.length, repeat.first)
        });
        let mut groups: Vec<Group> = Vec::new();
        // The group of a place (file, token, length): one whose places another one has too is not told twice.
        let mut known: HashMap<(usize, usize, usize), usize> = HashMap::new();
        let mut places = Vec::new();
        for (round, at) in by_length.into_iter().enumerate() {
            if round.is_multiple_of(1024) {
                cancel.check()?;
            }
            let repeat = &all[at as usize];
            let length = repeat.length as usize;
            // What stands before all of its places belongs to it: the longer one was met before.
            if repeat.before != NONE {
                continue;
            }
            let mut new = false;
            let mut place = repeat.chain.0;
            while place != NONE && !new {
                new = !self.is_covered(place as usize, length);
                place = next[place as usize];
            }
            if !new {
                continue;
            }
            places.clear();
            if (repeat.last - repeat.first) as usize >= length {
                places.extend_from_slice(&self.order[repeat.from as usize..repeat.to as usize]);
                places.sort_unstable();
                let mut end = 0;
                places.retain(|place| {
                    let apart = *place as usize >= end;
                    if apart {
                        end = *place as usize + length;
                    }
                    apart
                });
            }
            if places.len() < 2 {
                // It repeats itself only. Its places may still make a shorter group.
                let (parent, chain) = (repeat.parent, repeat.chain);
                if let Some(parent) = all.get_mut(parent as usize)
                    && chain.0 != NONE
                {
                    if parent.chain.0 == NONE {
                        parent.chain = chain;
                    } else {
                        next[chain.1 as usize] = parent.chain.0;
                        parent.chain.0 = chain.0;
                    }
                }
                continue;
            }
            for place in &places {
                if let Some(range) = self.covered.get_mut(*place as usize..*place as usize + length) {
                    range.fill(true);
                }
            }
            if let Some(group) = self.trim(&places, length) {
                let twin = group
                    .places
                    .iter()
                    .find_map(|(file, token)| known.get(&(*file, *token, group.tokens)).copied());
                let at = twin.unwrap_or(groups.len());
                for (file, token) in &group.places {
                    known.insert((*file, *token, group.tokens), at);
                }
                match groups.get_mut(at) {
                    Some(twin) => twin.join(group),
                    None => groups.push(group),
                }
            }
        }
        groups
            .sort_by(|one, other| other.tokens.cmp(&one.tokens).then_with(|| one.places.cmp(&other.places)));
        let duplicated = self.duplicated(&groups);
        Ok(Clones { groups, duplicated })
    }

    /// Whether longer repeats cover most of a run: three of five points in it.
    fn is_covered(&self, start: usize, length: usize) -> bool {
        let points = [0, length / 4, length / 2, length * 3 / 4, length - 1];
        let covered = |point: &&usize| self.covered.get(start + **point).copied().unwrap_or(false);
        points.iter().filter(covered).count() >= 3
    }

    /// From the start of a statement to the end of one; none where too little is left.
    fn trim(&self, places: &[u32], length: usize) -> Option<Group> {
        let mut places: Vec<(usize, usize)> =
            places.iter().map(|place| self.whole.locate(self.reduced.token(*place as usize))).collect();
        let (file, start) = *places.first()?;
        let run = self.whole.files.get(file)?.stream.get(start..start + length)?;
        let first = run.iter().position(|token| token & BEGINS != 0)?;
        let last = run.iter().rposition(|token| token & ENDS != 0)?;
        let tokens = (last + 1).checked_sub(first)?;
        if tokens < self.least {
            return None;
        }
        for place in &mut places {
            place.1 += first;
        }
        Some(Group { tokens, places })
    }

    fn duplicated(&self, groups: &[Group]) -> u64 {
        let mut runs: Vec<(usize, usize)> = groups
            .iter()
            .flat_map(|group| {
                group.places.iter().map(|(file, token)| {
                    let start = self.whole.starts.get(*file).copied().unwrap_or_default() + token;
                    (start, start + group.tokens)
                })
            })
            .collect();
        runs.sort_unstable();
        let mut end = 0;
        let mut sum = 0;
        for (start, stop) in runs {
            sum += stop.saturating_sub(start.max(end));
            end = end.max(stop);
        }
        sum as u64
    }
}

#[cfg(test)]
mod tests;
