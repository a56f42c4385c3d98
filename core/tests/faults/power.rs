//! The power is lost at any moment.

use std::path::Path;

use crate::check::{Folder, Progress, goes_on, stands};
use crate::disk::{Disk, Image, Keep, Loose};
use crate::program::{FILLER, Life, Move, program};
use crate::record::{Entry, watch};
use crate::seed::{Budget, Random, seed};

/// What becomes of everything that may be there or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    None,
    All,
    /// The piece of this number is lost.
    One(usize),
    /// The piece of this number is torn.
    Torn(usize),
    /// Each piece is kept, lost or torn by chance.
    Chance(u64),
}

/// Seeded subsets that are tried at each place.
const CHANCES: u64 = 32;

/// Every loss that is tried where so much is loose.
pub fn losses(loose: &[Loose]) -> Vec<Loss> {
    if loose.is_empty() {
        return vec![Loss::None];
    }
    let mut losses = vec![Loss::None, Loss::All];
    losses.extend((0..loose.len()).map(Loss::One));
    losses.extend((0..loose.len()).filter(|at| loose[*at].can_tear()).map(Loss::Torn));
    losses.extend((0..CHANCES).map(Loss::Chance));
    losses
}

/// What the loss leaves of a disk. `salt` sets the chances of one place apart from those of another.
pub fn left(disk: &Disk, loss: Loss, salt: u64) -> Image {
    let mut count = 0;
    let mut random = match loss {
        Loss::Chance(number) => Random(seed() ^ (salt << 8) ^ number),
        _ => Random(seed() ^ (salt << 8)),
    };
    let mut image = disk.image(|loose| {
        let at = count;
        count += 1;
        // A cut between two sectors, the first or the last part of which is there.
        let cut = |random: &mut Random| {
            let first = (1u64 << (1 + random.below(8))) - 1;
            Keep::Sectors(if random.below(2) == 0 { first } else { !first })
        };
        match loss {
            Loss::None => Keep::Whole,
            Loss::All => Keep::Nothing,
            Loss::One(lost) if at == lost => Keep::Nothing,
            Loss::Torn(torn) if at == torn => cut(&mut random),
            Loss::One(_) | Loss::Torn(_) => Keep::Whole,
            Loss::Chance(_) => match random.below(5) {
                0 | 1 => Keep::Whole,
                2 | 3 => Keep::Nothing,
                _ if loose.can_tear() => Keep::Sectors(random.next()),
                _ => Keep::Nothing,
            },
        }
    });
    if matches!(loss, Loss::Chance(number) if number % 4 == 0) && image.contains_key("s.db") {
        // Whatever an earlier life has left of its shared memory means nothing.
        let length = 32_768 * (random.below(2) + 1);
        image.insert("s.db-shm".to_owned(), (0..length).map(|_| random.next() as u8).collect());
    }
    image
}

/// Runs the program from its beginning to its end, and returns what happened on disk.
pub fn recorded(moves: &[Move], lying: bool) -> Vec<Entry> {
    let folder = Folder::new("recorded");
    let watch = watch(folder.path(), Default::default(), 0);
    if lying {
        watch.lie();
    }
    Life::new(folder.path(), moves).go(0, &watch).unwrap();
    watch.log()
}

/// The places of a log at which a loss is looked at: before each change on disk, when as much was
/// answered as could be, and at the end.
pub fn places(log: &[Entry]) -> Vec<usize> {
    (0..=log.len()).filter(|&at| log.get(at).is_none_or(Entry::touches_disk)).collect()
}

pub fn progress(log: &[Entry]) -> Progress {
    let last = |pick: fn(&Entry) -> Option<usize>| log.iter().rev().find_map(pick).unwrap_or(0);
    Progress {
        stood: last(|entry| if let Entry::Stood(count) = entry { Some(*count) } else { None }),
        began: last(|entry| if let Entry::Began(count) = entry { Some(*count) } else { None }),
    }
}

/// Looks at one case in `folder`.
fn look(folder: &Folder, image: &Image, moves: &[Move], progress: Progress) -> Result<(), String> {
    folder.hold(image);
    stands(folder.path(), moves, progress)?;
    goes_on(folder.path(), moves)
}

/// The steps after which the log is moved into the file: a step is two pages of a thousand.
const FILLERS: usize = 500;

#[test]
fn nothing_answered_is_lost_with_the_power() {
    let moves = program(FILLERS);
    let log = recorded(&moves, false);
    begun_anew(&log);
    let folder = Folder::new("power");
    let mut random = Random(seed());
    let places = places(&log);
    // Hundreds of places are one like the other; the rest are looked at first.
    let (mut rare, mut usual) = (Vec::new(), Vec::new());
    let mut disk = Disk::default();
    let mut taken = 0;
    for &place in &places {
        log[taken..place].iter().for_each(|entry| disk.apply(entry));
        taken = place;
        let cases = losses(&disk.loose()).into_iter().map(|loss| (place, loss));
        match is_usual(&log, place, &moves) {
            true => usual.extend(cases),
            false => rare.extend(cases),
        }
    }
    let (all_rare, all) = (rare.len(), rare.len() + usual.len());
    random.shuffle(&mut rare);
    random.shuffle(&mut usual);
    let budget = Budget::of(350);
    // The rest of a fixed part goes to what is usual; with time both are gone through.
    let part = if let Budget::Cases(cases) = budget { cases * 6 / 7 } else { all_rare };
    let mut done = 0;
    for (place, loss) in rare.into_iter().take(part).chain(usual) {
        if budget.is_spent(done) {
            break;
        }
        let image = left(&Disk::after(&log[..place]), loss, place as u64);
        if let Err(text) = look(&folder, &image, &moves, progress(&log[..place])) {
            told(&folder, &image, &format!("place {place} of {}, {loss:?}: {text}", log.len()));
        }
        done += 1;
    }
    eprintln!(
        "power loss: {done} of {all} cases at {} places, {} of them among the {all_rare} rare ones, seed {}",
        places.len(),
        done.min(part).min(all_rare),
        seed()
    );
}

/// Whether this is in the middle of one of the many steps that fill the log, and only the log is written.
fn is_usual(log: &[Entry], place: usize, moves: &[Move]) -> bool {
    let at = progress(&log[..place]).stood;
    let filler = |at: Option<&Move>| matches!(at, Some(Move::Step { name: FILLER, .. }));
    let wal = file_of(log, "s.db-wal");
    let near = &log[place.saturating_sub(12)..(place + 12).min(log.len())];
    let only = near.iter().all(|entry| match entry {
        Entry::Write { file, to, .. } => Some(*file) == wal && *to > 0,
        _ => true,
    });
    filler(moves.get(at)) && filler(moves.get(at.saturating_sub(2))) && only
}

fn file_of(log: &[Entry], wanted: &str) -> Option<u32> {
    log.iter().find_map(|entry| match entry {
        Entry::Create { name, file } if name == wanted => Some(*file),
        _ => None,
    })
}

/// Fails with the files that led to it.
fn told(folder: &Folder, image: &Image, text: &str) -> ! {
    folder.hold(image);
    panic!("{text}; seed {}, its files are in {}", seed(), Path::display(folder.path()));
}

/// Whether the log was moved into the file and begun anew while the program ran.
fn begun_anew(log: &[Entry]) {
    let wal = file_of(log, "s.db-wal");
    let begun = |entry: &&Entry| matches!(entry, Entry::Write { file, to: 0, .. } if Some(*file) == wal);
    assert!(log.iter().filter(begun).count() > 1, "the program is too short");
}
