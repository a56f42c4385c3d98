//! How a program leaves its recorded plan, told so that one can see where.

use crate::base::id::hex;
use crate::error::Error;
use crate::store::StepWrite;

/// The SHA-256 of a step's arguments in full; of `null` where there are none.
pub(super) fn hash_text(hash: Option<[u8; 32]>) -> String {
    hex(&hash.unwrap_or_else(|| super::canonical::hash(&serde_json::Value::Null)))
}

/// Its first letters, for a sentence.
pub(super) fn short(hash: Option<[u8; 32]>) -> String {
    match hash {
        None => format!("{}... (none)", &hash_text(None)[..12]),
        hash => format!("{}...", &hash_text(hash)[..12]),
    }
}

/// Which step it is, in words.
pub(super) fn place(write: &StepWrite) -> String {
    match (&write.key, write.nth) {
        (Some(key), _) => format!("step `{}` (key `{key}`)", write.name),
        (None, 0) => format!("step `{}`", write.name),
        (None, nth) => format!("step `{}` (number {} of this name)", write.name, nth + 1),
    }
}

/// The error `session.diverged` at a recorded step.
pub(super) fn diverged(recorded: &StepWrite, text: &str) -> Error {
    Error::new(
        "session.diverged",
        format!(
            "the program does not follow the recorded plan at position {}: {text}; run the program that began this session, or open a session of another id",
            recorded.position
        ),
    )
    .with("position", recorded.position)
    .with("recorded", &recorded.name)
}
