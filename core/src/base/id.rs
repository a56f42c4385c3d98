//! Ids: 128 random bits as text, and the random owner name of this process.

use std::fmt::Write as _;

/// `bytes` as lower-case hexadecimal text.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A fresh id: 32 hexadecimal digits of the system's randomness.
pub fn random() -> String {
    let mut bytes = [0u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // A system without randomness: process id and time still keep owners apart on one host.
        bytes[..4].copy_from_slice(&std::process::id().to_le_bytes());
        bytes[8..].copy_from_slice(&super::clock::Clock::system().now_ms().to_le_bytes());
    }
    hex(&bytes)
}
