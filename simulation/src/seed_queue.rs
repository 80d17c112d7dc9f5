//! The seeds that are to be run, taken one by one by several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Error;

/// Seeds in their order. Each is taken once, until one is found to break a promise; those before it are run all the same,
/// so that the one that is named does not depend on how many threads there are.
pub(crate) struct SeedQueue {
    seeds: Vec<u64>,
    taken: AtomicUsize,
    broken: Mutex<Option<FailedRun>>,
}

/// A run that breaks a promise.
#[derive(Debug)]
pub(crate) struct FailedRun {
    pub(crate) seed: u64,
    pub(crate) why: Error,
    place: usize,
}

impl SeedQueue {
    pub(crate) fn new(seeds: Vec<u64>) -> Self {
        Self { seeds, taken: AtomicUsize::new(0), broken: Mutex::new(None) }
    }

    pub(crate) fn count(&self) -> usize {
        self.seeds.len()
    }

    /// Calls `run` with each seed that is left.
    pub(crate) fn for_each_rest(&self, mut run: impl FnMut(u64) -> Result<(), Error>) {
        while let Some((place, seed)) = self.take() {
            if let Err(why) = run(seed) {
                self.found(FailedRun { seed, why, place });
            }
        }
    }

    /// The first one, in the order of the seeds, that breaks a promise.
    pub(crate) fn first_broken(self) -> Option<FailedRun> {
        self.broken.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<(usize, u64)> {
        if self.broken.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return None;
        }
        let place = self.taken.fetch_add(1, Ordering::Relaxed);
        self.seeds.get(place).map(|seed| (place, *seed))
    }

    fn found(&self, run: FailedRun) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if broken.as_ref().is_none_or(|other| run.place < other.place) {
            *broken = Some(run);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use anyhow::ensure;

    use super::*;

    #[test]
    fn each_seed_is_run_once_however_many_threads_run_them() {
        let seeds = SeedQueue::new((0..1_000).collect());
        let ran = Mutex::new(Vec::new());
        let run = |seed| {
            ran.lock().unwrap().push(seed);
            Ok(())
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| seeds.for_each_rest(run));
            }
        });
        let mut ran = ran.into_inner().unwrap();
        ran.sort_unstable();
        assert_eq!(ran, (0..1_000).collect::<Vec<_>>());
        assert!(seeds.first_broken().is_none());
    }

    #[test]
    fn the_first_failed_run_is_named_though_a_later_one_was_found_before() {
        let seeds = SeedQueue::new((0..1_000).collect());
        let (taken, found) = (Barrier::new(2), Barrier::new(2));
        thread::scope(|scope| {
            scope.spawn(|| {
                seeds.for_each_rest(|seed| {
                    taken.wait();
                    found.wait();
                    ensure!(seed != 0, "the first");
                    Ok(())
                });
            });
            taken.wait();
            seeds.for_each_rest(|seed| {
                ensure!(seed < 3, "the fourth");
                Ok(())
            });
            found.wait();
        });
        assert_eq!(seeds.taken.load(Ordering::Relaxed), 4, "none runs after a broken one");
        let broken = seeds.first_broken().unwrap();
        assert_eq!((broken.seed, broken.why.to_string().as_str()), (0, "the first"));
    }
}
