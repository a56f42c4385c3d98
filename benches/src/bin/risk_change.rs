//! `risk.change HEAD` with nothing kept, then again and again in the same open workspace, on a store
//! on disk: what `benches/peers/risk_change.py` times. `risk_change REPOSITORY STORE`

use std::time::Instant;

use barograph::{ChangeArgs, OpenArgs, Workspace, blocking};

fn main() -> barograph::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| ".".to_owned());
    let store = arguments.next();
    blocking::wait(async {
        let ws = Workspace::open(OpenArgs { path, store, ..OpenArgs::default() }).await?;
        for round in ["first", "again", "again", "again", "again", "again"] {
            let start = Instant::now();
            let risk = ws
                .risk()
                .change(ChangeArgs { range: Some("HEAD".to_owned()), ..ChangeArgs::default() })
                .await?;
            report(round, start.elapsed().as_secs_f64() * 1000.0, risk.score);
        }
        Ok(())
    })
}

#[allow(clippy::print_stdout)]
fn report(round: &str, ms: f64, score: f64) {
    println!("{round} {ms:.1} ms (score {score})");
}
