//! The clock: the only place that reads the wall time, so that a test can set it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Tells the time in milliseconds since the Unix epoch, from the system or fixed by a test.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The system's wall clock.
    pub fn system() -> Self {
        Clock(None)
    }

    /// A clock that stands at `unix_ms`, for tests and repeatable answers.
    pub fn fixed(unix_ms: i64) -> Self {
        Clock(Some(Arc::new(AtomicI64::new(unix_ms))))
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Some(fixed) => fixed.load(Ordering::Relaxed),
            None => jiff::Timestamp::now().as_millisecond(),
        }
    }
}

/// Now on the clock that only goes forward: for waits and renewals, which no test sets.
pub fn instant() -> std::time::Instant {
    std::time::Instant::now()
}

/// A time in milliseconds since the Unix epoch as RFC 3339 text in UTC with milliseconds.
pub fn rfc3339(unix_ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(unix_ms).unwrap_or(jiff::Timestamp::MAX);
    format!("{time:.3}")
}

/// Reads RFC 3339 text into milliseconds since the Unix epoch; `None` where it is not such text.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(|time| time.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_the_round_trip() {
        assert_eq!(rfc3339(1_500_003_600_001), "2017-07-14T03:40:00.001Z");
        assert_eq!(parse_rfc3339("2017-07-14T03:40:00.001Z"), Some(1_500_003_600_001));
        assert_eq!(parse_rfc3339("yesterday"), None);
        assert_eq!(Clock::fixed(7).now_ms(), 7);
    }
}
