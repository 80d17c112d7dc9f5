//! Spreads attempts over time, so that no more are begun in a second than was asked for.

use std::num::NonZeroU32;
use std::time::Duration;

use domain::Timestamp;

/// The longest interval between two attempts: no rate is below one a second.
const MAX_INTERVAL: Duration = Duration::from_secs(1);
/// Attempts that become free within this time may begin together: a timer is no finer.
const BURST_WINDOW: Duration = Duration::from_millis(50);

/// An average rate that is kept over every second, up to what falls into 50 ms.
#[derive(Debug, Default)]
pub(super) struct RateLimiter {
    /// When the next attempt may begin.
    next: Option<Timestamp>,
}

impl RateLimiter {
    /// Whether an attempt may begin now.
    pub(super) fn allows(&self, now: Timestamp) -> bool {
        self.next(now).is_none()
    }

    /// Records that an attempt begins.
    pub(super) fn record(&mut self, rate: Option<NonZeroU32>, now: Timestamp) {
        let Some(rate) = rate else {
            self.next = None;
            return;
        };
        let interval = MAX_INTERVAL / rate.get();
        let credit = if interval < BURST_WINDOW { BURST_WINDOW } else { Duration::ZERO };
        // What was not used long ago is not used up at once now.
        let earliest = now - credit;
        let from = self.next.map_or(earliest, |next| next.clamp(earliest, now));
        self.next = Some(from + interval);
    }

    /// When the next attempt may begin, if not now. A time further ahead than any interval says that the clock was set
    /// back: it makes nobody wait.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.next.filter(|next| *next > now && *next <= now + MAX_INTERVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun_in(seconds: u32, rate: u32, step: Duration) -> u32 {
        let start = Timestamp::UNIX_EPOCH;
        let (mut limiter, mut now, mut begun) = (RateLimiter::default(), start, 0);
        while now < start + Duration::from_secs(seconds.into()) {
            while limiter.allows(now) {
                limiter.record(NonZeroU32::new(rate), now);
                begun += 1;
            }
            now += step;
        }
        begun
    }

    #[test]
    fn a_rate_is_kept_whether_it_is_low_or_high_and_however_coarse_the_timer_is() {
        assert_eq!(begun_in(10, 1, Duration::from_millis(7)), 10);
        assert_eq!(begun_in(10, 3, Duration::from_millis(1)), 30);
        for step in [1, 10, 40] {
            let begun = begun_in(10, 1_000, Duration::from_millis(step));
            assert!((9_950..=10_050).contains(&begun), "{begun} at steps of {step} ms");
        }
    }

    #[test]
    fn an_idle_rate_limiter_grants_no_burst() {
        let (mut limiter, start) = (RateLimiter::default(), Timestamp::UNIX_EPOCH);
        limiter.record(NonZeroU32::new(2), start);
        let later = start + Duration::from_mins(1);
        limiter.record(NonZeroU32::new(2), later);
        assert_eq!(limiter.next(later), Some(later + Duration::from_millis(500)));
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait() {
        let (mut limiter, late) = (RateLimiter::default(), Timestamp::UNIX_EPOCH + Duration::from_hours(1));
        limiter.record(NonZeroU32::new(1), late);
        assert!(!limiter.allows(late));
        assert!(limiter.allows(late - Duration::from_mins(30)));
    }

    #[test]
    fn without_a_rate_everything_may_begin() {
        let mut limiter = RateLimiter::default();
        limiter.record(None, Timestamp::UNIX_EPOCH);
        assert!(limiter.allows(Timestamp::UNIX_EPOCH));
    }
}
