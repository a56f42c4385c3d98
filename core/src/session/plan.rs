//! Which recorded step a `begin` means, and whether the program still follows its plan.
//!
//! A step is found by its key, or by its name and the how-manieth begin of that name this is. It
//! must have the recorded arguments and policy. Steps without a key that did not run beside others
//! must also come in the recorded order; keyed and concurrent ones may come in any. As threads that ran
//! one after the other by chance look like one, a step that comes too early is given time for those
//! before it to come. Once a recorded failure is tried again the rest may differ, so order is not asked
//! for any more.

use std::collections::HashMap;

use super::diverged::{diverged, hash_text, place, short};
use crate::base::value::Payload;
use crate::error::{Error, Result};
use crate::store::{StepMark, StepRow, StepWrite};

/// What `begin` was asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub name: String,
    pub key: Option<String>,
    /// `None` for no arguments.
    pub hash: Option<[u8; 32]>,
    pub once: bool,
    /// For a wait, when it ends by itself if it begins now.
    pub wait: Option<i64>,
}

/// What `begin` shall answer.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// The result is in memory, or in the row of this number.
    Done { small: Option<Payload>, seq: i64, attempt: i64, timed_out: bool },
    /// Run the step of this token; `intent` must be on disk before. A wait ends by itself at `until`.
    Run { token: u64, attempt: i64, intent: Option<StepWrite>, until: i64 },
    /// The step was begun and may have had its effect.
    Unknown { token: u64, attempt: i64 },
}

/// Where a begun step stands in this handle.
#[derive(Clone, Copy, Debug)]
enum Open {
    /// The host runs it, since this time.
    Running { at: usize, since: i64 },
    /// Its outcome is on its way to the disk.
    Finishing { at: usize, since: i64 },
}

impl Open {
    fn at(&self) -> usize {
        match self {
            Open::Running { at, .. } | Open::Finishing { at, .. } => *at,
        }
    }
}

/// What the names of steps begin with that wait for a signal.
pub(super) const SIGNAL: &str = "signal:";

#[derive(Clone, Debug)]
struct Step {
    write: StepWrite,
    mark: Mark,
    seq: i64,
    small: Option<Payload>,
    /// Recorded before this handle was opened.
    recorded: bool,
    /// Begun by this handle.
    begun: bool,
    /// The token of the latest begin by this handle.
    token: Option<u64>,
}

/// What is known of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// Begun by this handle, nothing on disk.
    Volatile,
    /// The intent is on disk.
    Started,
    Finished,
    Failed,
}

/// The steps of a session as one handle sees them.
#[derive(Debug, Default)]
pub(super) struct Plan {
    steps: Vec<Step>,
    by_name: HashMap<String, HashMap<i64, usize>>,
    by_key: HashMap<String, usize>,
    begun: HashMap<String, i64>,
    open: HashMap<u64, Open>,
    /// The rows of outcomes that were reported, by token.
    reported: HashMap<u64, i64>,
    next_token: u64,
    next_position: i64,
    /// Recorded steps that must come in order, first one last.
    expected: Vec<usize>,
    /// The session has ended: recorded results are answered, nothing is run.
    pub ended: bool,
}

impl Plan {
    /// The plan that `rows` record, oldest first.
    pub fn load(rows: Vec<StepRow>) -> Plan {
        let mut plan = Plan::default();
        for row in rows {
            let mark = match row.state {
                StepMark::Started => Mark::Started,
                StepMark::Finished => Mark::Finished,
                StepMark::Failed => Mark::Failed,
            };
            let at = match plan.find(&row.step.name, row.step.nth, row.step.key.as_deref()) {
                Some(at) => at,
                None => plan.add(row.step.clone(), mark, true),
            };
            let step = &mut plan.steps[at];
            (step.write, step.mark, step.seq, step.small) = (row.step, mark, row.seq, row.small);
            plan.next_position = plan.next_position.max(plan.steps[at].write.position + 1);
        }
        let ordered = |step: &Step| step.write.key.is_none() && !step.write.overlapped;
        plan.expected = (0..plan.steps.len()).filter(|&at| ordered(&plan.steps[at])).collect();
        let steps = &plan.steps;
        plan.expected.sort_by_key(|&at| -steps[at].write.position);
        plan
    }

