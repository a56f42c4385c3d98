//! Two contestants of `benches/peers/sessions/run.py`: `sessions raw FOLDER`, the floor, and `sessions
//! barograph FOLDER [POSTGRES-URL]`. Each takes commands by line and answers with one JSON object by line, so that
//! the driver can let contestants take turns while all of them stay warm.

mod ours;
mod raw;

use std::io::{BufRead, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Something that can be told what to do.
trait Contestant {
    fn obey(&mut self, verb: &str, numbers: &[usize]) -> Fallible<Value>;
}

/// The median of `times` and what one in a hundred exceeds, in microseconds.
fn spread(mut times: Vec<f64>) -> Value {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default() * 1e6;
    json!({ "p50_us": at(0.5), "p99_us": at(0.99) })
}

fn main() -> Fallible<()> {
    let mut args = std::env::args().skip(1);
    let (Some(kind), Some(folder)) = (args.next(), args.next().map(PathBuf::from)) else {
        return Err("usage: sessions raw|barograph FOLDER [POSTGRES-URL]".into());
    };
    let mut contestant: Box<dyn Contestant> = match kind.as_str() {
        "raw" => Box::new(raw::Raw::open(&folder)?),
        "barograph" => Box::new(ours::Ours::open(&folder, args.next())?),
        other => return Err(format!("no contestant `{other}`").into()),
    };
    let mut out = std::io::stdout();
    writeln!(out, "{}", json!({ "ready": true }))?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split_whitespace();
        let Some(verb) = words.next() else { continue };
        let numbers = words.map(str::parse).collect::<Result<Vec<usize>, _>>()?;
        writeln!(out, "{}", contestant.obey(verb, &numbers)?)?;
    }
    Ok(())
}
