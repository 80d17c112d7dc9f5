//! What both programs have of the machine they run on: its time, its randomness, and the form of their log.

mod json_lines;
mod own_words;
mod steady_clock;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use application::ports::{Clock, Randomness};
use domain::Timestamp;
use jiff::SignedDuration;
use rand::Rng;

pub use json_lines::{JsonLines, Members};
pub use own_words::{ours, own_words, tell_of_panics};
pub use steady_clock::SteadyClock;

/// The machine's clock, as it is set.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Randomness that the operating system seeds; cryptographically strong, and without a system call each time.
#[derive(Debug, Clone, Copy)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    #[expect(clippy::disallowed_methods, reason = "this is where randomness comes from")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}

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
