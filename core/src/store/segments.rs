//! The reading tower's ports: segments and ledgers as rows.

use rusqlite::{OptionalExtension, params};

use super::fault::Attempt;
use super::{Store, Tx, View};
use crate::base::port::{Ledger, Segments};
use crate::error::Result;

/// Appended bytes rest in rows of at most this size, so that appending rewrites nothing.
const CHUNK: usize = 1 << 20;

impl View<'_> {
    fn segment(&self, name: &str) -> Result<Option<(i64, String)>> {
        self.0
            .prepare_cached("SELECT id, tip FROM segment WHERE name = ?1")
            .and_then(|mut statement| {
                statement.query_row([name], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .when("read a segment")
    }

    fn segment_bytes(&self, segment: i64) -> Result<Vec<u8>> {
        let what = "read a segment";
        let mut statement =
            self.0.prepare_cached("SELECT body FROM chunk WHERE segment = ?1 ORDER BY id").when(what)?;
        let mut rows = statement.query([segment]).when(what)?;
        let mut bytes = Vec::new();
        while let Some(row) = rows.next().when(what)? {
            if let rusqlite::types::ValueRef::Blob(chunk) = row.get_ref(0).when(what)? {
                bytes.extend_from_slice(chunk);
            }
        }
        Ok(bytes)
    }
}

impl Tx<'_> {
    fn set_tip(&mut self, name: &str, tip: &str) -> Result<i64> {
        self.prepare(
            "INSERT INTO segment (name, tip) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET tip = excluded.tip RETURNING id",
        )?
        .query_row([name, tip], |row| row.get(0))
        .when("write a segment")
    }

    fn append_chunks(&mut self, segment: i64, bytes: &[u8]) -> Result<()> {
        for chunk in bytes.chunks(CHUNK) {
            self.prepare("INSERT INTO chunk (segment, body) VALUES (?1, ?2)")?
                .execute(params![segment, chunk])
                .when("write a segment")?;
        }
        Ok(())
    }
}

impl Segments for Store {
    fn tip(&self, name: &str) -> Result<Option<String>> {
        let name = name.to_owned();
        self.read_blocking(move |view| Ok(view.segment(&name)?.map(|(_, tip)| tip)))
    }

    fn read(&self, name: &str) -> Result<Option<(String, Vec<u8>)>> {
        let name = name.to_owned();
        self.read_blocking(move |view| {
            let Some((id, tip)) = view.segment(&name)? else { return Ok(None) };
            Ok(Some((tip, view.segment_bytes(id)?)))
        })
    }

    fn append(&self, name: &str, expected: Option<&str>, tip: &str, bytes: &[u8]) -> Result<bool> {
        let (name, tip, bytes) = (name.to_owned(), tip.to_owned(), bytes.to_vec());
        let expected = expected.map(str::to_owned);
        self.write_blocking(move |tx| {
            let found = View(tx.conn()).segment(&name)?.map(|(_, tip)| tip);
            if found != expected {
                return Ok(false);
            }
            let segment = tx.set_tip(&name, &tip)?;
            tx.append_chunks(segment, &bytes)?;
            Ok(true)
        })
    }

    fn replace(&self, name: &str, tip: &str, bytes: &[u8]) -> Result<()> {
        let (name, tip, bytes) = (name.to_owned(), tip.to_owned(), bytes.to_vec());
        self.write_blocking(move |tx| {
            let segment = tx.set_tip(&name, &tip)?;
            tx.prepare("DELETE FROM chunk WHERE segment = ?1")?.execute([segment]).when("write a segment")?;
            tx.append_chunks(segment, &bytes)
        })
    }
}

impl Ledger for Store {
    fn append(&self, topic: &str, record: &[u8]) -> Result<u64> {
        let (topic, record) = (topic.to_owned(), record.to_vec());
        self.write_blocking(move |tx| {
            tx.prepare("INSERT INTO ledger (topic, body) VALUES (?1, ?2) RETURNING seq")?
                .query_row(params![topic, record], |row| row.get::<_, i64>(0))
                .map(|seq| seq as u64)
                .when("append to a ledger")
        })
    }

    fn after(&self, topic: &str, after: u64, limit: usize) -> Result<Vec<(u64, Vec<u8>)>> {
        let topic = topic.to_owned();
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read_blocking(move |view| {
            let what = "read a ledger";
            view.0
                .prepare_cached(
                    "SELECT seq, body FROM ledger WHERE topic = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
                )
                .when(what)?
                .query_map(params![topic, after, limit], |row| {
                    Ok((row.get::<_, i64>(0)? as u64, row.get(1)?))
                })
                .when(what)?
                .collect::<rusqlite::Result<_>>()
                .when(what)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;
    use crate::base::port::Memory;
    use crate::observe::bus::Bus;

    fn behave(segments: &dyn Segments) {
        assert_eq!(segments.read("a").unwrap(), None);
        assert!(!segments.append("a", Some("t0"), "t1", b"x").unwrap());
        assert!(segments.append("a", None, "t1", b"one").unwrap());
        assert!(!segments.append("a", None, "t2", b"no").unwrap());
        assert!(segments.append("a", Some("t1"), "t2", b"two").unwrap());
        assert!(segments.append("b", None, "u", b"").unwrap());
        assert_eq!(segments.read("a").unwrap(), Some(("t2".to_owned(), b"onetwo".to_vec())));
        assert_eq!(segments.read("b").unwrap(), Some(("u".to_owned(), Vec::new())));
        let large: Vec<u8> = (0..3 * CHUNK + 5).map(|at| at as u8).collect();
        segments.replace("a", "t3", &large).unwrap();
        assert!(segments.append("a", Some("t3"), "t4", b"end").unwrap());
        let (tip, bytes) = segments.read("a").unwrap().unwrap();
        assert_eq!((tip.as_str(), bytes.len()), ("t4", large.len() + 3));
        assert!(bytes.starts_with(&large) && bytes.ends_with(b"end"));
        assert_eq!(segments.tip("a").unwrap().as_deref(), Some("t4"));
    }

    #[test]
    fn a_file_and_memory_behave_alike() {
        behave(&Memory::default());
        behave(&Store::in_memory(Clock::fixed(0), Bus::default()).unwrap());
        let path = std::env::temp_dir().join(format!("barograph-segments-{}.db", std::process::id()));
        let open = || Store::open(&path, Clock::fixed(0), Bus::default()).unwrap();
        behave(&open());
        assert_eq!(open().tip("a").unwrap().as_deref(), Some("t4"));
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_ledger_is_read_after_a_cursor() {
        let store = Store::in_memory(Clock::fixed(0), Bus::default()).unwrap();
        let first = Ledger::append(&store, "outcomes", b"1").unwrap();
        let other = Ledger::append(&store, "models", b"m").unwrap();
        let second = Ledger::append(&store, "outcomes", b"2").unwrap();
        assert!(first < other && other < second);
        assert_eq!(store.after("outcomes", 0, 1).unwrap(), [(first, b"1".to_vec())]);
        assert_eq!(store.after("outcomes", first, 9).unwrap(), [(second, b"2".to_vec())]);
        assert_eq!(store.after("none", 0, 9).unwrap(), []);
    }
}
