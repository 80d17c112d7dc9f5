//! What both programs have of the machine they run on: its time, its randomness, and the form of their log.

mod json_lines;
mod own_words;
mod set_clock;
mod steady_clock;

use application::ports::{Clock, Randomness};
use domain::Timestamp;
use rand::Rng;

pub use json_lines::{JsonLines, Members};
pub use own_words::{ours, own_words, tell_of_panics};
pub use set_clock::SetClock;
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
