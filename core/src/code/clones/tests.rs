use super::*;
use crate::code::language::Language;
use crate::code::parse::Reader;

const SETTINGS: Settings = Settings { min_tokens: 20, ignore_names: false, ignore_literals: false };

fn read(language: Language, text: &str) -> Tokens {
    let cancel = CancelToken::new();
    tokens(&Reader::default().parse(language, text.as_bytes(), &cancel).unwrap(), &cancel).unwrap()
}

/// First and last line of each place, in all groups.
/// A group: its tokens and its places.
type Told = (usize, Vec<(usize, u32, u32)>);

fn told(files: &[&Tokens], settings: Settings) -> Vec<Told> {
    let clones = find(files, settings, &CancelToken::new()).unwrap();
    let place = |tokens: usize, (file, start): (usize, usize)| {
        (file, files[file].line(start), files[file].end_line(start + tokens - 1))
    };
    clones
        .groups
        .iter()
        .map(|group| (group.tokens, group.places.iter().map(|at| place(group.tokens, *at)).collect()))
        .collect()
}

const BODY: &str = "    total = 0\n    for item in items:\n        if item.ready and item.size > limit:\n            total += item.size * 2\n    return total\n";

#[test]
fn a_block_that_occurs_three_times_is_one_group() {
    let one = read(Language::Python, &format!("def one(items, limit):\n{BODY}\nprint(one)\n"));
    let two = read(Language::Python, &format!("import x\n\ndef two(items, limit, more):\n    # so\n{BODY}"));
    let three = read(Language::Python, &format!("def three(items, limit):\n    check()\n{BODY}\ngo()\n"));
    assert_eq!(told(&[&one, &two, &three], SETTINGS), [(28, vec![(0, 2, 6), (1, 5, 9), (2, 3, 7)])]);
}

#[test]
fn names_and_literals_count_unless_they_are_told_not_to() {
    let one = read(Language::Python, &format!("def one(items, limit):\n{BODY}"));
    let other = BODY.replace("total", "sum").replace('2', "'x'");
    let two = read(Language::Python, &format!("def two(items, limit):\n{other}"));
    let files = [&one, &two];
    assert_eq!(told(&files, SETTINGS), []);
    assert_eq!(told(&files, Settings { ignore_names: true, ..SETTINGS }), []);
    let renamed = Settings { ignore_names: true, ignore_literals: true, ..SETTINGS };
    assert_eq!(told(&files, renamed), [(36, vec![(0, 1, 6), (1, 1, 6)])]);
}

#[test]
fn a_longer_pair_and_a_third_place_of_its_part_are_two_groups() {
    let line = |name: &str| format!("{name} = compute({name}, 1, 2, 3, 4)\n");
    let block = |names: &[&str]| names.iter().map(|name| line(name)).collect::<String>();
    let long = block(&["a", "b", "c", "d", "e", "f"]);
    let part = block(&["b", "c", "d"]);
    let one = read(Language::Python, &format!("{long}one()\n"));
    let two = read(Language::Python, &format!("two()\n{long}"));
    let three = read(Language::Python, &format!("x = 1\n{part}three()\n"));
    assert_eq!(
        told(&[&one, &two, &three], SETTINGS),
        [(84, vec![(0, 1, 6), (1, 2, 7)]), (42, vec![(0, 2, 4), (1, 3, 5), (2, 2, 4)])]
    );
}

#[test]
fn what_repeats_itself_does_not_overlap_itself() {
    let text = "f(1, 2, 3)\n".repeat(40);
    let file = read(Language::Python, &text);
    let found = told(&[&file], SETTINGS);
    assert_eq!(found, [(160, vec![(0, 1, 20), (0, 21, 40)])]);
}

/// Tokens of numbers, each of them a statement of its own.
fn plain(numbers: &[u32]) -> Tokens {
    let most = numbers.iter().max().map_or(0, |most| *most as u64 + 1);
    Tokens {
        words: (0..most).map(|word| word << 2).collect(),
        stream: numbers.iter().map(|number| number << 2 | BEGINS | ENDS).collect(),
        ..Tokens::default()
    }
}

#[test]
fn every_duplicate_is_found_and_nothing_else_is() {
    let mut state = 11u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for round in 0..60 {
        let letters = [1, 2, 5, 1000][round % 4];
        let mut files: Vec<Vec<u32>> =
            (0..1 + random(4)).map(|_| (0..random(300)).map(|_| random(letters) as u32).collect()).collect();
        for _ in 0..random(6) {
            let from = random(files.len());
            let start = random(files[from].len() + 1);
            let end = (start + random(80)).min(files[from].len());
            let part = files[from][start..end].to_vec();
            let to = random(files.len());
            let at = random(files[to].len() + 1);
            files[to].splice(at..at, part);
        }
        let read: Vec<Tokens> = files.iter().map(|file| plain(file)).collect();
        let read: Vec<&Tokens> = read.iter().collect();
        let clones = find(&read, SETTINGS, &CancelToken::new()).unwrap();
        let mut covered: Vec<Vec<bool>> = files.iter().map(|file| vec![false; file.len()]).collect();
        for group in &clones.groups {
            assert!(group.places.len() > 1 && group.tokens >= SETTINGS.min_tokens);
            let (file, start) = group.places[0];
            for pair in group.places.windows(2) {
                assert!(pair[1] >= (pair[0].0, pair[0].1 + group.tokens), "{group:?}");
            }
            for (other, at) in &group.places {
                assert_eq!(files[*other][*at..at + group.tokens], files[file][start..start + group.tokens]);
                covered[*other][*at..at + group.tokens].fill(true);
            }
            let at_end = group.places.iter().map(|(file, at)| files[*file].get(at + group.tokens));
            let behind: std::collections::HashSet<_> = at_end.collect();
            assert!(behind.len() > 1 || behind.contains(&None) || letters < 1000, "not maximal: {group:?}");
        }
        let sum: usize = covered.iter().flatten().filter(|covered| **covered).count();
        assert_eq!(clones.duplicated, sum as u64);
        // By force: each run that occurs elsewhere, without overlap, is touched by a group.
        let runs: Vec<(usize, usize)> = files
            .iter()
            .enumerate()
            .flat_map(|(file, text)| (0..(text.len() + 1).saturating_sub(20)).map(move |at| (file, at)))
            .collect();
        for one in &runs {
            let text = |(file, at): (usize, usize)| &files[file][at..at + 20];
            let twice = runs.iter().any(|other| {
                (one.0 != other.0 || one.1.abs_diff(other.1) >= 20) && text(*one) == text(*other)
            });
            let touched = covered[one.0][one.1..one.1 + 20].iter().any(|covered| *covered);
            assert!(!twice || touched, "round {round}: {one:?} is not found");
        }
    }
}

#[test]
fn too_short_a_length_is_refused() {
    let error = find(&[], Settings { min_tokens: 19, ..SETTINGS }, &CancelToken::new()).unwrap_err();
    assert_eq!(error.code(), "args.invalid");
}

#[test]
fn equal_elements_of_tables_are_duplicates_too() {
    let rows = "{name: 'a', size: 1}, {name: 'b', size: 2}, {name: 'c', size: 3},";
    let one = read(Language::JavaScript, &format!("const one = [{{x: 1}}, {rows} {{y: 2}}];"));
    let two = read(Language::JavaScript, &format!("const two = [{rows} 0];"));
    assert_eq!(told(&[&one, &two], SETTINGS), [(29, vec![(0, 1, 1), (1, 1, 1)])]);
}