    fn find(&self, name: &str, nth: i64, key: Option<&str>) -> Option<usize> {
        match key {
            Some(key) => self.by_key.get(key).copied(),
            None => self.by_name.get(name)?.get(&nth).copied(),
        }
    }

    fn add(&mut self, write: StepWrite, mark: Mark, recorded: bool) -> usize {
        let at = self.steps.len();
        match &write.key {
            Some(key) => drop(self.by_key.insert(key.clone(), at)),
            None => drop(self.by_name.entry(write.name.clone()).or_default().insert(write.nth, at)),
        }
        self.steps.push(Step { write, mark, seq: 0, small: None, recorded, begun: false, token: None });
        at
    }

    fn sought(&self, asked: &Asked) -> (i64, Option<usize>) {
        let nth = match asked.key {
            Some(_) => 0,
            None => self.begun.get(&asked.name).copied().unwrap_or(0),
        };
        (nth, self.find(&asked.name, nth, asked.key.as_deref()))
    }

    /// The recorded step that ought to come before the one that is asked for.
    fn before(&self, asked: &Asked, found: Option<usize>) -> Option<&StepWrite> {
        let &first = self.expected.last()?;
        let early = match found {
            // Those that are not expected may come in any order.
            Some(at) => first != at && self.expected.contains(&at),
            None => asked.key.is_none() && self.open.is_empty(),
        };
        early.then(|| &self.steps[first].write)
    }

    /// Whether steps that were recorded before the one that is asked for have not come yet.
    pub fn early(&self, asked: &Asked) -> bool {
        self.before(asked, self.sought(asked).1).is_some()
    }

    /// What to do about the step that is asked for. Changes nothing where it is an error.
    ///
    /// `refusal` is the error where nothing may be begun: recorded results are answered all the same.
    pub fn begin(&mut self, asked: &Asked, now: i64, refusal: Option<Error>) -> Result<Answer> {
        let (nth, found) = self.sought(asked);
        if let Some(token) = found.and_then(|at| self.steps[at].token)
            && let Some(Open::Finishing { .. }) = self.open.get(&token)
        {
            return Err(in_flight());
        }
        let same = found.map_or(Ok(()), |at| self.check_same(at, asked));
        same.and_then(|()| self.check_order(asked, found))
            .map_err(|error| error.with("diff", self.diff(asked)))?;
        if let Some(refusal) = refusal.or_else(|| self.ended.then(finished))
            && !found.is_some_and(|at| self.steps[at].mark == Mark::Finished)
        {
            return Err(refusal);
        }
        let at = match found {
            Some(at) => at,
            None => {
                let write = StepWrite {
                    position: self.next_position,
                    nth,
                    name: asked.name.clone(),
                    key: asked.key.clone(),
                    hash: asked.hash,
                    once: asked.once,
                    overlapped: false,
                    wait: asked.wait.is_some(),
                    timed_out: false,
                    attempt: 0,
                    took: asked.wait.unwrap_or(0),
                };
                self.next_position += 1;
                self.add(write, Mark::Volatile, false)
            }
        };
        if asked.key.is_none() {
            self.begun.insert(asked.name.clone(), nth + 1);
        }
        if self.expected.last() == Some(&at) {
            self.expected.pop();
        }
        let step = &mut self.steps[at];
        step.begun = true;
        if step.mark == Mark::Finished {
            return Ok(Answer::Done {
                small: step.small.clone(),
                seq: step.seq,
                attempt: step.write.attempt,
                timed_out: step.write.timed_out,
            });
        }
        if step.recorded && !(step.write.wait && step.mark == Mark::Started) {
            // What comes after a second try may differ from what came after the first.
            self.expected.clear();
        }
        Ok(self.run(at, now))
    }

    fn run(&mut self, at: usize, now: i64) -> Answer {
        // A key that is begun again while it runs: the earlier begin has lost its say.
        if let Some(token) = self.steps[at].token.take() {
            self.open.remove(&token);
        }
        if !self.open.is_empty() {
            // Beside others: neither their order nor this one's says anything about the plan.
            for open in self.open.values() {
                self.steps[open.at()].write.overlapped = true;
            }
            self.steps[at].write.overlapped = true;
        }
        self.next_token += 1;
        let token = self.next_token;
        self.open.insert(token, Open::Running { at, since: now });
        let step = &mut self.steps[at];
        step.token = Some(token);
        if step.mark == Mark::Started {
            let attempt = step.write.attempt;
            return match step.write.wait {
                true => Answer::Run { token, attempt, intent: None, until: step.write.took },
                false => Answer::Unknown { token, attempt },
            };
        }
        step.write.attempt += 1;
        let attempt = step.write.attempt;
        let intent = (step.write.once || step.write.wait).then(|| step.write.clone());
        Answer::Run { token, attempt, intent, until: step.write.took }
    }

