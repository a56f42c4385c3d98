//! How values cross: what SQLite keeps in a column of any type rests as BYTEA behind one byte that
//! says what it is; text is TEXT and every integer BIGINT.

use std::error::Error as Fault;

use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

const INTEGER: u8 = 0;
const TEXT: u8 = 1;
const BLOB: u8 = 2;

type Boxed = Box<dyn Fault + Sync + Send>;

/// A value on its way to the server.
#[derive(Debug)]
pub(super) struct Outgoing<'v>(pub ToSqlOutput<'v>);

impl<'v> Outgoing<'v> {
    /// A value that lives elsewhere.
    pub fn of(value: &'v Value) -> Outgoing<'v> {
        Outgoing(ToSqlOutput::Borrowed(value.into()))
    }

    fn value(&self) -> Result<ValueRef<'_>, Boxed> {
        match &self.0 {
            ToSqlOutput::Borrowed(value) => Ok(*value),
            ToSqlOutput::Owned(value) => Ok(ValueRef::from(value)),
            _ => Err("a value of this kind has no place in a column".into()),
        }
    }

    /// Whether the server would refuse it: its text has no place for U+0000.
    pub fn has_nul(&self, place: &Type) -> bool {
        let text = matches!(self.value(), Ok(ValueRef::Text(text)) if text.contains(&0));
        text && *place != Type::BYTEA
    }
}

impl ToSql for Outgoing<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        let value = self.value()?;
        match (value, ty) {
            (ValueRef::Null, _) => return Ok(IsNull::Yes),
            (ValueRef::Integer(number), &Type::INT8) => out.extend_from_slice(&number.to_be_bytes()),
            (ValueRef::Integer(number), &Type::INT4) => {
                out.extend_from_slice(&i32::try_from(number)?.to_be_bytes());
            }
            (ValueRef::Integer(number), &Type::BOOL) => out.extend_from_slice(&[u8::from(number != 0)]),
            (ValueRef::Integer(number), &Type::BYTEA) => {
                out.extend_from_slice(&[INTEGER]);
                out.extend_from_slice(&number.to_be_bytes());
            }
            (ValueRef::Text(text), &Type::BYTEA) => {
                out.extend_from_slice(&[TEXT]);
                out.extend_from_slice(text);
            }
            (ValueRef::Text(text), &(Type::TEXT | Type::VARCHAR | Type::NAME)) => out.extend_from_slice(text),
            (ValueRef::Blob(bytes), &Type::BYTEA) => {
                out.extend_from_slice(&[BLOB]);
                out.extend_from_slice(bytes);
            }
            (value, place) => return Err(format!("{} has no place in {place}", value.data_type()).into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value as it came from the server.
#[derive(Debug)]
pub(super) struct Incoming<'r>(Option<(Type, &'r [u8])>);

impl<'r> FromSql<'r> for Incoming<'r> {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, Boxed> {
        Ok(Incoming(Some((ty.clone(), raw))))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Boxed> {
        Ok(Incoming(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl<'r> Incoming<'r> {
    /// The value as SQLite would have it.
    pub fn read(&self) -> Result<ValueRef<'r>, Boxed> {
        let Some((ty, raw)) = &self.0 else { return Ok(ValueRef::Null) };
        let value = match *ty {
            Type::INT8 => ValueRef::Integer(i64::from_be_bytes((*raw).try_into()?)),
            Type::INT4 => ValueRef::Integer(i32::from_be_bytes((*raw).try_into()?).into()),
            Type::BOOL => ValueRef::Integer(i64::from(raw.first().is_some_and(|&byte| byte != 0))),
            Type::NUMERIC => ValueRef::Integer(whole(raw).ok_or("a number does not fit")?),
            Type::FLOAT8 => ValueRef::Real(f64::from_be_bytes((*raw).try_into()?)),
            Type::TEXT | Type::VARCHAR | Type::NAME => ValueRef::Text(raw),
            Type::VOID => ValueRef::Null,
            Type::BYTEA => match raw.split_first() {
                Some((&INTEGER, rest)) => ValueRef::Integer(i64::from_be_bytes(rest.try_into()?)),
                Some((&TEXT, rest)) => ValueRef::Text(rest),
                Some((&BLOB, rest)) => ValueRef::Blob(rest),
                _ => return Err("a stored value does not say what it is".into()),
            },
            _ => return Err(format!("a column has the type {ty}").into()),
        };
        Ok(value)
    }
}

/// A NUMERIC without a fraction, which is what sums of BIGINT are: groups of four decimal digits.
fn whole(raw: &[u8]) -> Option<i64> {
    let field = |at: usize| Some(i16::from_be_bytes(raw.get(2 * at..2 * at + 2)?.try_into().ok()?));
    let (count, weight, sign) = (field(0)?, field(1)?, field(2)?);
    let mut number: i64 = 0;
    for at in 0..=weight {
        let digits = if at < count { field(4 + usize::try_from(at).ok()?)? } else { 0 };
        number = number.checked_mul(10_000)?.checked_add(digits.into())?;
    }
    match sign {
        0 if count <= weight + 1 => Some(number),
        0x4000 if count <= weight + 1 => number.checked_neg(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cross(value: Value, ty: &Type) -> Value {
        let mut out = BytesMut::new();
        let sent = Outgoing(ToSqlOutput::Owned(value));
        match sent.to_sql(ty, &mut out).unwrap() {
            IsNull::Yes => Incoming::from_sql_null(ty).unwrap().read().unwrap().try_into().unwrap(),
            IsNull::No => Incoming::from_sql(ty, &out).unwrap().read().unwrap().try_into().unwrap(),
        }
    }

    #[test]
    fn every_value_comes_back_as_it_went() {
        let any = [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Text(String::new()),
            Value::Text("a\u{0}b".into()),
            Value::Blob(vec![]),
            Value::Blob(vec![0, 1, 255]),
        ];
        for value in any {
            assert_eq!(cross(value.clone(), &Type::BYTEA), value);
        }
        assert_eq!(cross(Value::Integer(-7), &Type::INT8), Value::Integer(-7));
        assert_eq!(cross(Value::Text("ü".into()), &Type::TEXT), Value::Text("ü".into()));
        assert_eq!(cross(Value::Integer(1), &Type::BOOL), Value::Integer(1));
    }

    #[test]
    fn text_with_a_nul_is_seen_where_the_server_would_refuse_it() {
        let value = || Outgoing(ToSqlOutput::Owned(Value::Text("a\u{0}".into())));
        assert!(value().has_nul(&Type::TEXT));
        assert!(!value().has_nul(&Type::BYTEA));
    }

    #[test]
    fn sums_are_whole_numbers() {
        let numeric = |fields: &[i16]| -> Option<i64> {
            whole(&fields.iter().flat_map(|field| field.to_be_bytes()).collect::<Vec<_>>())
        };
        assert_eq!(numeric(&[0, 0, 0, 0]), Some(0));
        assert_eq!(numeric(&[2, 1, 0, 0, 12, 3456]), Some(123_456));
        // Trailing zeros are left out: 120,000,000 is the group 1, the group 2000, and one more.
        assert_eq!(numeric(&[2, 2, 0, 0, 1, 2000]), Some(120_000_000));
        assert_eq!(numeric(&[1, 0, 0x4000, 0, 42]), Some(-42));
        assert_eq!(numeric(&[1, -1, 0, 1, 5000]), None, "one half");
        assert_eq!(numeric(&[6, 5, 0, 0, 9999, 1, 1, 1, 1, 1]), None, "beyond 64 bits");
    }
}
