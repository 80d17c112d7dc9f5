//! What this host lends the application: the real clock and the real randomness.

mod steady_clock;

use application::ports::{Clock, Randomness};
use domain::Timestamp;
use rand::Rng;

pub(crate) use steady_clock::SteadyClock;

/// The machine's clock, for a command that is over in a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Randomness that the operating system seeds; cryptographically strong, and without a system call each time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemRandomness;

impl Randomness for SystemRandomness {
    #[expect(clippy::disallowed_methods, reason = "this is where randomness comes from")]
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
