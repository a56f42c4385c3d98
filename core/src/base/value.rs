//! Values that cross the border and rest in the store: I-JSON, or bytes with a media type.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};

/// Raw bytes; base64 (RFC 4648, with padding) in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(self.0.len().div_ceil(3) * 4);
        for chunk in self.0.chunks(3) {
            let word = chunk
                .iter()
                .enumerate()
                .fold(0u32, |word, (at, byte)| word | u32::from(*byte) << (16 - 8 * at));
            for at in 0..4 {
                text.push(match at <= chunk.len() {
                    true => ALPHABET[(word >> (18 - 6 * at)) as usize & 63] as char,
                    false => '=',
                });
            }
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bad = || serde::de::Error::custom("not base64 with padding (RFC 4648)");
        if !text.len().is_multiple_of(4) {
            return Err(bad());
        }
        let body = text.trim_end_matches('=');
        if text.len() - body.len() > 2 {
            return Err(bad());
        }
        let mut bytes = Vec::with_capacity(body.len() * 3 / 4);
        for chunk in body.as_bytes().chunks(4) {
            let mut word = 0u32;
            for (at, letter) in chunk.iter().enumerate() {
                let digit = ALPHABET.iter().position(|known| known == letter).ok_or_else(bad)?;
                word |= (digit as u32) << (18 - 6 * at);
            }
            bytes.extend_from_slice(&word.to_be_bytes()[1..chunk.len()]);
        }
        Ok(Bytes(bytes))
    }
}

impl JsonSchema for Bytes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Bytes".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "byte" })
    }
}

/// A value of the host: I-JSON (RFC 7493), or bytes with a media type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// The value where it is JSON; ignored where `bytes` is given.
    #[serde(default)]
    pub json: serde_json::Value,
    /// The value where it is bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Bytes>,
    /// What the bytes are, for example `image/png`; `application/octet-stream` where not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

impl Payload {
    /// A JSON value.
    pub fn json(value: impl Into<serde_json::Value>) -> Self {
        Payload { json: value.into(), ..Payload::default() }
    }

    /// Bytes with a media type.
    pub fn bytes(bytes: impl Into<Vec<u8>>, media_type: &str) -> Self {
        Payload {
            bytes: Some(Bytes(bytes.into())),
            media_type: Some(media_type.to_owned()),
            ..Payload::default()
        }
    }

    /// An error of code `value.not_i_json` where the JSON holds an integer beyond 2^53.
    pub fn check(&self, what: &str) -> Result<()> {
        check_i_json(&self.json, what)
    }
}

/// An error of code `value.not_i_json` where `value` holds an integer beyond 2^53 - 1 (RFC 7493).
pub fn check_i_json(value: &serde_json::Value, what: &str) -> Result<()> {
    const LIMIT: u64 = (1 << 53) - 1;
    match value {
        serde_json::Value::Number(number) => {
            let beyond = number.as_u64().is_some_and(|number| number > LIMIT)
                || number.as_i64().is_some_and(|number| number.unsigned_abs() > LIMIT);
            if beyond {
                return Err(Error::new(
                    "value.not_i_json",
                    format!(
                        "{what} holds the integer {number}, which not every language can read; pass it as text"
                    ),
                ));
            }
            Ok(())
        }
        serde_json::Value::Array(items) => items.iter().try_for_each(|item| check_i_json(item, what)),
        serde_json::Value::Object(fields) => fields.values().try_for_each(|item| check_i_json(item, what)),
        _ => Ok(()),
    }
}

/// Why a step or a task of the host failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What went wrong, for people.
    pub message: String,
    /// The host's name of the error's type, for example `ValueError`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The chain of causes, nearest first.
    #[serde(default)]
    pub causes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_the_round_trip_at_every_length() {
        for length in 0..70usize {
            let bytes = Bytes((0..length).map(|at| (at * 37 % 256) as u8).collect());
            let text = serde_json::to_string(&bytes).unwrap();
            assert_eq!(serde_json::from_str::<Bytes>(&text).unwrap(), bytes, "{text}");
        }
        assert_eq!(serde_json::to_string(&Bytes(b"hello".to_vec())).unwrap(), "\"aGVsbG8=\"");
        for bad in ["\"a\"", "\"a===\"", "\"a-b=\""] {
            assert!(serde_json::from_str::<Bytes>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn integers_beyond_two_to_the_53_are_refused() {
        let fits = serde_json::json!({ "a": [9007199254740991u64, -9007199254740991i64, 1.5e300] });
        assert!(check_i_json(&fits, "result").is_ok());
        let beyond = serde_json::json!({ "a": [9007199254740992u64] });
        assert_eq!(check_i_json(&beyond, "result").unwrap_err().code(), "value.not_i_json");
    }
}
