//! The reading tower's port: segments as rows.

use rusqlite::params;

use super::fault::Attempt;
use super::sql::Optional;
use super::{Store, Tx, View};
use crate::base::port::Segments;
use crate::error::Result;

/// Appended bytes rest in rows of at most this size, so that appending rewrites nothing.
const CHUNK: usize = 1 << 20;

impl View<'_> {
    fn segment(&self, name: &str) -> Result<Option<(i64, String)>> {
        self.0
            .prepare("SELECT id, tip FROM segment WHERE name = ?1")
            .and_then(|mut statement| {
                statement.query_row([name], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .when("read a segment")
    }

    fn segment_bytes(&self, segment: i64) -> Result<Vec<u8>> {
        let what = "read a segment";
        let mut statement =
            self.0.prepare("SELECT body FROM chunk WHERE segment = ?1 ORDER BY id").when(what)?;
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
        assert_eq!(segments.read("a").unwrap().map(|(tip, _)| tip).as_deref(), Some("t4"));
    }

    fn settings() -> crate::store::Settings {
        crate::store::Settings::new(Clock::fixed(0), Bus::default())
    }

    #[test]
    fn a_file_and_memory_behave_alike() {
        behave(&Memory::default());
        behave(&Store::in_memory(&settings()).unwrap());
        let path = std::env::temp_dir().join(format!("barograph-segments-{}.db", std::process::id()));
        let open = || Store::open(&path, &settings()).unwrap();
        behave(&open());
        assert_eq!(open().read("a").unwrap().map(|(tip, _)| tip).as_deref(), Some("t4"));
        std::fs::remove_file(&path).unwrap();
    }
}
