//! The program whose store is hurt: a list of moves, made one after the other, that can be taken up again
//! after any of them.

use std::path::{Path, PathBuf};

use barograph::blocking::wait;
use barograph::*;

use crate::record::{Entry, Watch};

/// The session and the queue that it works on.
pub const SESSION: &str = "release";
pub const QUEUE: &str = "images";

/// One thing that the program does and is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Open,
    /// Opens the session, and goes through the recorded steps where there are any.
    OpenSession,
    /// A step of policy `retry` with a result of about so many bytes.
    Step {
        name: &'static str,
        bytes: usize,
    },
    /// A step that fails; a `Step` of its name tries it again.
    Fail(&'static str),
    /// A step of policy `once` is begun, and its intent written.
    Intent(&'static str),
    /// It is finished.
    Confirm(&'static str),
    Enqueue(usize),
    Claim,
    /// Claimed tasks are completed, by number.
    Complete(&'static [usize]),
    /// A claimed task fails.
    FailTask {
        task: usize,
        retry: bool,
    },
    End,
    /// Everything is closed.
    Close,
}

/// The name of the steps that fill the log.
pub const FILLER: &str = "filler";

fn filler() -> Move {
    Move::Step { name: FILLER, bytes: 150 }
}

/// All that a session can do, with `fillers` steps before the queue is used, and a second life.
pub fn program(fillers: usize) -> Vec<Move> {
    let mut moves = vec![
        Move::Open,
        Move::OpenSession,
        Move::Step { name: "fetch", bytes: 20 },
        Move::Step { name: "build", bytes: 9_000 },
        Move::Fail("test"),
        Move::Step { name: "test", bytes: 40 },
        Move::Intent("deploy"),
        Move::Confirm("deploy"),
    ];
    moves.extend(vec![filler(); fillers]);
    moves.extend([
        Move::Step { name: "archive", bytes: 70_000 },
        Move::Close,
        Move::Open,
        Move::OpenSession,
        Move::Step { name: "sign", bytes: 300 },
        Move::Enqueue(6),
        Move::Claim,
        Move::Complete(&[0, 1]),
        Move::FailTask { task: 2, retry: true },
        Move::FailTask { task: 3, retry: false },
        Move::Intent("publish"),
        Move::Confirm("publish"),
        Move::Complete(&[4, 5]),
        Move::Claim,
        Move::FailTask { task: 2, retry: true },
        Move::Step { name: "announce", bytes: 20 },
        Move::End,
        Move::Close,
    ]);
    moves
}

/// The result of a step: the same in every life.
pub fn result_of(name: &str, nth: usize, bytes: usize) -> Payload {
    Payload::json(format!("{name} {nth} {}", "x".repeat(bytes)))
}

/// What a failure says.
pub const NO_LUCK: &str = "no luck";

fn no_luck() -> Failure {
    Failure { message: NO_LUCK.to_owned(), ..Failure::default() }
}

/// Opens a workspace on the store in `folder`.
pub fn open(folder: &Path) -> Result<Workspace> {
    wait(Workspace::open(OpenArgs {
        path: folder.display().to_string(),
        store: Some(folder.join("s.db").display().to_string()),
        // The same bytes in every run, but for ids.
        clock: Some("2026-01-31T12:00:00Z".to_owned()),
        ..OpenArgs::default()
    }))
}

/// The program while it runs.
pub struct Life {
    folder: PathBuf,
    moves: Vec<Move>,
    pub ws: Option<Workspace>,
    session: Option<Session>,
    worker: Option<Worker>,
    claimed: Vec<ClaimedTask>,
    /// The token of the open `once` step.
    token: Option<String>,
    /// The token of a step whose outcome could not be written: to be tried again as it is.
    again: Option<String>,
    fillers: usize,
}

impl Life {
    pub fn new(folder: &Path, moves: &[Move]) -> Life {
        Life {
            folder: folder.to_owned(),
            moves: moves.to_vec(),
            ws: None,
            session: None,
            worker: None,
            claimed: Vec::new(),
            token: None,
            again: None,
            fillers: 0,
        }
    }

    fn ws(&self) -> &Workspace {
        self.ws.as_ref().expect("opened by a move before")
    }

    fn session(&self) -> &Session {
        self.session.as_ref().expect("opened by a move before")
    }

    /// Makes the move of this number.
    pub fn make(&mut self, at: usize) -> Result<()> {
        match self.moves[at] {
            Move::Open => {
                if self.ws.is_none() {
                    self.ws = Some(open(&self.folder)?);
                }
            }
            Move::OpenSession => {
                let args =
                    SessionOpenArgs { id: SESSION.to_owned(), resume: true, ..SessionOpenArgs::default() };
                self.session = Some(wait(self.ws().session().open(args))?);
                (self.fillers, self.again) = (0, None);
                for before in 0..at {
                    let again = self.moves[before];
                    if matches!(again, Move::Step { .. } | Move::Fail(_) | Move::Intent(_) | Move::Confirm(_))
                    {
                        self.make(before)?;
                    }
                }
            }
            Move::Step { name, bytes } => drop(self.step(name, bytes)?),
            Move::Fail(name) => {
                if let Some(token) = self.token_of(name)?.0 {
                    self.finish(StepFinishArgs { token, result: None, failure: Some(no_luck()) })?;
                }
            }
            Move::Intent(name) => self.token = self.begin(name, StepPolicy::Once)?.token,
            Move::Confirm(name) => {
                if let Some(token) = self.token.clone() {
                    let result = Some(result_of(name, 0, 0));
                    wait(self.session().finish(StepFinishArgs { token, result, failure: None }))?;
                    self.token = None;
                }
            }
            Move::Enqueue(count) => {
                let task = |at: usize| NewTask {
                    name: format!("task {at}"),
                    key: Some(format!("key {at}")),
                    payload: Payload::json(at),
                    max_attempts: 2,
                    ..NewTask::default()
                };
                let tasks = (0..count).map(task).collect();
                wait(self.ws().queue().enqueue(EnqueueArgs { queue: QUEUE.to_owned(), tasks }))?;
            }
            Move::Claim => {
                if self.worker.is_none() {
                    // Short, so that a later life need not wait for what this one has claimed.
                    let args = WorkerOpenArgs { queue: QUEUE.to_owned(), lease_ms: 100 };
                    self.worker = Some(wait(self.ws().worker().open(args))?);
                }
                let worker = self.worker.as_ref().expect("made above");
                self.claimed = wait(worker.next(WorkerNextArgs { max: 10, wait_ms: 0 }))?.tasks;
            }
            Move::Complete(numbers) => {
                let tasks = numbers
                    .iter()
                    .map(|number| TaskResult { id: self.claimed(*number), result: Payload::json(*number) });
                let report = WorkerCompleteArgs { tasks: tasks.collect() };
                let report = wait(self.worker.as_ref().expect("a worker").complete(report))?;
                assert_eq!((report.accepted, report.refused.len()), (numbers.len() as u64, 0));
            }
            Move::FailTask { task, retry } => {
                let task = TaskFailure { id: self.claimed(task), failure: no_luck(), retry };
                let report =
                    wait(self.worker.as_ref().expect("a worker").fail(WorkerFailArgs { tasks: vec![task] }))?;
                assert_eq!((report.accepted, report.refused.len()), (1, 0));
            }
            Move::End => {
                let output = Some(Payload::json("end"));
                wait(self.session().complete(SessionCompleteArgs { output, failure: None }))?;
            }
            Move::Close => self.close(),
        }
        Ok(())
    }

    /// Makes every move from this one on, and notes which have begun and which were answered.
    pub fn go(&mut self, from: usize, watch: &Watch) -> std::result::Result<(), (usize, Error)> {
        for at in from..self.moves.len() {
            watch.note(Entry::Began(at + 1));
            self.make(at).map_err(|error| (at, error))?;
            watch.note(Entry::Stood(at + 1));
        }
        Ok(())
    }

    /// Closes everything, as an orderly program does.
    pub fn close(&mut self) {
        // A worker and a session hold the workspace open.
        (self.worker, self.session) = (None, None);
        (self.token, self.again) = (None, None);
        self.claimed.clear();
        self.ws = None;
    }

    fn claimed(&self, number: usize) -> String {
        let name = format!("task {number}");
        self.claimed.iter().find(|task| task.name == name).expect("claimed by a move before").id.clone()
    }

    fn begin(&self, name: &str, policy: StepPolicy) -> Result<StepStart> {
        // With a key a step that failed can be tried again in the same life.
        let key = (name != FILLER).then(|| name.to_owned());
        wait(self.session().begin(StepBeginArgs { name: name.to_owned(), key, policy, ..Default::default() }))
    }

    /// Goes through a step; whether it had to run.
    fn step(&mut self, name: &str, bytes: usize) -> Result<bool> {
        let (token, known) = self.token_of(name)?;
        let nth = if name == FILLER { self.fillers } else { 0 };
        let result = result_of(name, nth, bytes);
        let runs = token.is_some();
        match token {
            None => assert_eq!(known, Some(result), "step {name} {nth} has another result"),
            Some(token) => self.finish(StepFinishArgs { token, result: Some(result), failure: None })?,
        }
        self.fillers += usize::from(name == FILLER);
        Ok(runs)
    }

    /// What to finish a step with, or its result.
    fn token_of(&mut self, name: &str) -> Result<(Option<String>, Option<Payload>)> {
        match self.again.take() {
            Some(token) => Ok((Some(token), None)),
            None => self.begin(name, StepPolicy::Retry).map(|start| (start.token, start.result)),
        }
    }

    fn finish(&mut self, args: StepFinishArgs) -> Result<()> {
        let token = args.token.clone();
        match wait(self.session().finish(args)) {
            Ok(_) => Ok(()),
            Err(error) => {
                self.again = Some(token);
                Err(error)
            }
        }
    }
}

/// Takes the program up after a crash and brings it to its end: recorded steps are not run again, one
/// more filler is as good as all that are left, and the queue is worked off.
pub fn resume(folder: &Path, moves: &[Move]) -> Result<Life> {
    let mut life = Life::new(folder, moves);
    life.ws = Some(open(folder)?);
    let args = SessionOpenArgs { id: SESSION.to_owned(), resume: true, ..SessionOpenArgs::default() };
    life.session = Some(wait(life.ws().session().open(args))?);
    let mut enough = false;
    for (at, what) in moves.iter().enumerate() {
        match what {
            Move::Step { name: FILLER, .. } if enough => {}
            Move::Step { name, bytes } => enough |= life.step(name, *bytes)? && *name == FILLER,
            Move::Fail(_) | Move::Intent(_) | Move::Confirm(_) | Move::Enqueue(_) => life.make(at)?,
            _ => {}
        }
    }
    let args = WorkerOpenArgs { queue: QUEUE.to_owned(), lease_ms: 30_000 };
    let worker = wait(life.ws().worker().open(args))?;
    loop {
        let counts = wait(life.ws().queue().show(QueueShowArgs { queue: QUEUE.to_owned() }))?;
        if counts.waiting + counts.running == 0 {
            break;
        }
        // What the last life had claimed comes back when its lease is over.
        let tasks = wait(worker.next(WorkerNextArgs { max: 10, wait_ms: 20_000 }))?.tasks;
        let results =
            tasks.into_iter().map(|task| TaskResult { id: task.id, result: Payload::default() }).collect();
        wait(worker.complete(WorkerCompleteArgs { tasks: results }))?;
    }
    let output = Some(Payload::json("end"));
    wait(life.session().complete(SessionCompleteArgs { output, failure: None }))?;
    Ok(life)
}