    /// The intent of a `once` step is on disk, or could not be written.
    pub fn started(&mut self, token: u64, written: bool) {
        let Some(Open::Running { at, .. }) = self.open.get(&token) else { return };
        let step = &mut self.steps[*at];
        if written {
            step.mark = Mark::Started;
            return;
        }
        // As if it had not been begun, so that the host can begin it again.
        step.write.attempt -= 1;
        self.forget(token);
    }

    /// Nobody waits any more: the wait goes on by itself, and may be begun again.
    pub fn abandon(&mut self, token: u64) {
        if let Some(Open::Running { .. }) = self.open.get(&token) {
            self.forget(token);
        }
    }

    /// A running step was cut short by us and has no outcome: it can be begun again in its place.
    pub fn cut_short(&mut self, token: u64) {
        let Some(Open::Running { at, .. }) = self.open.get(&token) else { return };
        let step = &mut self.steps[*at];
        // What is on disk was begun, whatever came of it.
        if step.mark != Mark::Started {
            step.write.attempt -= 1;
        }
        self.forget(token);
    }

    fn forget(&mut self, token: u64) {
        let Some(Open::Running { at, .. } | Open::Finishing { at, .. }) = self.open.remove(&token) else {
            return;
        };
        let step = &mut self.steps[at];
        step.token = None;
        step.begun = false;
        if step.write.key.is_none()
            && let Some(begun) = self.begun.get_mut(&step.write.name)
            && *begun == step.write.nth + 1
        {
            *begun -= 1;
        }
    }

    /// What the session waits for where nothing else is under way: from when on it can go on by
    /// itself, and the names of signals.
    pub fn waits(&self) -> Option<(i64, Vec<String>)> {
        if self.open.values().any(|open| !self.steps[open.at()].write.wait) {
            return None;
        }
        if self.steps.iter().any(|step| step.mark == Mark::Failed) {
            return None;
        }
        let waits: Vec<&StepWrite> = self
            .steps
            .iter()
            .filter(|step| step.mark == Mark::Started && step.write.wait)
            .map(|step| &step.write)
            .collect();
        let first = waits.iter().map(|wait| wait.took).min()?;
        let names = waits.iter().filter_map(|wait| wait.name.strip_prefix(SIGNAL));
        Some((first, names.map(str::to_owned).collect()))
    }

    /// Whether a recorded wait is under way.
    pub fn is_waiting(&self) -> bool {
        self.open.values().any(|open| self.steps[open.at()].write.wait)
    }

    /// Below which position steps belong to a checkpoint that is made now.
    ///
    /// Errors: `session.failed_state` while a step has failed and was not run again.
    pub fn checkpoint(&self) -> Result<i64> {
        if let Some(step) = self.steps.iter().find(|step| step.mark == Mark::Failed) {
            return Err(Error::new(
                "session.failed_state",
                format!(
                    "{} has failed; a checkpoint is never made of a failed state: run the step again first",
                    place(&step.write)
                ),
            ));
        }
        let running = self.open.values().map(|open| self.steps[open.at()].write.position).min();
        Ok(running.unwrap_or(self.next_position))
    }

    /// The position of a checkpoint that policy makes when this step is done, or before it begins
    /// where it is not yet; `None` beside others, and in a failed state.
    pub fn automatic(&self, token: u64, done: bool) -> Option<i64> {
        let at = self.open.get(&token)?.at();
        let others = self.open.len() > 1;
        let failed =
            self.steps.iter().enumerate().any(|(other, step)| step.mark == Mark::Failed && other != at);
        let position = self.steps[at].write.position;
        (!others && !failed).then_some(if done { self.next_position } else { position })
    }

    /// Whether a step of policy `once` at this position or behind it was begun.
    pub fn once_from(rows: &[StepRow], position: i64) -> Option<&StepWrite> {
        rows.iter().map(|row| &row.step).find(|step| step.once && step.position >= position)
    }

