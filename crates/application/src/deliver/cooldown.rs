//! A time before which something is left alone.

use domain::Timestamp;

/// A wait that was granted. A clock that is set back does not prolong it beyond its own length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cooldown {
    since: Timestamp,
    until: Timestamp,
}

impl Cooldown {
    /// From `now` until then.
    pub(super) fn new(now: Timestamp, until: Timestamp) -> Self {
        Self { since: now, until }
    }

    /// When it ends.
    pub(super) fn until(self) -> Timestamp {
        self.until
    }

    /// Whether its time has come, or the clock was set to before it began.
    pub(super) fn is_over(self, now: Timestamp) -> bool {
        self.until <= now || now < self.since
    }

    /// The one that ends later, where both began.
    pub(super) fn or_longer(self, other: Option<Self>, now: Timestamp) -> Self {
        other.filter(|other| !other.is_over(now) && self.until < other.until).unwrap_or(self)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_wait_ends_with_its_time_or_when_the_clock_is_set_to_before_it_began() {
        let now = Timestamp::UNIX_EPOCH + Duration::from_hours(24);
        let wait = Cooldown::new(now, now + Duration::from_mins(1));
        let later = |seconds| now + Duration::from_secs(seconds);
        assert_eq!([0, 59, 60].map(|seconds| wait.is_over(later(seconds))), [false, false, true]);
        assert!(wait.is_over(now - Duration::from_hours(23)));
    }

    #[test]
    fn the_longer_of_two_waits_holds_unless_it_is_over() {
        let now = Timestamp::UNIX_EPOCH + Duration::from_hours(24);
        let (long, short) = (
            Cooldown::new(now, now + Duration::from_mins(9)),
            Cooldown::new(now, now + Duration::from_mins(1)),
        );
        assert_eq!(short.or_longer(Some(long), now), long);
        assert_eq!(long.or_longer(Some(short), now), long);
        assert_eq!(short.or_longer(Some(long), now - Duration::from_hours(1)), short);
    }
}
