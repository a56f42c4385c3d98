//! One cold read of a repository's history, and warm repeats: what `benches/peers/git_log.py` times.

use std::time::Instant;

use barograph::{FeaturesArgs, OpenArgs, Workspace, blocking};

fn main() -> barograph::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| ".".to_owned());
    let range = arguments.next();
    blocking::wait(async {
        let ws = Workspace::open(OpenArgs { path, in_memory: true, ..OpenArgs::default() }).await?;
        for round in ["cold", "warm", "warm"] {
            let start = Instant::now();
            let table =
                ws.git().features(FeaturesArgs { range: range.clone(), ..FeaturesArgs::default() }).await?;
            let ms = start.elapsed().as_secs_f64() * 1000.0;
            report(round, table.rows.len(), ms);
        }
        Ok(())
    })
}

#[allow(clippy::print_stdout)]
fn report(round: &str, rows: usize, ms: f64) {
    println!("{round} {rows} rows {ms:.1} ms");
}
