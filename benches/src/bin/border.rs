//! The Rust time of what `benches/border/` measures in every language: no door, no JSON.
//!
//! `benches/border/run.sh [REPOSITORY]` runs it. Prints one JSON object.

use std::io::Write;
use std::time::Instant;

use barograph::blocking::wait;
use barograph::{
    FeaturesArgs, NoArgs, OpenArgs, Payload, Session, SessionOpenArgs, StepBeginArgs, StepFinishArgs,
    StepState, Workspace,
};

/// As in the other languages: the lowest of rounds, each the mean of many calls, as other programs
/// of a busy machine can only add.
const ROUNDS: usize = 100;
const CALLS: usize = 200;
const TABLES: usize = 15;

fn lowest(values: Vec<f64>) -> f64 {
    values.into_iter().fold(f64::INFINITY, f64::min)
}

fn step() -> StepBeginArgs {
    let args = serde_json::Value::String("x".repeat(1_000));
    StepBeginArgs { name: "build".into(), args, ..StepBeginArgs::default() }
}

fn session(ws: &Workspace, resume: bool) -> barograph::Result<Session> {
    wait(ws.session().open(SessionOpenArgs { id: "border".into(), resume, ..SessionOpenArgs::default() }))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let repository = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let memory = Workspace::open(OpenArgs { in_memory: true, ..OpenArgs::default() });
    let ws = wait(memory)?;

    let mut info = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..CALLS {
            wait(ws.info(NoArgs::default()))?;
        }
        info.push(start.elapsed().as_secs_f64() * 1e6 / CALLS as f64);
    }

    let first = session(&ws, false)?;
    for _ in 0..CALLS {
        let token = wait(first.begin(step()))?.token.unwrap_or_default();
        let result = Some(Payload { json: "done".into(), ..Payload::default() });
        wait(first.finish(StepFinishArgs { token, result, ..StepFinishArgs::default() }))?;
    }
    drop(first);
    let mut steps = Vec::new();
    for _ in 0..ROUNDS {
        let again = session(&ws, true)?;
        let start = Instant::now();
        for _ in 0..CALLS {
            if wait(again.begin(step()))?.state != StepState::Done {
                return Err("a finished step was not answered as done".into());
            }
        }
        steps.push(start.elapsed().as_secs_f64() * 1e6 / CALLS as f64);
    }

    let ws = wait(Workspace::open(OpenArgs { path: repository, in_memory: true, ..OpenArgs::default() }))?;
    let rows = wait(ws.git().features(FeaturesArgs::default()))?.rows.len();
    let mut tables = Vec::new();
    for _ in 0..TABLES {
        let start = Instant::now();
        let table = wait(ws.git().features(FeaturesArgs::default()))?;
        tables.push(start.elapsed().as_secs_f64() * 1e3);
        drop(table);
    }
    let tables = lowest(tables);
    let report = serde_json::json!({
        "language": "Rust", "rows": rows, "bare_us": 0.0, "info_us": lowest(info), "step_us": lowest(steps),
        "columns_ms": tables, "records_ms": tables,
    });
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}
