//! How long a receiver asked us to wait.

use std::time::{Duration, SystemTime};

use domain::Timestamp;

/// Reads a Retry-After value, seconds or an HTTP date (RFC 9110, 10.2.3), as the time from `now`; `None` if it is
/// neither. How much of it is granted is not decided here.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds still mean "long".
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(SystemTime::from(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOON: &str = "2026-03-04T12:00:00Z";

    fn seconds(value: &str) -> Option<u64> {
        retry_after(value, NOON.parse().unwrap()).map(|delay| delay.as_secs())
    }

    #[test]
    fn seconds_and_every_form_of_date_are_understood() {
        for (value, expected) in [
            ("120", 120),
            (" 7 ", 7),
            ("0", 0),
            ("99999999999999999999999", u64::MAX),
            ("Wed, 04 Mar 2026 12:00:30 GMT", 30),
            ("Wednesday, 04-Mar-26 12:01:00 GMT", 60),
            ("Wed Mar  4 13:00:00 2026", 3_600),
            ("Wed, 04 Mar 2026 11:00:00 GMT", 0),
        ] {
            assert_eq!(seconds(value), Some(expected), "{value:?}");
        }
    }

    #[test]
    fn anything_else_is_as_if_nothing_was_said() {
        for value in
            ["", "soon", "-1", "1.5", "+5", "1e3", "Wed, 99 Mar 2026 12:00:30 GMT", "2026-03-04T12:00:30Z"]
        {
            assert_eq!(seconds(value), None, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn a_value_is_understood_or_ignored_and_never_makes_us_fail(value in ".*") {
            let understood = retry_after(&value, NOON.parse().unwrap()).is_some();
            prop_assert!(!understood || value.contains(|c: char| c.is_ascii_digit()));
        }

        #[test]
        fn a_date_ahead_is_as_long_as_the_seconds_to_it(ahead in 1_u64..10_000_000) {
            let now: Timestamp = NOON.parse().unwrap();
            let date = httpdate::fmt_http_date(SystemTime::from(now) + Duration::from_secs(ahead));
            prop_assert_eq!(retry_after(&date, now), retry_after(&ahead.to_string(), now));
        }
    }
}
