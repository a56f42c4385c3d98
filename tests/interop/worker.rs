//! Runs the steps of a session; see run.py for what is asked of it.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use barograph::blocking::{Session, Workspace};
use barograph::{
    OpenArgs, Payload, Result, SessionCompleteArgs, SessionOpenArgs, StepBeginArgs, StepFinishArgs, StepState,
};
use serde_json::{Value, json};

fn step(session: &Session, name: &str, args: Value, work: impl FnOnce() -> Payload) -> Result<Payload> {
    let start = session.begin(StepBeginArgs { name: name.to_owned(), args, ..StepBeginArgs::default() })?;
    if start.state == StepState::Done {
        return Ok(start.result.unwrap_or_default());
    }
    let value = work();
    let token = start.token.unwrap_or_default();
    session.finish(StepFinishArgs { token, result: Some(value.clone()), failure: None })?;
    Ok(value)
}

fn effect(folder: &Path, number: u64, stop: i64) {
    let mut file = std::fs::File::options().append(true).create(true).open(folder.join("effects")).unwrap();
    writeln!(file, "{number} rust").unwrap();
    if number as i64 == stop {
        println!("waiting");
        std::thread::sleep(Duration::from_secs(600));
    }
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let (store, steps, stop) = (&args[1], args[3].parse().unwrap(), args[4].parse().unwrap());
    let folder = Path::new(store).parent().unwrap();
    let path = folder.display().to_string();
    let ws = Workspace::open(OpenArgs { path, store: Some(store.clone()), ..OpenArgs::default() })?;
    let open = SessionOpenArgs { id: args[2].clone(), resume: true, ..SessionOpenArgs::default() };
    let s = ws.session().open(open)?;
    let mut total = 0;
    for number in 0..steps {
        let wanted = json!({ "step": number, "half": number as f64 / 2.0, "text": format!("é{number}") });
        let args = json!({ "b": number, "a": [number, "é"] });
        let got = step(&s, &format!("step-{number}"), args, || {
            effect(folder, number, stop);
            Payload::json(wanted.clone())
        })?;
        // 1 and 1.0 are one number; a host may write either.
        assert_eq!(got.json["half"].as_f64(), wanted["half"].as_f64());
        assert_eq!((&got.json["step"], &got.json["text"]), (&wanted["step"], &wanted["text"]));
        total += number;
    }
    let bytes = vec![0, 1, 254, 255];
    let blob = step(&s, "bytes", Value::Null, || Payload::bytes(bytes.clone(), "application/octet-stream"))?;
    assert_eq!(blob.bytes.map(|blob| blob.0), Some(bytes));
    s.complete(SessionCompleteArgs {
        output: Some(Payload::json(json!({ "total": total }))),
        failure: None,
    })?;
    Ok(())
}
