//! awa, a contestant of `../run.py`: `awa-peer FOLDER POSTGRES-URL`.
//!
//! 100 workers and 50 ms between looks, as in its own benchmark; jobs go in by COPY, its fastest way.

use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use awa::{Client, InsertOpts, JobArgs, JobResult, QueueConfig, insert_many_copy_from_pool, migrations};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const QUEUE: &str = "bench";

#[derive(Debug, Serialize, Deserialize, JobArgs)]
struct Noop {}

/// Whether a job is not yet known as completed; those that are may be cleared away at any time.
async fn busy(pool: &PgPool) -> Fallible<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM awa.jobs WHERE queue = $1 AND state <> 'completed')";
    Ok(sqlx::query_scalar(sql).bind(QUEUE).fetch_one(pool).await?)
}

/// Seconds from the first insert until the last completion is committed.
async fn queue(pool: &PgPool, ran: &AtomicUsize, count: usize, batch: usize) -> Fallible<f64> {
    let goal = ran.load(Ordering::Relaxed) + count;
    let start = Instant::now();
    let mut sent = 0;
    while sent < count {
        let size = batch.min(count - sent);
        let jobs = (0..size)
            .map(|_| {
                let opts = InsertOpts { queue: QUEUE.into(), ..Default::default() };
                awa::model::insert::params_with(&Noop {}, opts)
            })
            .collect::<Result<Vec<_>, _>>()?;
        insert_many_copy_from_pool(pool, &jobs).await?;
        sent += size;
    }
    while ran.load(Ordering::Relaxed) < goal {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // A handler that has run is not yet a job that is known as done.
    while busy(pool).await? {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(start.elapsed().as_secs_f64())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Fallible<()> {
    let url = std::env::args().nth(2).ok_or("usage: awa-peer FOLDER POSTGRES-URL")?;
    let pool = PgPoolOptions::new().max_connections(20).connect(&url).await?;
    migrations::run(&pool).await?;
    let ran = Arc::new(AtomicUsize::new(0));
    let counter = ran.clone();
    let config = QueueConfig {
        max_workers: 100,
        poll_interval: Duration::from_millis(50),
        ..QueueConfig::default()
    };
    let client = Client::builder(pool.clone())
        .queue(QUEUE, config)
        .register::<Noop, _, _>(move |_, _| {
            let counter = counter.clone();
            async move {
                counter.fetch_add(1, Ordering::Relaxed);
                Ok(JobResult::Completed)
            }
        })
        .build()?;
    client.start().await?;
    println!("{{\"ready\": true}}");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words[at].parse::<usize>();
        let seconds = match words[0] {
            "queue" => queue(&pool, &ran, number(1)?, number(2)?).await?,
            other => return Err(format!("cannot `{other}`").into()),
        };
        println!("{}", serde_json::json!({ "seconds": seconds }));
    }
    client.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
