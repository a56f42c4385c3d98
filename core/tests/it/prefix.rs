//! For every prefix of every history: who resumes there comes to the same end as an unbroken run.
//!
//! A seed makes a program: steps with repeated names, keys, arguments, failures, policy `once`, and
//! siblings side by side. It runs to its end once; then its history is cut behind every row, as a
//! crash at that instant would have left it, and the same program is run on what is left.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use barograph::blocking::wait;
use barograph::*;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Folder, on_server, open};

struct Random(u64);

impl Random {
    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fails {
    Never,
    /// At the first attempt; the program begins it again by its key.
    First,
    /// The program goes on without a result.
    Always,
}

#[derive(Clone, Debug)]
struct Call {
    begin: StepBeginArgs,
    fails: Fails,
}

/// Calls that run side by side; one alone is a step in the ordinary sense.
type Block = Vec<Call>;

fn program(random: &mut Random) -> Vec<Block> {
    let mut keys = 0;
    (0..6 + random.below(4))
        .map(|_| {
            let many = if random.one_in(4) { 2 + random.below(3) } else { 1 };
            (0..many).map(|at| call(random, &mut keys, many, at)).collect()
        })
        .collect()
}

fn call(random: &mut Random, keys: &mut u32, many: u64, at: u64) -> Call {
    // Few names, so that they come again; siblings have one each.
    let name = if many == 1 { random.below(3) } else { 3 + at };
    let keyed = random.one_in(3);
    *keys += 1;
    let args = match random.below(3) {
        0 => Value::Null,
        1 => json!({ "n": random.below(5), "of": name }),
        _ => json!([random.below(1000) as f64 / 8.0]),
    };
    let fails = match random.below(8) {
        0 | 1 if keyed => Fails::First,
        2 => Fails::Always,
        _ => Fails::Never,
    };
    let policy = if random.one_in(4) { StepPolicy::Once } else { StepPolicy::Retry };
    let begin = StepBeginArgs {
        name: format!("step {name}"),
        key: keyed.then(|| format!("key {keys}")),
        args,
        policy,
    };
    Call { begin, fails }
}

/// The steps whose work was done in one run, and those that it was asked to settle.
#[derive(Default)]
struct Ran {
    worked: BTreeSet<String>,
    unknown: BTreeSet<String>,
}

/// One run of a program in one handle.
struct Run<'p> {
    session: Session,
    random: &'p mut Random,
    /// How often each name was begun without a key.
    begun: HashMap<String, u32>,
    ran: Ran,
    /// Folded over all results, so that a wrong one shows in all that follows.
    state: u64,
}

impl Run<'_> {
    fn label(&mut self, call: &Call) -> String {
        if let Some(key) = &call.begin.key {
            return key.clone();
        }
        let count = self.begun.entry(call.begin.name.clone()).or_default();
        *count += 1;
        format!("{} #{count}", call.begin.name)
    }

    fn value(&self, call: &Call) -> u64 {
        let text = format!("{} {} {}", self.state, call.begin.name, call.begin.args);
        text.bytes().fold(7, |sum, byte| (sum * 31 + u64::from(byte)) % (1 << 50))
    }

    fn finish(&self, start: &StepStart, outcome: std::result::Result<Value, &str>) {
        let token = start.token.clone().unwrap();
        let failure = outcome
            .as_ref()
            .err()
            .map(|message| Failure { message: (*message).to_owned(), ..Failure::default() });
        wait(self.session.finish(StepFinishArgs { token, result: outcome.ok().map(Payload::json), failure }))
            .unwrap();
    }

    fn begin(&self, call: &Call) -> Result<StepStart> {
        wait(self.session.begin(call.begin.clone()))
    }

    /// Brings a begun step to its end, and returns its result, if it has one.
    fn end(&mut self, label: &str, call: &Call, mut start: StepStart) -> Option<u64> {
        loop {
            match start.state {
                StepState::Run => drop(self.ran.worked.insert(label.to_owned())),
                StepState::Unknown => drop(self.ran.unknown.insert(label.to_owned())),
                StepState::Done => {}
            }
            match start.state {
                StepState::Done => return start.result.unwrap().json.as_u64(),
                StepState::Unknown if call.begin.key.is_some() && self.random.one_in(2) => {
                    self.finish(&start, Err("it had not happened"));
                }
                // The host has found out that it happened, and with which outcome.
                StepState::Unknown | StepState::Run => match call.fails {
                    Fails::First if start.attempt == 1 => self.finish(&start, Err("at first")),
                    Fails::Always => {
                        self.finish(&start, Err("always"));
                        return None;
                    }
                    _ => {
                        let value = self.value(call);
                        self.finish(&start, Ok(value.into()));
                        return Some(value);
                    }
                },
            }
            start = self.begin(call).unwrap();
        }
    }

    fn block(&mut self, block: &Block) -> Result<()> {
        let mut order: Vec<usize> = (0..block.len()).collect();
        if block.iter().all(|call| call.begin.key.is_some()) {
            self.random.shuffle(&mut order);
        }
        let mut open = Vec::new();
        for at in order {
            open.push((at, self.label(&block[at]), self.begin(&block[at])?));
        }
        self.random.shuffle(&mut open);
        let mut results = vec![None; block.len()];
        for (at, label, start) in open {
            results[at] = self.end(&label, &block[at], start);
        }
        for result in results {
            self.state = (self.state * 31 + result.unwrap_or(1)) % (1 << 50);
        }
        Ok(())
    }
}

