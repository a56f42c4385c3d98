//! duroxide, a contestant of `../run.py`: `duroxide-peer FOLDER`.
//!
//! A step is an activity. Its dispatchers ask for work every millisecond instead of every 100, which
//! would be all that is measured; all else is as it ships.

use std::io::BufRead;
use std::sync::Arc;
use std::time::{Duration, Instant};

use duroxide::providers::sqlite::SqliteProvider;
use duroxide::runtime::registry::ActivityRegistry;
use duroxide::runtime::{Runtime, RuntimeOptions};
use duroxide::{ActivityContext, Client, OrchestrationContext, OrchestrationRegistry, OrchestrationStatus};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const PATIENCE: Duration = Duration::from_secs(100);

/// A run begins a new execution after this many steps, as the library asks for: histories are bounded.
const EXECUTION: usize = 200;

async fn steps(ctx: OrchestrationContext, count: String) -> Result<String, String> {
    let count: usize = count.parse().map_err(|_| "not a number".to_owned())?;
    for _ in 0..count.min(EXECUTION) {
        ctx.schedule_activity("noop", "").await?;
    }
    match count.saturating_sub(EXECUTION) {
        0 => Ok(String::new()),
        left => ctx.continue_as_new(left.to_string()).await,
    }
}

async fn run(client: &Client, made: &mut usize, runs: usize, count: usize) -> Fallible<f64> {
    let start = Instant::now();
    let ids: Vec<String> = (*made..*made + runs).map(|at| format!("run-{at}")).collect();
    *made += runs;
    for id in &ids {
        client.start_orchestration(id, "steps", count.to_string()).await?;
    }
    for id in &ids {
        match client.wait_for_orchestration(id, PATIENCE).await? {
            OrchestrationStatus::Completed { .. } => {}
            other => return Err(format!("{other:?}").into()),
        }
    }
    Ok(start.elapsed().as_secs_f64())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Fallible<()> {
    let folder = std::env::args().nth(1).ok_or("a folder is needed")?;
    let store = Arc::new(SqliteProvider::new(&format!("sqlite:{folder}/duroxide.db?mode=rwc"), None).await?);
    let activities = ActivityRegistry::builder()
        .register("noop", |_: ActivityContext, _: String| async { Ok(String::new()) })
        .build();
    let orchestrations = OrchestrationRegistry::builder().register("steps", steps).build();
    let options = RuntimeOptions {
        dispatcher_min_poll_interval: Duration::from_millis(1),
        ..RuntimeOptions::default()
    };
    let runtime = Runtime::start_with_options(store.clone(), activities, orchestrations, options).await;
    let client = Client::new(store);
    println!("{{\"ready\": true}}");
    let mut made = 0;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<usize>();
        let seconds = match words[0] {
            "steps" => run(&client, &mut made, 1, number(1)?).await?,
            "many" => run(&client, &mut made, number(1)?, number(2)?).await?,
            other => return Err(format!("cannot `{other}`").into()),
        };
        println!("{}", serde_json::json!({ "seconds": seconds }));
    }
    runtime.shutdown(None).await;
    Ok(())
}