    /// Whether the change of this name to the program holds for this session; `None` where that is to be
    /// recorded as a step of this key.
    pub fn patched(&self, key: &str) -> Option<bool> {
        match self.by_key.get(key) {
            Some(&at) if self.steps[at].mark == Mark::Finished => Some(true),
            Some(_) => None,
            // What was recorded behind this place was recorded without the change.
            None if self.steps.iter().any(|step| step.recorded && !step.begun) => Some(false),
            None => None,
        }
    }

    /// Takes a running step's place for its outcome to be written; `Err(seq)` where it is written.
    pub fn finishing(&mut self, token: u64, now: i64) -> Result<std::result::Result<StepWrite, i64>> {
        if let Some(&seq) = self.reported.get(&token) {
            return Ok(Err(seq));
        }
        match self.open.get(&token) {
            Some(&Open::Running { at, since }) => {
                self.open.insert(token, Open::Finishing { at, since });
                let mut write = self.steps[at].write.clone();
                write.took = (now - since).max(0);
                Ok(Ok(write))
            }
            Some(Open::Finishing { .. }) => Err(in_flight()),
            None => Err(unknown_token()),
        }
    }

    /// The wait of this token ended by time.
    pub fn ended_by_time(&mut self, token: u64) {
        if let Some(open) = self.open.get(&token) {
            self.steps[open.at()].write.timed_out = true;
        }
    }

    /// The outcome is in the row `seq`, or could not be written and can be tried again.
    pub fn settled(&mut self, token: u64, written: Option<(i64, bool)>, small: Option<Payload>) {
        let Some(&Open::Finishing { at, since }) = self.open.get(&token) else { return };
        let Some((seq, failed)) = written else {
            self.open.insert(token, Open::Running { at, since });
            return;
        };
        self.open.remove(&token);
        self.reported.insert(token, seq);
        let step = &mut self.steps[at];
        step.mark = if failed { Mark::Failed } else { Mark::Finished };
        (step.seq, step.small) = (seq, small);
    }

    /// The recorded plan around the place where the program leaves it, and what it asks for instead.
    fn diff(&self, asked: &Asked) -> String {
        let line = |write: &StepWrite| {
            let key = write.key.as_ref().map_or_else(String::new, |key| format!(" (key {key})"));
            format!("{:>4}  {}{key}", write.position, write.name)
        };
        let mut steps: Vec<&Step> = self.steps.iter().filter(|step| step.recorded).collect();
        steps.sort_by_key(|step| step.write.position);
        let done = steps.iter().filter(|step| step.begun).map(|step| &step.write);
        let mut lines: Vec<String> = done.map(|write| format!("  {}", line(write))).collect();
        lines.drain(..lines.len().saturating_sub(3));
        let left = steps.iter().filter(|step| !step.begun).map(|step| &step.write);
        lines.extend(left.take(3).map(|write| format!("- {}", line(write))));
        let key = asked.key.as_ref().map_or_else(String::new, |key| format!(" (key {key})"));
        lines.push(format!("+       {}{key}", asked.name));
        lines.join("\n")
    }

    fn check_same(&self, at: usize, asked: &Asked) -> Result<()> {
        let step = &self.steps[at];
        let place = place(&step.write);
        if step.write.name != asked.name {
            return Err(diverged(
                &step.write,
                &format!(
                    "{place} was recorded with the name `{}`, now it is `{}`",
                    step.write.name, asked.name
                ),
            ));
        }
        if step.write.hash != asked.hash {
            return Err(diverged(
                &step.write,
                &format!(
                    "{place} was recorded with arguments of SHA-256 {}, now they have {}",
                    short(step.write.hash),
                    short(asked.hash)
                ),
            )
            .with("recorded_args", hash_text(step.write.hash))
            .with("asked_args", hash_text(asked.hash)));
        }
        if step.write.once != asked.once {
            let word = |once: bool| if once { "once" } else { "retry" };
            return Err(diverged(
                &step.write,
                &format!(
                    "{place} was recorded with policy `{}`, now it is `{}`",
                    word(step.write.once),
                    word(asked.once)
                ),
            ));
        }
        Ok(())
    }

