//! One cold read of a repository's history, and warm repeats: what `benches/peers/git_log.py` times.
//!
//! `history REPOSITORY [RANGE]`; `history REPOSITORY --files`, which reads files, renames and authors alone
//! (`git.coupling`); or `history REPOSITORY --new STEPS`: reads up to `HEAD~STEPS` first, and
//! then times how each next commit along first parents is taken in, by `git.features` for all rows, and by
//! `risk.change` of the one commit.

use std::time::Instant;

use barograph::{CouplingArgs, FeaturesArgs, OpenArgs, Workspace, blocking};

fn main() -> barograph::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| ".".to_owned());
    let range = arguments.next();
    blocking::wait(async {
        let ws = Workspace::open(OpenArgs { path, in_memory: true, ..OpenArgs::default() }).await?;
        if range.as_deref() == Some("--new") {
            let steps = arguments.next().and_then(|steps| steps.parse().ok()).unwrap_or(20);
            return new_commits(&ws, steps).await;
        }
        let files = range.as_deref() == Some("--files");
        for round in ["cold", "warm", "warm"] {
            if files {
                let start = Instant::now();
                let pairs = ws.git().coupling(CouplingArgs::default()).await?.pairs.len();
                report(round, pairs, ms(start));
                continue;
            }
            let start = Instant::now();
            let table =
                ws.git().features(FeaturesArgs { range: range.clone(), ..FeaturesArgs::default() }).await?;
            report(round, table.rows.len(), ms(start));
        }
        Ok(())
    })
}

async fn new_commits(ws: &Workspace, steps: u32) -> barograph::Result<()> {
    let features = async |range: String| {
        let start = Instant::now();
        let args = FeaturesArgs { range: Some(range), ..FeaturesArgs::default() };
        let rows = ws.git().features(args).await?.rows.len();
        Ok::<_, barograph::Error>((rows, ms(start)))
    };
    let (rows, cold) = features(format!("HEAD~{steps}")).await?;
    report("cold", rows, cold);
    let (mut all, mut one, mut risk) = (Vec::new(), Vec::new(), Vec::new());
    for step in (0..steps).rev() {
        let start = Instant::now();
        match step % 3 {
            0 => all.push(features(format!("HEAD~{step}")).await?.1),
            1 => one.push(features(format!("HEAD~{}..HEAD~{step}", step + 1)).await?.1),
            _ => {
                ws.risk().change(format!("HEAD~{step}").as_str()).await?;
                risk.push(ms(start));
            }
        }
    }
    for (name, mut times) in [("all rows", all), ("one row", one), ("risk", risk)] {
        times.sort_by(f64::total_cmp);
        let most = times.last().copied().unwrap_or(0.0);
        let median = times.get(times.len() / 2).copied().unwrap_or(0.0);
        report(&format!("new commit, {name}, median (most {most:.1} ms)"), times.len(), median);
    }
    Ok(())
}

fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

#[allow(clippy::print_stdout)]
fn report(round: &str, rows: usize, ms: f64) {
    println!("{round} {rows} rows {ms:.1} ms");
}
