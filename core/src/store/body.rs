//! How a value of the host rests in a column: NULL for JSON null, text for other JSON, and a blob
//! (length of the media type, media type, bytes) for bytes.

use rusqlite::types::{Value, ValueRef};

use crate::base::value::{Bytes, Failure, Payload};
use crate::error::{Error, Result};

/// The largest value that is taken, in bytes as stored.
const LIMIT: usize = 64 << 20;

/// Checks a value of the host, and writes it as it will rest.
pub(crate) fn encode(payload: &Payload, what: &str) -> Result<Body> {
    payload.check(what)?;
    let invalid = |text: String| Err(Error::new("args.invalid", format!("`{what}` {text}")));
    let value = match (&payload.bytes, &payload.media_type) {
        (Some(bytes), media) => {
            let media = media.as_deref().unwrap_or_default();
            let Ok(length) = u8::try_from(media.len()) else {
                return invalid(format!("has a media type of {} bytes; at most 255 are taken", media.len()));
            };
            let mut blob = Vec::with_capacity(1 + media.len() + bytes.0.len());
            blob.push(length);
            blob.extend_from_slice(media.as_bytes());
            blob.extend_from_slice(&bytes.0);
            Value::Blob(blob)
        }
        (None, Some(_)) => return invalid("has a media type but no bytes; leave it out for JSON".to_owned()),
        (None, None) if payload.json.is_null() => Value::Null,
        (None, None) => Value::Text(payload.json.to_string()),
    };
    let length = match &value {
        Value::Blob(blob) => blob.len(),
        Value::Text(text) => text.len(),
        _ => 0,
    };
    if length > LIMIT {
        return invalid(format!("is {length} bytes long; at most {LIMIT} are taken"));
    }
    Ok(Body(value))
}

/// A checked value as it rests in a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Body(pub(super) Value);

impl Body {
    /// A failure as it rests.
    pub(crate) fn failure(failure: &Failure) -> Result<Body> {
        let text = serde_json::to_string(failure)
            .map_err(|error| Error::new("bug.store", "a failure could not be written").because(&error))?;
        if text.len() > LIMIT {
            return Err(Error::new(
                "args.invalid",
                format!("`failure` is {} bytes long; at most {LIMIT} are taken", text.len()),
            ));
        }
        Ok(Body(Value::Text(text)))
    }
}

fn damaged() -> Error {
    Error::new("store.damaged", "a stored value cannot be read; restore the store from a backup")
}

/// Reads a stored value.
pub(super) fn payload(stored: ValueRef<'_>) -> Result<Payload> {
    Ok(match stored {
        ValueRef::Null => Payload::default(),
        ValueRef::Text(text) => Payload {
            json: serde_json::from_slice(text).map_err(|error| damaged().because(&error))?,
            ..Payload::default()
        },
        ValueRef::Blob(blob) => {
            let (&length, rest) = blob.split_first().ok_or_else(damaged)?;
            let (media, bytes) = rest.split_at_checked(usize::from(length)).ok_or_else(damaged)?;
            let media = std::str::from_utf8(media).map_err(|error| damaged().because(&error))?;
            Payload {
                bytes: Some(Bytes(bytes.to_vec())),
                media_type: (!media.is_empty()).then(|| media.to_owned()),
                ..Payload::default()
            }
        }
        _ => return Err(damaged()),
    })
}

/// Reads a stored failure.
pub(super) fn failure(stored: ValueRef<'_>) -> Result<Failure> {
    match stored {
        ValueRef::Text(text) => serde_json::from_slice(text).map_err(|error| damaged().because(&error)),
        _ => Err(damaged()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives() {
        let values = [
            Payload::default(),
            Payload::json(serde_json::json!({ "b": [1, 2.5, "x\u{0}y"], "a": null })),
            Payload::bytes(vec![0u8, 255, 7], "image/png"),
            Payload::bytes(Vec::new(), "text/plain"),
            Payload { bytes: Some(Bytes(vec![1])), ..Payload::default() },
        ];
        for value in values {
            let stored = encode(&value, "result").unwrap();
            assert_eq!(payload(ValueRef::from(&stored.0)).unwrap(), value);
        }
        assert_eq!(encode(&Payload::default(), "result").unwrap(), Body(Value::Null));
    }

    #[test]
    fn what_cannot_rest_is_refused() {
        let media_alone = Payload { media_type: Some("a/b".to_owned()), ..Payload::default() };
        assert_eq!(encode(&media_alone, "result").unwrap_err().code(), "args.invalid");
        let long = Payload::bytes(vec![1], &"m".repeat(256));
        assert_eq!(encode(&long, "result").unwrap_err().code(), "args.invalid");
        let integer = Payload::json(1u64 << 53);
        assert_eq!(encode(&integer, "result").unwrap_err().code(), "value.not_i_json");
        for damage in
            [ValueRef::Blob(&[]), ValueRef::Blob(&[9, 1]), ValueRef::Text(b"{"), ValueRef::Integer(1)]
        {
            assert_eq!(payload(damage).unwrap_err().code(), "store.damaged");
        }
    }
}
