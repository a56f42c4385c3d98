//! One life of the sessions and the queue of tests/kill; see run.py for what is asked of it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use barograph::blocking::{Session, Workspace, wait};
use barograph::{
    EnqueueArgs, Error, Failure, NewTask, OpenArgs, Payload, SessionCompleteArgs, SessionOpenArgs,
    StepBeginArgs, StepFinishArgs, StepPolicy, StepState, TaskFailure, TaskResult, WorkerCompleteArgs,
    WorkerFailArgs, WorkerNextArgs, WorkerOpenArgs,
};
use serde_json::{Value, json};

struct Life {
    plan: Value,
    folder: PathBuf,
    number: u64,
    effects: File,
    acks: File,
}

impl Life {
    fn reached(&self, point: &str) {
        if self.plan["die_at"] == point {
            let _ =
                std::process::Command::new("kill").args(["-KILL", &std::process::id().to_string()]).status();
            loop {
                std::thread::park();
            }
        }
    }

    fn note(&self, name: &str, subject: &str, text: &str) {
        let mut file = if name == "acks" { &self.acks } else { &self.effects };
        // One write: lines of other threads and processes must not come in between.
        file.write_all(format!("{} {subject} {text}\n", self.number).as_bytes()).unwrap();
        self.reached(&format!("{subject} {} {name} written", text.split(' ').next().unwrap()));
        file.sync_all().unwrap();
    }