    fn check_order(&self, asked: &Asked, found: Option<usize>) -> Result<()> {
        let Some(first) = self.before(asked, found) else { return Ok(()) };
        let now = match found {
            Some(at) => format!("{} is asked for", place(&self.steps[at].write)),
            None => format!("a new step `{}` is asked for", asked.name),
        };
        let text = format!("{} was recorded here, now {now}", place(first));
        Err(diverged(
            first,
            &format!("{text} (steps that run beside others may come in any order if each has a key)"),
        ))
    }
}

pub(super) fn finished() -> Error {
    Error::new("session.finished", "the session has ended and takes no more steps; open one of another id")
}

fn in_flight() -> Error {
    Error::new("session.token", "this step is being finished by another call; wait for that one")
}

pub(super) fn unknown_token() -> Error {
    Error::new(
        "session.token",
        "the token is not one of this handle's open steps; pass the token that session.begin answered last",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str) -> Asked {
        Asked { name: name.to_owned(), key: None, hash: None, once: false, wait: None }
    }

    fn keyed(name: &str, key: &str) -> Asked {
        Asked { key: Some(key.to_owned()), ..asked(name) }
    }

    /// A program as a list of begins and ends; what it wrote, as rows.
    #[derive(Default)]
    struct Log(Vec<StepRow>);

    impl Log {
        fn end(&mut self, plan: &mut Plan, token: u64, failed: bool) {
            let step = plan.finishing(token, 5).unwrap().unwrap();
            let seq = self.0.len() as i64 + 1;
            plan.settled(token, Some((seq, failed)), None);
            let state = if failed { StepMark::Failed } else { StepMark::Finished };
            self.0.push(StepRow { seq, state, at: 5, step, small: None });
        }

        fn run(&mut self, plan: &mut Plan, asked: &Asked, failed: bool) -> i64 {
            match plan.begin(asked, 0, None).unwrap() {
                Answer::Run { token, attempt, .. } => {
                    self.end(plan, token, failed);
                    attempt
                }
                other => panic!("not to be run: {other:?}"),
            }
        }

        fn reopened(&self) -> Plan {
            Plan::load(self.0.clone())
        }
    }

    fn token(answer: Answer) -> u64 {
        match answer {
            Answer::Run { token, .. } | Answer::Unknown { token, .. } => token,
            other => panic!("no token: {other:?}"),
        }
    }

    fn refusal(plan: &mut Plan, asked: &Asked) -> String {
        let error = plan.begin(asked, 0, None).unwrap_err();
        assert_eq!(error.code(), "session.diverged");
        error.message().to_owned()
    }

    #[test]
    fn the_same_plan_is_answered_from_the_record() {
        let (mut log, mut plan) = (Log::default(), Plan::default());
        for name in ["a", "b", "a"] {
            log.run(&mut plan, &asked(name), false);
        }
        let mut again = log.reopened();
        for (name, wanted) in [("a", 1), ("b", 2), ("a", 3)] {
            let Answer::Done { seq, .. } = again.begin(&asked(name), 0, None).unwrap() else { panic!() };
            assert_eq!(seq, wanted);
        }
        assert_eq!(log.run(&mut again, &asked("a"), false), 1);
        assert_eq!(log.0[3].step.position, 3);
        assert_eq!(log.0[3].step.nth, 2);
    }

    #[test]
    fn every_other_plan_is_told_apart() {
        let (mut log, mut plan) = (Log::default(), Plan::default());
        for name in ["a", "b", "c"] {
            log.run(&mut plan, &asked(name), false);
        }
        log.run(&mut plan, &keyed("k", "1"), false);
        let other_args = Asked { hash: Some([1; 32]), ..asked("a") };
        assert!(refusal(&mut log.reopened(), &other_args).contains("arguments"));
        assert!(refusal(&mut log.reopened(), &Asked { once: true, ..asked("a") }).contains("policy `retry`"));
        assert!(refusal(&mut log.reopened(), &asked("new")).contains("new step `new`"));
        assert!(refusal(&mut log.reopened(), &asked("b")).contains("step `a` was recorded here"));
        assert!(refusal(&mut log.reopened(), &keyed("j", "1")).contains("with the name `k`, now it is `j`"));
        let mut skipped = log.reopened();
        skipped.begin(&asked("a"), 0, None).unwrap();
        assert!(refusal(&mut skipped, &asked("c")).contains("position 1"));
        // A refused begin leaves no trace: the plan goes on.
        skipped.begin(&asked("b"), 0, None).unwrap();
        skipped.begin(&asked("c"), 0, None).unwrap();
        skipped.begin(&asked("c"), 0, None).unwrap();
    }

    #[test]
    fn keyed_and_concurrent_steps_come_in_any_order() {
        let (mut log, mut plan) = (Log::default(), Plan::default());
        log.run(&mut plan, &asked("first"), false);
        let left = token(plan.begin(&asked("left"), 0, None).unwrap());
        let right = token(plan.begin(&asked("right"), 0, None).unwrap());
        log.end(&mut plan, right, false);
        log.end(&mut plan, left, false);
        log.run(&mut plan, &keyed("k", "1"), false);
        log.run(&mut plan, &keyed("k", "2"), false);
        let mut again = log.reopened();
        for asked in [keyed("k", "2"), asked("first"), asked("right"), keyed("k", "1"), asked("left")] {
            assert!(matches!(again.begin(&asked, 0, None).unwrap(), Answer::Done { .. }), "{asked:?}");
        }
        // Cut before `left` was done: it is new, beside what is recorded.
        log.0.retain(|row| row.step.name != "left");
        let mut cut = log.reopened();
        cut.begin(&asked("first"), 0, None).unwrap();
        assert!(matches!(cut.begin(&asked("right"), 0, None).unwrap(), Answer::Done { .. }));
        assert!(matches!(cut.begin(&asked("left"), 0, None).unwrap(), Answer::Run { .. }));
    }

    #[test]
    fn a_failed_step_runs_again_and_frees_what_follows() {
        let (mut log, mut plan) = (Log::default(), Plan::default());
        assert_eq!(log.run(&mut plan, &asked("a"), true), 1);
        log.run(&mut plan, &asked("clean up"), false);
        assert_eq!(log.run(&mut plan, &keyed("k", "1"), true), 1);
        assert_eq!(log.run(&mut plan, &keyed("k", "1"), true), 2);
        let mut again = log.reopened();
        assert_eq!(log.run(&mut again, &asked("a"), false), 2);
        log.run(&mut again, &asked("b"), false);
        assert_eq!(log.run(&mut again, &keyed("k", "1"), false), 3);
        assert!(matches!(again.begin(&keyed("k", "1"), 0, None).unwrap(), Answer::Done { attempt: 3, .. }));
    }

    #[test]
    fn a_once_step_is_never_run_twice_by_itself() {
        let once = Asked { once: true, ..keyed("deploy", "d") };
        let mut plan = Plan::default();
        let Answer::Run { token: first, intent: Some(intent), .. } = plan.begin(&once, 0, None).unwrap()
        else {
            panic!()
        };
        // Not written: it may be begun again.
        plan.started(first, false);
        assert!(plan.finishing(first, 0).is_err());
        let Answer::Run { token: second, attempt: 1, .. } = plan.begin(&once, 0, None).unwrap() else {
            panic!()
        };
        plan.started(second, true);
        let Answer::Unknown { token: third, .. } = plan.begin(&once, 0, None).unwrap() else { panic!() };
        assert!(plan.finishing(second, 0).is_err(), "the earlier token is void");
        assert!(plan.finishing(third, 0).unwrap().is_ok());
        let row = StepRow { seq: 9, state: StepMark::Started, at: 0, step: intent, small: None };
        let mut again = Plan::load(vec![row]);
        let Answer::Unknown { token, attempt: 1 } = again.begin(&once, 0, None).unwrap() else { panic!() };
        let mut log = Log::default();
        log.end(&mut again, token, true);
        let Answer::Run { attempt: 2, intent: Some(_), .. } = again.begin(&once, 0, None).unwrap() else {
            panic!()
        };
    }

    #[test]
    fn tokens_are_good_for_one_outcome() {
        let mut plan = Plan::default();
        let open = token(plan.begin(&asked("a"), 0, None).unwrap());
        assert!(plan.finishing(open + 1, 0).is_err());
        plan.finishing(open, 0).unwrap().unwrap();
        assert_eq!(plan.finishing(open, 0).unwrap_err().code(), "session.token");
        plan.settled(open, None, None);
        plan.finishing(open, 0).unwrap().unwrap();
        plan.settled(open, Some((3, false)), None);
        assert_eq!(plan.finishing(open, 0).unwrap().unwrap_err(), 3);
        plan.ended = true;
        assert_eq!(plan.begin(&asked("b"), 0, None).unwrap_err().code(), "session.finished");
    }
}
