//! durare, a contestant of `../run.py`: `durare-peer shipped|full FOLDER`.
//!
//! `shipped` is its own SQLite provider (WAL, `synchronous = NORMAL`: a step is not synced when it is
//! reported); `full` is the same provider over a pool with `synchronous = FULL`.

use std::io::BufRead;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use durare::{DurableContext, DurableEngine, Result, SqliteProvider, WorkflowOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

#[durare::step]
async fn noop(ctx: &DurableContext) -> Result<()> {
    Ok(())
}

/// Seconds that the steps took, without the workflow's own start and end.
#[durare::workflow]
async fn steps(ctx: DurableContext, count: usize) -> Result<f64> {
    let start = Instant::now();
    for _ in 0..count {
        noop(&ctx).await?;
    }
    Ok(start.elapsed().as_secs_f64())
}

async fn provider(kind: &str, url: &str) -> std::result::Result<SqliteProvider, Box<dyn std::error::Error>> {
    if kind == "shipped" {
        return Ok(SqliteProvider::connect(url).await?);
    }
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5));
    Ok(SqliteProvider::from_pool(SqlitePoolOptions::new().max_connections(5).connect_with(options).await?))
}

#[tokio::main(worker_threads = 2)]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let url = format!("sqlite://{}/durare.db", args[2]);
    let engine = DurableEngine::new(Arc::new(provider(&args[1], &url).await?)).await?;
    println!("{{\"ready\": true}}");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<usize>();
        let seconds = match words[0] {
            "steps" => engine.start_with(Steps, number(1)?, WorkflowOptions::default()).await?.await?,
            "many" => {
                let start = Instant::now();
                let mut runs = Vec::new();
                for _ in 0..number(1)? {
                    runs.push(engine.start_with(Steps, number(2)?, WorkflowOptions::default()).await?);
                }
                for run in runs {
                    run.await?;
                }
                start.elapsed().as_secs_f64()
            }
            other => return Err(format!("cannot `{other}`").into()),
        };
        println!("{}", serde_json::json!({ "seconds": seconds }));
    }
    engine.shutdown(Duration::from_secs(5)).await?;
    Ok(())
}