    fn names(&self, key: &str) -> Vec<String> {
        self.plan[key].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    /// The life in which a step had its effect.
    fn found(&self, subject: &str, step: u64) -> Option<u64> {
        let text = std::fs::read_to_string(self.folder.join("effects")).unwrap();
        let line = text.lines().find(|line| line.ends_with(&format!(" {subject} {step}")))?;
        line.split(' ').next()?.parse().ok()
    }

    fn work(&self, subject: &str, step: u64) -> Value {
        self.reached(&format!("{subject} {step} begun"));
        self.note("effects", subject, &step.to_string());
        self.reached(&format!("{subject} {step} worked"));
        if self.plan["ack_early"] == true {
            self.note("acks", subject, &format!("{step} {}", self.number));
        }
        json!({ "step": step, "life": self.number })
    }

    fn once(&self, s: &Session, subject: &str, step: u64) -> Value {
        loop {
            let start = s
                .begin(StepBeginArgs {
                    name: "once".to_owned(),
                    key: Some(format!("once-{step}")),
                    args: json!({ "step": step }),
                    policy: StepPolicy::Once,
                })
                .unwrap();
            let token = start.token.unwrap_or_default();
            let value = match start.state {
                StepState::Done => return start.result.unwrap().json,
                StepState::Run => self.work(subject, step),
                StepState::Unknown => {
                    self.reached(&format!("{subject} {step} unknown"));
                    match self.found(subject, step) {
                        Some(life) => json!({ "step": step, "life": life }),
                        None => {
                            let failure =
                                Failure { message: "it did not happen".to_owned(), ..Failure::default() };
                            s.finish(StepFinishArgs { token, result: None, failure: Some(failure) }).unwrap();
                            self.reached(&format!("{subject} {step} refused"));
                            continue;
                        }
                    }
                }
            };
            s.finish(StepFinishArgs { token, result: Some(Payload::json(value.clone())), failure: None })
                .unwrap();
            return value;
        }
    }

    fn session(&self, ws: &Workspace, subject: &str) {
        let open = SessionOpenArgs { id: subject.to_owned(), resume: true, ..SessionOpenArgs::default() };
        let s = ws.session().open(open).unwrap();
        let mut lives = Vec::new();
        for step in 0..self.plan["steps"].as_u64().unwrap() {
            self.reached(&format!("{subject} {step} before"));
            let result: Value = if step % 4 == 3 {
                self.once(&s, subject, step)
            } else {
                let name = format!("step-{}", step % 3);
                let args = StepBeginArgs { name, args: json!({ "step": step }), ..StepBeginArgs::default() };
                wait(s.0.step_with(args, || async { Ok::<_, Error>(self.work(subject, step)) })).unwrap()
            };
            self.reached(&format!("{subject} {step} finished"));
            assert_eq!(result["step"], step);
            self.note("acks", subject, &format!("{step} {}", result["life"]));
            lives.push(result["life"].clone());
            self.reached(&format!("{subject} {step} acked"));
        }
        self.reached(&format!("{subject} end before"));
        let output = Some(Payload::json(json!({ "lives": lives })));
        s.complete(SessionCompleteArgs { output, failure: None }).unwrap();
        self.reached(&format!("{subject} end finished"));
        self.note("acks", subject, "end -");
    }

    fn produce(&self, ws: &Workspace) {
        for batch in self.names("batches") {
            let task = |at: u64| {
                let name = format!("{batch}-{at}");
                // The first of each batch soon runs out of attempts.
                let max_attempts = if at == 0 { 2 } else { 1000 };
                let payload = Payload::json(name.clone());
                NewTask { key: Some(name.clone()), name, payload, max_attempts, ..NewTask::default() }
            };
            let tasks = (0..self.plan["batch_size"].as_u64().unwrap()).map(task).collect();
            self.reached(&format!("{batch} - before"));
            let ids = ws.queue().enqueue(EnqueueArgs { queue: "q".to_owned(), tasks }).unwrap().ids;
            self.reached(&format!("{batch} - finished"));
            self.note("acks", &batch, &ids.join(","));
        }
    }

    fn consume(&self, ws: &Workspace) {
        let worker =
            ws.worker().open(WorkerOpenArgs { queue: "q".to_owned(), ..WorkerOpenArgs::default() }).unwrap();
        let mut taken = 0;
        loop {
            let tasks = worker.next(WorkerNextArgs { max: 4, wait_ms: 50 }).unwrap().tasks;
            if tasks.is_empty() {
                break;
            }
            let (mut done, mut failed) = (Vec::new(), Vec::new());
            for task in tasks {
                assert_eq!(task.payload, Payload::json(task.name.clone()));
                taken += 1;
                self.reached(&format!("task {taken} begun"));
                self.note("effects", &task.name, &task.attempt.to_string());
                self.reached(&format!("task {taken} worked"));
                // The second of each batch fails at first.
                match task.name.ends_with("-1") && task.attempt == 1 {
                    true => failed.push(task),
                    false => done.push(task),
                }
            }
            let tasks = done
                .iter()
                .map(|task| TaskResult { id: task.id.clone(), result: Payload::json(task.attempt) })
                .collect();
            let refused = worker.complete(WorkerCompleteArgs { tasks }).unwrap().refused;
            for task in &done {
                self.reached("task finished");
                if !refused.contains(&task.id) {
                    self.note("acks", &task.name, &task.attempt.to_string());
                }
            }
            let tasks = failed
                .into_iter()
                .map(|task| TaskFailure {
                    id: task.id,
                    failure: Failure { message: "not yet".to_owned(), ..Failure::default() },
                    retry: true,
                })
                .collect();
            worker.fail(WorkerFailArgs { tasks }).unwrap();
        }
    }
}

fn append(folder: &Path, name: &str) -> File {
    File::options().append(true).create(true).open(folder.join(name)).unwrap()
}

fn main() {
    let plan: Value = serde_json::from_str(&std::env::args().nth(1).unwrap()).unwrap();
    let path = plan["folder"].as_str().unwrap().to_owned();
    let folder = PathBuf::from(&path);
    let number = plan["life"].as_u64().unwrap();
    let life =
        Life { number, effects: append(&folder, "effects"), acks: append(&folder, "acks"), plan, folder };
    let store = Some(life.folder.join("store.db").display().to_string());
    let ws = Workspace::open(OpenArgs { path, store, ..OpenArgs::default() }).unwrap();
    println!("open");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    life.produce(&ws);
    std::thread::scope(|scope| {
        for subject in life.names("sessions") {
            let (life, ws) = (&life, &ws);
            scope.spawn(move || life.session(ws, &subject));
        }
        scope.spawn(|| life.consume(&ws));
    });
}
