//! Time that passes only when the world lets it, and a clock on the wall that someone sets now and then.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use application::ports::Clock;
use domain::Timestamp;
use jiff::SignedDuration;

/// What the program reads the time from.
pub(crate) struct WallClock {
    /// Microseconds since 1970.
    shows: AtomicI64,
}

/// 2026-03-01T12:00:00Z.
const START: i64 = 1_772_366_400_000_000;

impl WallClock {
    pub(crate) fn new() -> Self {
        Self { shows: AtomicI64::new(START) }
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.set(SignedDuration::try_from(time).unwrap_or_default());
    }

    /// Sets it forth or back.
    pub(crate) fn set(&self, by: SignedDuration) {
        self.shows.fetch_add(i64::try_from(by.as_micros()).unwrap_or(0), Ordering::Relaxed);
    }
}

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.shows.load(Ordering::Relaxed)).unwrap_or(Timestamp::MAX)
    }
}
