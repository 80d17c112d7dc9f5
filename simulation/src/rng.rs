//! Chance that can be had again: the same seed, the same run.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use application::ports::Randomness;
use fastrand::Rng;

/// Throws of chance for the world.
pub(crate) struct SeededRng(Rng);

/// Throws of chance for the program, apart from the world's.
pub(crate) struct SeededRandomness(Mutex<Rng>);

impl SeededRng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// What the program's chance comes from.
    pub(crate) fn randomness(&mut self) -> SeededRandomness {
        SeededRandomness(Mutex::new(self.0.fork()))
    }

    /// From 0 to one less than `sides`, which is at least 1.
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        self.0.usize(..sides)
    }

    pub(crate) fn permille(&mut self, chance: u32) -> bool {
        self.0.u32(..1_000) < chance
    }

    pub(crate) fn percent(&mut self, chance: u32) -> bool {
        self.permille(chance * 10)
    }

    /// One of these, of which there is at least one.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// One of these, if there are any.
    pub(crate) fn any<T>(&mut self, from: impl IntoIterator<Item = T>) -> Option<T> {
        let mut all: Vec<T> = from.into_iter().collect();
        if all.is_empty() { None } else { Some(all.swap_remove(self.below(all.len()))) }
    }

    /// One of these, each as often as its weight says.
    pub(crate) fn weighted<T: Copy>(&mut self, from: &[(u32, T)]) -> T {
        let total: u32 = from.iter().map(|(weight, _)| weight).sum();
        let mut left = self.0.u32(..total);
        for (weight, value) in from {
            if left < *weight {
                return *value;
            }
            left -= weight;
        }
        from[0].1
    }

    /// A time up to `most`.
    pub(crate) fn up_to(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.0.u64(..=u64::try_from(most.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl Randomness for SeededRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }
}
