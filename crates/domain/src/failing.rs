//! How long and how often an endpoint has failed, and when that is too much.

use jiff::{SignedDuration, Timestamp};

/// How long an endpoint may fail without a single success before its subscription is suspended: 5 days, as Svix has it.
pub const SUSPEND_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);
/// And how often at least: where orders are rare, two mishaps a week apart say little. As often as one message to a
/// webhook is tried.
pub const SUSPEND_AT_LEAST: u32 = 10;

/// An endpoint that fails: nothing has got through to it since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// When an attempt failed first since one succeeded last.
    pub since: Timestamp,
    /// How many attempts have failed since; not those at which the channel failed, or that our own end cut short.
    pub times: u32,
}

impl Failing {
    /// What is to be said of an endpoint that failed `before`, now that it fails at `now`.
    #[must_use]
    pub fn again(before: Option<Self>, now: Timestamp) -> Self {
        let since = before.map_or(now, |before| before.since);
        Self { since, times: before.map_or(0, |before| before.times).saturating_add(1) }
    }

    /// Whether its subscription is to be suspended.
    #[must_use]
    pub fn is_too_much(self, now: Timestamp) -> bool {
        now.duration_since(self.since) >= SUSPEND_AFTER && self.times >= SUSPEND_AT_LEAST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn failed(times: u32) -> Failing {
        (1..times).fold(Failing::again(None, START), |failing, _| Failing::again(Some(failing), START))
    }

    #[test]
    fn an_endpoint_is_suspended_that_failed_for_long_and_often() {
        let often = failed(SUSPEND_AT_LEAST);
        assert_eq!(often, Failing { since: START, times: SUSPEND_AT_LEAST });
        assert!(often.is_too_much(START + SUSPEND_AFTER));
        assert!(
            !often.is_too_much(START + SUSPEND_AFTER - SignedDuration::from_secs(1)),
            "not for long enough"
        );
        assert!(!failed(SUSPEND_AT_LEAST - 1).is_too_much(START + SUSPEND_AFTER), "not often enough");
    }
}
