//! The end of what a process wrote.

use std::io::{self, Read};

/// The last bytes of a stream, and how many came before them.
#[derive(Debug)]
pub(crate) struct Tail {
    kept: Vec<u8>,
    keep: usize,
    dropped: u64,
}

impl Tail {
    /// An empty one that keeps at most `keep` bytes.
    pub fn new(keep: usize) -> Tail {
        Tail { kept: Vec::new(), keep, dropped: 0 }
    }

    /// Takes in what one read of `stream` gives; 0 at its end.
    ///
    /// Errors: those of the read, `WouldBlock` where nothing is there yet.
    pub fn read(&mut self, stream: &mut impl Read) -> io::Result<usize> {
        let mut block = [0u8; 16 << 10];
        let count = stream.read(&mut block)?;
        self.kept.extend_from_slice(&block[..count]);
        // Cut when twice as long, so that each byte is moved once at most.
        if self.kept.len() > 2 * self.keep {
            self.cut();
        }
        Ok(count)
    }

    fn cut(&mut self) {
        let over = self.kept.len().saturating_sub(self.keep);
        self.kept.drain(..over);
        self.dropped += over as u64;
    }

    /// What was kept as text, from the beginning of a character on, and how many bytes came before.
    pub fn into_text(mut self) -> (String, u64) {
        self.cut();
        if self.dropped > 0 {
            let within = self.kept.iter().take(3).take_while(|&&byte| byte & 0xc0 == 0x80).count();
            self.kept.drain(..within);
            self.dropped += within as u64;
        }
        (String::from_utf8_lossy(&self.kept).into_owned(), self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(keep: usize, mut bytes: &[u8]) -> (String, u64) {
        let mut tail = Tail::new(keep);
        while tail.read(&mut bytes).unwrap() > 0 {}
        tail.into_text()
    }

    #[test]
    fn the_end_is_kept_and_the_rest_counted() {
        assert_eq!(tail(4, b"abc"), ("abc".to_owned(), 0));
        assert_eq!(tail(4, b"abcdef"), ("cdef".to_owned(), 2));
        let long: Vec<u8> = (0..100_003u32).map(|at| b'a' + (at % 26) as u8).collect();
        let (text, dropped) = tail(1000, &long);
        assert_eq!((text.as_bytes(), dropped), (&long[99_003..], 99_003));
    }

    #[test]
    fn no_character_is_cut_in_half() {
        assert_eq!(tail(4, "aäöü".as_bytes()), ("öü".to_owned(), 3));
        assert_eq!(tail(3, "aäöü".as_bytes()), ("ü".to_owned(), 5));
        assert_eq!(tail(9, b"a\xffb"), ("a\u{fffd}b".to_owned(), 0));
    }
}
