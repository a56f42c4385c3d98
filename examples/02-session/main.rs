//! Steps that survive a kill: run it with `crash`, then again without.

use barograph::blocking::{Session, Workspace};
use barograph::{
    Payload, Result, SessionCompleteArgs, SessionOpenArgs, StepBeginArgs, StepFinishArgs, StepState,
};
use serde_json::{Value, json};

/// Runs `work` unless the step's result is on disk already.
fn step(session: &Session, name: &str, work: impl FnOnce() -> Value) -> Result<Value> {
    let start = session.begin(StepBeginArgs { name: name.to_owned(), ..StepBeginArgs::default() })?;
    if start.state == StepState::Done {
        return Ok(start.result.unwrap_or_default().json);
    }
    let value = work();
    let token = start.token.unwrap_or_default();
    session.finish(StepFinishArgs { token, result: Some(Payload::json(value.clone())), failure: None })?;
    Ok(value)
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let ws = Workspace::open(args[1].as_str())?;
    let crash = args.get(2).is_some_and(|word| word == "crash");
    let open = SessionOpenArgs { id: "release-42".to_owned(), resume: true, ..SessionOpenArgs::default() };
    let s = ws.session().open(open)?;
    let files = step(&s, "build", || {
        println!("building");
        json!(3)
    })?;
    step(&s, "publish", || {
        if crash {
            std::process::abort();
        }
        println!("publishing {files} files");
        Value::Null
    })?;
    let output = Some(Payload::json(json!({ "files": files })));
    let done = s.complete(SessionCompleteArgs { output, failure: None })?;
    println!("completed, {} steps", done.steps_done);
    Ok(())
}
