//! How long and how often an endpoint has failed, when that is too much, and how long it is left alone meanwhile.

use std::time::Duration;

use jiff::Timestamp;

use crate::retry::MAX_DELAY;

/// How long an endpoint may fail without a single success before its subscription is suspended: 5 days, as Svix has it.
pub const SUSPEND_AFTER: Duration = Duration::from_hours(5 * 24);
/// And how often at least: where orders are rare, two mishaps a week apart say little. As often as one message to a
/// webhook is tried.
pub const SUSPEND_MIN_FAILURES: u32 = 10;
/// How long an endpoint is left alone that failed twice in a row; twice as long after each further failure.
pub const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest that an endpoint is left alone for its failures: so long it may take until one that is well again is
/// found to be.
pub const MAX_PAUSE: Duration = Duration::from_mins(5);

/// An endpoint that fails: nothing has got through to it since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureStreak {
    /// When an attempt failed first since one succeeded last.
    pub since: Timestamp,
    /// When one failed last.
    pub last: Timestamp,
    /// How long it has failed: the time between its failures, of which none counts for more than [`MAX_DELAY`], so
    /// that a clock that jumps, or a program that did not run, makes nobody fail for long.
    pub duration: Duration,
    /// How many attempts have failed since; not those at which the channel failed, or that our own end cut short.
    pub count: u32,
}

impl FailureStreak {
    /// What is to be said of an endpoint that failed `before`, now that it fails at `now`.
    #[must_use]
    pub fn after_failure(before: Option<Self>, now: Timestamp) -> Self {
        let Some(before) = before else {
            return Self { since: now, last: now, duration: Duration::ZERO, count: 1 };
        };
        let gap = Duration::try_from(now.duration_since(before.last)).unwrap_or_default();
        Self {
            since: before.since,
            last: now,
            duration: before.duration.saturating_add(gap.min(MAX_DELAY)),
            count: before.count.saturating_add(1),
        }
    }

    /// Whether its subscription is to be suspended.
    #[must_use]
    pub fn should_suspend(self) -> bool {
        self.duration >= SUSPEND_AFTER && self.count >= SUSPEND_MIN_FAILURES
    }
}

/// How long an endpoint is left alone that has failed so many times in a row: not at all after the first, which may be
/// the fault of one delivery.
#[must_use]
pub fn pause_after(failures: u32) -> Option<Duration> {
    let doublings = failures.checked_sub(2)?.min(u32::BITS - 1);
    Some(FIRST_PAUSE.saturating_mul(1 << doublings).min(MAX_PAUSE))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;
    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    /// An endpoint that failed first at the start, and then after each of these.
    fn failed(gaps: impl IntoIterator<Item = SignedDuration>) -> FailureStreak {
        let mut now = START;
        gaps.into_iter().fold(FailureStreak::after_failure(None, now), |failing, gap| {
            now += gap;
            FailureStreak::after_failure(Some(failing), now)
        })
    }

    #[test]
    fn an_endpoint_is_suspended_that_failed_for_long_and_often() {
        assert!(failed([HOUR * 15; 8].into_iter().chain([SignedDuration::ZERO])).should_suspend());
        assert!(!failed([HOUR * 15; 8]).should_suspend(), "not often enough");
        let almost = SignedDuration::from_mins(15 * 60 - 1);
        assert!(!failed([HOUR * 15; 7].into_iter().chain([almost, SignedDuration::ZERO])).should_suspend());
    }

    #[test]
    fn a_jump_of_the_clock_suspends_nobody_whichever_way_and_however_far_it_goes() {
        let often = || [SignedDuration::ZERO; 20];
        for jumps in [
            vec![HOUR * 24 * 400],
            vec![HOUR * 24 * 400, HOUR * -24 * 400],
            vec![HOUR * -24 * 400, HOUR * 24 * 400],
            vec![HOUR * 24 * 365 * 100],
            vec![HOUR * -24 * 20_000, HOUR * 24 * 20_000, HOUR * -24 * 20_000],
        ] {
            assert!(!failed(often().into_iter().chain(jumps.clone())).should_suspend(), "{jumps:?}");
        }
    }

    #[test]
    fn what_fails_rarely_is_not_called_failing_for_long() {
        let weekly = failed([HOUR * 24 * 7; 3]);
        assert_eq!(weekly.duration, MAX_DELAY * 3);
        assert!(!failed([HOUR * 24 * 365; 4].into_iter().chain([SignedDuration::ZERO; 9])).should_suspend());
    }

    #[test]
    fn an_endpoint_is_left_alone_for_twice_as_long_after_each_failure_up_to_five_minutes() {
        let pauses: Vec<_> =
            (0..13).map(|failures| pause_after(failures).map_or(0, |pause| pause.as_secs())).collect();
        assert_eq!(pauses, [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(pause_after(u32::MAX), Some(MAX_PAUSE));
    }
}
