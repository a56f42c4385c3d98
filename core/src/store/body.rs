//! How a value of the host rests in a column: NULL for JSON null, text for other JSON, and a blob
//! (length of the media type, media type, bytes) for bytes. Large ones rest apart, packed with zstd.

use rusqlite::types::{Value, ValueRef};
use sha2::{Digest, Sha256};

use crate::base::value::{Bytes, Failure, Payload};
use crate::error::{Error, Result};

/// The largest value that is taken, in bytes as stored.
const LIMIT: usize = 64 << 20;

/// Values above this many bytes rest compressed in a table of their own, each once.
const INLINE: usize = 16 << 10;

/// How well large values are packed: the middle between time and size.
const LEVEL: i32 = 3;

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
    Body::of(value)
}

/// A checked value as it rests.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    /// In the column itself.
    Inline(Value),
    /// Compressed, in a table of its own.
    Apart(Packed),
}

/// A large value: what it is called by, and its bytes as zstd.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Packed {
    /// SHA-256 of the bytes before they were packed.
    pub hash: [u8; 32],
    /// Their count.
    pub size: i64,
    pub bytes: Vec<u8>,
}

impl Body {
    /// No value: JSON null.
    pub(crate) const NULL: Body = Body::Inline(Value::Null);

    fn of(value: Value) -> Result<Body> {
        let (mark, bytes) = match &value {
            Value::Text(text) => (b't', text.as_bytes()),
            Value::Blob(blob) => (b'b', blob.as_slice()),
            _ => return Ok(Body::Inline(value)),
        };
        if bytes.len() <= INLINE {
            return Ok(Body::Inline(value));
        }
        let plain = [&[mark], bytes].concat();
        let packed = zstd::bulk::compress(&plain, LEVEL)
            .map_err(|error| Error::new("bug.store", "a large value could not be packed").because(&error))?;
        let hash = Sha256::digest(&plain).into();
        Ok(Body::Apart(Packed { hash, size: plain.len() as i64, bytes: packed }))
    }

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
        Body::of(Value::Text(text))
    }

    /// The value for its column, whatever its size: for tables that keep values only for a while.
    pub(super) fn inline(&self) -> Result<Value> {
        match self {
            Body::Inline(value) => Ok(value.clone()),
            Body::Apart(packed) => unpack(&packed.hash, packed.size, &packed.bytes),
        }
    }
}

/// A large value as it was, checked against its name.
pub(super) fn unpack(hash: &[u8], size: i64, packed: &[u8]) -> Result<Value> {
    let wrong = || {
        Error::new(
            "store.checksum",
            "a large value in the store does not match its SHA-256; restore the store from a backup",
        )
    };
    let size = usize::try_from(size).ok().filter(|&size| size <= LIMIT + 1).ok_or_else(wrong)?;
    let mut plain = zstd::bulk::decompress(packed, size).map_err(|error| wrong().because(&error))?;
    if plain.len() != size || Sha256::digest(&plain).as_slice() != hash {
        return Err(wrong());
    }
    match plain.first() {
        Some(b't') => {
            let text = String::from_utf8(plain.split_off(1)).map_err(|error| wrong().because(&error))?;
            Ok(Value::Text(text))
        }
        Some(b'b') => Ok(Value::Blob(plain.split_off(1))),
        _ => Err(wrong()),
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
            assert_eq!(payload(ValueRef::from(&stored.inline().unwrap())).unwrap(), value);
        }
        assert_eq!(encode(&Payload::default(), "result").unwrap(), Body::NULL);
    }

    #[test]
    fn large_values_are_packed_and_checked() {
        for value in [Payload::json("x".repeat(INLINE)), Payload::bytes(vec![7; INLINE + 1], "a/b")] {
            let Body::Apart(packed) = encode(&value, "result").unwrap() else { panic!("not apart") };
            assert!(packed.bytes.len() < 200);
            let again = unpack(&packed.hash, packed.size, &packed.bytes).unwrap();
            assert_eq!(payload(ValueRef::from(&again)).unwrap(), value);
            let mut other = packed.clone();
            other.hash[3] ^= 1;
            assert_eq!(unpack(&other.hash, other.size, &other.bytes).unwrap_err().code(), "store.checksum");
            let cut = &packed.bytes[..packed.bytes.len() - 3];
            assert_eq!(unpack(&packed.hash, packed.size, cut).unwrap_err().code(), "store.checksum");
        }
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