/// Runs the program on the store in `folder`.
fn run(folder: &Path, program: &[Block], random: &mut Random) -> Ran {
    let ws = open(folder).unwrap();
    let resume = SessionOpenArgs { id: "p".into(), resume: true, ..SessionOpenArgs::default() };
    let session = wait(ws.session().open(resume)).unwrap();
    let mut run = Run { session, random, begun: HashMap::new(), ran: Ran::default(), state: 1 };
    for block in program {
        if let Err(error) = run.block(block) {
            // A session that has ended takes no new try of a step that had failed: nothing is left to do.
            assert_eq!(error.code(), "session.finished", "{error:?} in {block:#?}");
            return run.ran;
        }
    }
    let output = Some(Payload::json(run.state));
    let failure = run
        .state
        .is_multiple_of(4)
        .then(|| Failure { message: format!("ends badly: {}", run.state), ..Failure::default() });
    let output = output.filter(|_| failure.is_none());
    wait(run.session.complete(SessionCompleteArgs { output, failure })).unwrap();
    run.ran
}

/// Name, arguments, policy and end of a step.
type StepEnd = (String, String, StepPolicy, StepStatus, Option<Payload>, Option<Failure>);

/// What counts at the end. Positions of siblings depend on which of them was first recorded, so
/// steps stand by what they are found by: their key, or their name in the order of occurrence.
#[derive(Debug, PartialEq)]
struct End {
    status: SessionStatus,
    output: Option<Payload>,
    failure: Option<Failure>,
    steps: BTreeMap<String, StepEnd>,
}

fn end(folder: &Path) -> End {
    let shown = wait(open(folder).unwrap().session().show(SessionIdArgs { id: "p".into() })).unwrap();
    let mut begun: HashMap<String, u32> = HashMap::new();
    let steps = shown.steps.into_iter().map(|step| {
        let label = step.key.unwrap_or_else(|| {
            let count = begun.entry(step.name.clone()).or_default();
            *count += 1;
            format!("{} #{count}", step.name)
        });
        (label, (step.name, step.args_hash, step.policy, step.status, step.result, step.failure))
    });
    let steps = steps.collect();
    let session = shown.session;
    End { status: session.status, output: session.output, failure: session.failure, steps }
}

/// Copies the store and removes every row behind number `last`, as if they had not been written.
/// The only place here that knows the tables.
fn cut(from: &Path, to: &Path, last: u64) {
    std::fs::copy(from.join("s.db"), to.join("s.db")).unwrap();
    let conn = Connection::open(to.join("s.db")).unwrap();
    let last = last as i64;
    conn.execute("DELETE FROM event WHERE seq > ?1", [last]).unwrap();
    conn.execute("DELETE FROM session WHERE id > ?1", [last]).unwrap();
    conn.execute("UPDATE session SET status = 0, ended = NULL WHERE ended > ?1", [last]).unwrap();
}

fn last_seq(folder: &Path) -> u64 {
    let ws = open(folder).unwrap();
    let stream = wait(ws.events().open(EventsOpenArgs::default())).unwrap();
    let page = wait(stream.next(EventsNextArgs { max: 10_000, wait_ms: 0 })).unwrap();
    page.events.last().unwrap().seq
}

/// The steps of this status in a store that was cut behind row `last`.
fn in_status(folder: &Path, last: u64, status: StepStatus) -> BTreeSet<String> {
    if last == 0 {
        return BTreeSet::new();
    }
    let steps = end(folder).steps.into_iter().filter(|(_, step)| step.3 == status);
    steps.map(|(label, _)| label).collect()
}

#[test]
fn every_prefix_of_a_history_leads_to_the_same_end() {
    if on_server("a history is cut in a copy of the file") {
        return;
    }
    cut_everywhere(1..=12);
}

/// `cargo t --test it -- prefix --ignored --nocapture`
#[test]
#[ignore = "takes minutes"]
fn every_prefix_of_a_thousand_histories_leads_to_the_same_end() {
    cut_everywhere(1..=1000);
}

fn cut_everywhere(seeds: std::ops::RangeInclusive<u64>) {
    let (mut histories, mut prefixes, mut again) = (0, 0, 0);
    for seed in seeds {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let program = program(&mut random);
        let whole = Folder::unsynced("whole");
        run(whole.path(), &program, &mut random);
        let wanted = end(whole.path());
        histories += 1;
        for last in 0..=last_seq(whole.path()) {
            let place = format!("seed {seed}, cut behind row {last}: {program:#?}");
            let mut from = whole.path();
            let (first, second) = (Folder::unsynced("prefix"), Folder::unsynced("prefix"));
            let mut last = last;
            // What a resumed run has written is a history too: now and then it is cut once more.
            for folder in [&first, &second] {
                cut(from, folder.path(), last);
                let done = in_status(folder.path(), last, StepStatus::Done);
                let running = in_status(folder.path(), last, StepStatus::Running);
                let ran = run(folder.path(), &program, &mut random);
                let twice: Vec<_> = ran.worked.intersection(&done).collect();
                assert!(twice.is_empty(), "{twice:?} had results and ran again; {place}");
                assert_eq!(ran.unknown, running, "only what was cut short is unknown; {place}");
                assert_eq!(end(folder.path()), wanted, "{place}");
                prefixes += 1;
                if !random.one_in(3) {
                    break;
                }
                again += 1;
                from = folder.path();
                last += random.below(last_seq(from) - last + 1);
            }
        }
    }
    eprintln!("{histories} histories, {prefixes} prefixes resumed, {again} of them cut again");
}
