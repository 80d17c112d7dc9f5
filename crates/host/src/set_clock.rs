//! A clock that is set by hand, for tests and for simulated worlds.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use application::ports::Clock;
use domain::Timestamp;
use jiff::SignedDuration;

/// Shows the time that it was set to, in microseconds since 1970, until it is set anew.
#[derive(Debug)]
pub struct SetClock(AtomicI64);

impl SetClock {
    /// A clock that shows this time.
    #[must_use]
    pub fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.as_microsecond()))
    }

    /// A clock that shows this second since 1970.
    #[must_use]
    pub fn at_second(second: i64) -> Self {
        Self(AtomicI64::new(second.saturating_mul(1_000_000)))
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.turn(SignedDuration::try_from(by).unwrap_or_default());
    }

    /// Sets it forth or back.
    pub fn turn(&self, by: SignedDuration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap_or(0), Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::Relaxed)).unwrap_or(Timestamp::MAX)
    }
}
