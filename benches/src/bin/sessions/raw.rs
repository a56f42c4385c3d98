//! The floor: SQLite itself, as durable, with rows as wide as a step's.

use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{Contestant, Fallible};

pub struct Raw(Connection);

impl Raw {
    pub fn open(folder: &Path) -> Fallible<Raw> {
        let conn = Connection::open(folder.join("raw.db"))?;
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        conn.execute_batch(
            "PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS step (id INTEGER PRIMARY KEY, body BLOB)",
        )?;
        conn.set_prepared_statement_cache_capacity(16);
        Ok(Raw(conn))
    }

    /// `count` commits of `rows` rows each.
    fn commits(&self, count: usize, rows: usize) -> Fallible<f64> {
        let start = Instant::now();
        let mut insert = self.0.prepare_cached("INSERT INTO step (body) VALUES (zeroblob(45))")?;
        for _ in 0..count {
            if rows == 1 {
                insert.execute([])?;
                continue;
            }
            self.0.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            for _ in 0..rows {
                insert.execute([])?;
            }
            self.0.prepare_cached("COMMIT")?.execute([])?;
        }
        Ok(start.elapsed().as_secs_f64())
    }
}

impl Contestant for Raw {
    fn obey(&mut self, verb: &str, numbers: &[usize]) -> Fallible<Value> {
        match (verb, numbers) {
            ("steps", &[count]) => Ok(json!({ "seconds": self.commits(count, 1)? })),
            ("many", &[sessions, steps]) => Ok(json!({ "seconds": self.commits(steps, sessions)? })),
            _ => Err(format!("`raw` cannot `{verb}`").into()),
        }
    }
}
