//! What a message says of the commits that were wrong: `Fixes:` trailers and reverts.

use std::sync::LazyLock;

/// Commits that a message names, as the hexadecimal digits that it gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// Of `Fixes: <id>` trailers.
    pub fixes: Vec<String>,
    /// Of `This reverts commit <id>`.
    pub reverts: Vec<String>,
}

/// The commits that a message names as faulty; `None` where it names none.
pub(super) fn named(message: &[u8]) -> Option<Named> {
    static FIXES: LazyLock<regex::bytes::Regex> =
        LazyLock::new(|| pattern(r"(?im)^[ \t]*Fixes:[ \t]*(?:commit[ \t]+)?([0-9a-f]{7,64})\b"));
    static REVERTS: LazyLock<regex::bytes::Regex> =
        LazyLock::new(|| pattern(r"(?i)\bThis reverts commit[ \t\r\n]+([0-9a-f]{7,64})\b"));
    let found = |pattern: &regex::bytes::Regex| -> Vec<String> {
        let mut ids: Vec<String> = pattern
            .captures_iter(message)
            .filter_map(|found| Some(String::from_utf8_lossy(found.get(1)?.as_bytes()).to_lowercase()))
            .collect();
        ids.dedup();
        ids
    };
    let holds = |word: &[u8]| gix::bstr::ByteSlice::find(message, word).is_some();
    let fixes = if holds(b"ixes:") || holds(b"IXES:") { found(&FIXES) } else { Vec::new() };
    let reverts = if holds(b"reverts commit") { found(&REVERTS) } else { Vec::new() };
    (!fixes.is_empty() || !reverts.is_empty()).then_some(Named { fixes, reverts })
}

fn pattern(text: &str) -> regex::bytes::Regex {
    regex::bytes::Regex::new(text)
        .unwrap_or_else(|error| panic!("a pattern of messages does not compile: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_and_reverts_name_commits() {
        let text = b"net: mend it\n\nFixes: 0123456789ab (\"net: break it\")\nfixes: ABCDEF0 x\n";
        assert_eq!(named(text).unwrap().fixes, ["0123456789ab", "abcdef0"]);
        let text = b"Revert \"x\"\n\nThis reverts commit 0123456789012345678901234567890123456789.\n";
        assert_eq!(named(text).unwrap().reverts, ["0123456789012345678901234567890123456789"]);
        assert_eq!(named(b"Fixes: #12\nFixes: https://example.org/0123456789\nfixes: faded"), None);
    }
}
