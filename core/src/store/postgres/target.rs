//! Where the store is: a URL, taken apart.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::error::{Error, Result};
use crate::store::Durability;

/// The schema that the tables are in unless the URL names another.
const SCHEMA: &str = "barograph";

/// A server, a database and a schema in it, and how to write there.
#[derive(Clone, Debug)]
pub(in crate::store) struct Target {
    pub(super) config: Config,
    pub(super) schema: String,
    pub(super) durability: Durability,
    pub(super) patience: Duration,
    shown: String,
}

impl Target {
    /// Takes a URL apart.
    pub fn parse(url: &str, durability: Durability, patience: Duration) -> Result<Target> {
        let invalid = |text: String| Error::new("args.invalid", format!("`store` {text}"));
        if durability == Durability::None {
            return Err(invalid(
                "names a server, which keeps what it is given; leave durability `none` out, or open in memory".to_owned(),
            ));
        }
        let (rest, schema) = split_schema(url);
        let shown = without_password(url);
        for mode in ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"] {
            if rest.contains(mode) {
                return Err(no_tls(mode, &shown));
            }
        }
        let mut config: Config = rest.parse().map_err(|error| {
            invalid(format!(
                "is no URL of a PostgreSQL database, such as postgres://user@host:5432/name: {error}"
            ))
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(no_tls("sslmode=require", &shown));
        }
        let schema =
            schema.or_else(|| config.get_options().and_then(searched)).unwrap_or_else(|| SCHEMA.to_owned());
        if schema.is_empty() || schema.len() > 63 || schema.contains('\0') || schema.starts_with("pg_") {
            return Err(invalid(format!(
                "names the schema `{schema}`; a name has 1 to 63 bytes and does not begin with pg_"
            )));
        }
        if config.get_application_name().is_none() {
            config.application_name("barograph");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(patience);
        }
        // Where the host or the network is gone without a word, the system says so after this time.
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(patience * 2);
        }
        config.keepalives_idle(Duration::from_secs(15));
        if config.get_keepalives_interval().is_none() {
            config.keepalives_interval(Duration::from_secs(5));
        }
        Ok(Target { config, schema, durability, patience, shown })
    }

    /// The URL for people: without its password.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The number of the lock that whoever writes to this schema holds.
    pub(super) fn lock(&self) -> i64 {
        let hash = Sha256::digest(format!("barograph {}", self.schema).as_bytes());
        i64::from_be_bytes(std::array::from_fn(|at| hash[at]))
    }

    /// The channel on which writers to this schema say that they wrote.
    pub(super) fn channel(&self) -> String {
        // Channels share 63 bytes with schemas, and databases tell them apart.
        format!("barograph_{:016x}", self.lock())
    }
}

fn no_tls(mode: &str, shown: &str) -> Error {
    Error::new(
        "store.unsupported",
        format!(
            "this build speaks to PostgreSQL without TLS, so it cannot keep `{mode}`; use sslmode=disable inside a trusted network or through a tunnel"
        ),
    )
    .with("store", shown)
}

/// The URL without `schema=`, which is ours, and its value.
fn split_schema(url: &str) -> (String, Option<String>) {
    let Some((front, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let (mine, others): (Vec<&str>, Vec<&str>) =
        query.split('&').partition(|part| part.starts_with("schema="));
    let schema = mine.last().map(|part| decoded(&part["schema=".len()..]));
    let rest = if others.is_empty() { front.to_owned() } else { format!("{front}?{}", others.join("&")) };
    (rest, schema)
}

/// The schema that `options` puts first on the search path.
fn searched(options: &str) -> Option<String> {
    let path = options.split_once("search_path=")?.1;
    let first = path.split([' ', ',']).next()?.trim_matches('"');
    (!first.is_empty()).then(|| first.to_owned())
}

/// Text with `%41` read as `A`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let code =
            tail.get(..2).and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match (byte, code) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The URL as people may see it.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (front, query) = match rest.split_once('?') {
        Some((front, query)) => (front, Some(query)),
        None => (rest, None),
    };
    let end = front.find('/').unwrap_or(front.len());
    let (authority, path) = front.split_at(end);
    // A password may hold a bare `@`; a host may not.
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", user.split(':').next().unwrap_or_default()),
        None => authority.to_owned(),
    };
    let kept: Vec<&str> = query
        .unwrap_or_default()
        .split('&')
        .filter(|part| !part.is_empty() && !part.starts_with("password="))
        .collect();
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    format!("{scheme}://{authority}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Target> {
        Target::parse(url, Durability::Full, Duration::from_secs(5))
    }

    #[test]
    fn a_url_says_where_and_never_shows_its_password() {
        let target = parse("postgres://me:se%40cret@db:5433/work?schema=a%62c&connect_timeout=3").unwrap();
        assert_eq!((target.schema.as_str(), target.config.get_dbname()), ("abc", Some("work")));
        assert_eq!(target.config.get_ports(), [5433]);
        assert_eq!(target.config.get_connect_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(target.shown(), "postgres://me@db:5433/work?schema=a%62c&connect_timeout=3");
        assert_eq!(without_password("postgres://h/d?user=u&password=p"), "postgres://h/d?user=u");
        assert_eq!(without_password("postgres://u:p@q@h/d"), "postgres://u@h/d");
        assert_eq!(parse("postgresql://localhost/x").unwrap().schema, SCHEMA);
        let searched = parse("postgres://localhost/x?options=-c%20search_path%3Dmine").unwrap();
        assert_eq!(searched.schema, "mine");
    }

    #[test]
    fn what_cannot_be_kept_is_refused() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let error = parse(&format!("postgres://u:hush@h/d?sslmode={mode}")).unwrap_err();
            assert_eq!(error.code(), "store.unsupported");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
        for wrong in ["postgres://h/d?schema=", "postgres://h/d?schema=pg_x", "postgres://h/d?colour=red"] {
            assert_eq!(parse(wrong).unwrap_err().code(), "args.invalid", "{wrong}");
        }
        let none = Target::parse("postgres://h/d", Durability::None, Duration::from_secs(1));
        assert_eq!(none.unwrap_err().code(), "args.invalid");
    }

    #[test]
    fn schemas_have_locks_and_channels_of_their_own() {
        let (one, other) =
            (parse("postgres://h/d?schema=a").unwrap(), parse("postgres://h/d?schema=b").unwrap());
        assert_ne!(one.lock(), other.lock());
        assert_ne!(one.channel(), other.channel());
    }
}
