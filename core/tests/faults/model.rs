//! What a program must see: worked out from its moves by hand, and read from a store.

use barograph::blocking::wait;
use barograph::*;

use crate::program::{FILLER, Move, NO_LUCK, QUEUE, SESSION, result_of};

/// Everything that can be seen of a session and a queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    pub status: Option<SessionStatus>,
    pub output: Option<Payload>,
    pub steps: Vec<Step>,
    /// Tasks that are waiting or running, done, and dead.
    pub tasks: (u64, u64, u64),
    /// The history: kind, what it is about, and attempt or count.
    pub events: Vec<(String, String, u64)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub name: String,
    pub policy: StepPolicy,
    pub status: StepStatus,
    pub attempts: u32,
    pub result: Option<Payload>,
    pub failure: Option<String>,
}

/// What is to be seen after these moves, made in one go.
pub fn expected(moves: &[Move]) -> Seen {
    let mut seen = Seen::default();
    let mut fillers = 0;
    let mut attempts = [0u64; 16];
    let mut waiting: Vec<usize> = Vec::new();
    for what in moves {
        match *what {
            Move::Open | Move::Close => {}
            Move::OpenSession => {
                if seen.status.is_none() {
                    seen.status = Some(SessionStatus::Open);
                    seen.say("session.created", "", 0);
                }
            }
            Move::Step { name, bytes } => {
                let nth = if name == FILLER { fillers } else { 0 };
                fillers += usize::from(name == FILLER);
                let result = Some(result_of(name, nth, bytes));
                seen.step(name, StepPolicy::Retry, StepStatus::Done, result);
            }
            Move::Fail(name) => seen.step(name, StepPolicy::Retry, StepStatus::Failed, None),
            Move::Intent(name) => seen.step(name, StepPolicy::Once, StepStatus::Running, None),
            Move::Confirm(name) => {
                seen.step(name, StepPolicy::Once, StepStatus::Done, Some(result_of(name, 0, 0)));
            }
            Move::Enqueue(count) => {
                seen.tasks.0 += count as u64;
                waiting = (0..count).collect();
                seen.say("task.enqueued", QUEUE, count as u64);
            }
            Move::Claim => waiting.drain(..).for_each(|task| attempts[task] += 1),
            Move::Complete(numbers) => {
                for task in numbers {
                    seen.tasks.0 -= 1;
                    seen.tasks.1 += 1;
                    seen.say("task.completed", &format!("task {task}"), attempts[*task]);
                }
            }
            Move::FailTask { task, retry } if retry && attempts[task] < 2 => {
                waiting.push(task);
                seen.say("task.failed", &format!("task {task}"), attempts[task]);
            }
            Move::FailTask { task, .. } => {
                seen.tasks.0 -= 1;
                seen.tasks.2 += 1;
                seen.say("task.dead", &format!("task {task}"), attempts[task]);
            }
            Move::End => {
                seen.status = Some(SessionStatus::Completed);
                seen.output = Some(Payload::json("end"));
                seen.say("session.completed", "", 0);
            }
        }
    }
    seen
}

impl Seen {
    fn say(&mut self, kind: &str, about: &str, number: u64) {
        self.events.push((kind.to_owned(), about.to_owned(), number));
    }

    fn step(&mut self, name: &str, policy: StepPolicy, status: StepStatus, result: Option<Payload>) {
        // A step of another name is another step, but for fillers, which are told apart by number.
        let known = self.steps.iter().rposition(|step| step.name == name && name != FILLER);
        let before = known.map(|at| &self.steps[at]);
        let attempts = match before {
            None => 1,
            Some(step) => step.attempts + u32::from(step.status == StepStatus::Failed),
        };
        let failure = (status == StepStatus::Failed).then(|| NO_LUCK.to_owned());
        let kind = match status {
            StepStatus::Running | StepStatus::Waiting => "step.started",
            StepStatus::Done => "step.finished",
            StepStatus::Failed => "step.failed",
        };
        self.say(kind, name, u64::from(attempts));
        let step = Step { name: name.to_owned(), policy, status, attempts, result, failure };
        match known {
            Some(at) => self.steps[at] = step,
            None => self.steps.push(step),
        }
    }
}

/// Reads everything that can be seen. The text says what does not fit together.
pub fn observe(ws: &Workspace) -> std::result::Result<Seen, String> {
    observed(ws).map_err(|error| format!("cannot be read: {error:?}"))?
}

fn observed(ws: &Workspace) -> Result<std::result::Result<Seen, String>> {
    let mut seen = Seen::default();
    match wait(ws.session().show(SessionIdArgs { id: SESSION.to_owned() })) {
        Err(error) if error.code() == "session.missing" => {}
        Err(error) => return Err(error),
        Ok(shown) => {
            seen.status = Some(shown.session.status);
            seen.output = shown.session.output;
            for (at, step) in shown.steps.iter().enumerate() {
                if step.position != at as u64 {
                    return Ok(Err(format!("step {} has position {}", at, step.position)));
                }
            }
            let done = shown.steps.iter().filter(|step| step.status == StepStatus::Done).count() as u64;
            if shown.session.steps_done != done {
                return Ok(Err(format!(
                    "{done} steps are done, the session counts {}",
                    shown.session.steps_done
                )));
            }
            seen.steps = shown.steps.into_iter().map(Step::from).collect();
        }
    }
    let tasks = wait(ws.queue().show(QueueShowArgs { queue: QUEUE.to_owned() }))?;
    seen.tasks = (tasks.waiting + tasks.running, tasks.done, tasks.dead);
    let stream = wait(ws.events().open(EventsOpenArgs::default()))?;
    let mut last = 0;
    loop {
        let page = wait(stream.next(EventsNextArgs { max: 10_000, wait_ms: 0 }))?;
        for event in page.events {
            if event.seq <= last {
                return Ok(Err(format!("event {} comes after {last}", event.seq)));
            }
            last = event.seq;
            let about = event.data["name"].as_str().or(event.data["queue"].as_str()).unwrap_or_default();
            let number = event.data["attempt"].as_u64().or(event.data["count"].as_u64()).unwrap_or(0);
            seen.say(&event.kind, about, number);
        }
        if page.ended {
            return Ok(Ok(seen));
        }
    }
}

impl From<StepRecord> for Step {
    fn from(step: StepRecord) -> Step {
        Step {
            name: step.name,
            policy: step.policy,
            status: step.status,
            attempts: step.attempts,
            result: step.result,
            failure: step.failure.map(|failure| failure.message),
        }
    }
}

/// How two sights differ, in a few words.
pub fn difference(seen: &Seen, wanted: &Seen) -> String {
    if let Some(at) =
        (0..seen.steps.len().max(wanted.steps.len())).find(|&at| seen.steps.get(at) != wanted.steps.get(at))
    {
        let short = |step: Option<&Step>| {
            step.map_or("nothing".to_owned(), |step| {
                format!("`{}` {:?} attempt {}", step.name, step.status, step.attempts)
            })
        };
        return format!("step {at} is {}, not {}", short(seen.steps.get(at)), short(wanted.steps.get(at)));
    }
    let rest = |sight: &Seen| format!("{:?} {:?} {:?}", sight.status, sight.output, sight.tasks);
    if rest(seen) != rest(wanted) {
        return format!("it is {}, not {}", rest(seen), rest(wanted));
    }
    let at = (0..).find(|&at| seen.events.get(at) != wanted.events.get(at) || at > seen.events.len());
    let at = at.unwrap_or_default();
    format!("event {at} is {:?}, not {:?}", seen.events.get(at), wanted.events.get(at))
}
