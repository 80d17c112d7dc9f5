//! The stories that are to be told, taken one by one by several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Error;

/// Seeds in their order. Each is taken once, until one is found to break a promise; those before it are told all the same,
/// so that the one that is named does not depend on how many threads there are.
pub(crate) struct Stories {
    seeds: Vec<u64>,
    taken: AtomicUsize,
    broken: Mutex<Option<BrokenStory>>,
}

/// A story that breaks a promise.
#[derive(Debug)]
pub(crate) struct BrokenStory {
    pub(crate) seed: u64,
    pub(crate) why: Error,
    place: usize,
}

impl Stories {
    pub(crate) fn new(seeds: Vec<u64>) -> Self {
        Self { seeds, taken: AtomicUsize::new(0), broken: Mutex::new(None) }
    }

    pub(crate) fn count(&self) -> usize {
        self.seeds.len()
    }

    /// Tells stories with `tell` until there is none left.
    pub(crate) fn tell_rest(&self, mut tell: impl FnMut(u64) -> Result<(), Error>) {
        while let Some((place, seed)) = self.take() {
            if let Err(why) = tell(seed) {
                self.found(BrokenStory { seed, why, place });
            }
        }
    }

    /// The first one, in the order of the seeds, that breaks a promise.
    pub(crate) fn first_broken(self) -> Option<BrokenStory> {
        self.broken.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<(usize, u64)> {
        if self.broken.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return None;
        }
        let place = self.taken.fetch_add(1, Ordering::Relaxed);
        self.seeds.get(place).map(|seed| (place, *seed))
    }

    fn found(&self, story: BrokenStory) {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if broken.as_ref().is_none_or(|other| story.place < other.place) {
            *broken = Some(story);
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
    fn each_story_is_told_once_however_many_tell() {
        let stories = Stories::new((0..1_000).collect());
        let told = Mutex::new(Vec::new());
        let tell = |seed| {
            told.lock().unwrap().push(seed);
            Ok(())
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| stories.tell_rest(tell));
            }
        });
        let mut told = told.into_inner().unwrap();
        told.sort_unstable();
        assert_eq!(told, (0..1_000).collect::<Vec<_>>());
        assert!(stories.first_broken().is_none());
    }

    #[test]
    fn the_first_broken_story_is_named_though_a_later_one_was_found_before() {
        let stories = Stories::new((0..1_000).collect());
        let (taken, found) = (Barrier::new(2), Barrier::new(2));
        thread::scope(|scope| {
            scope.spawn(|| {
                stories.tell_rest(|seed| {
                    taken.wait();
                    found.wait();
                    ensure!(seed != 0, "the first");
                    Ok(())
                });
            });
            taken.wait();
            stories.tell_rest(|seed| {
                ensure!(seed < 3, "the fourth");
                Ok(())
            });
            found.wait();
        });
        assert_eq!(stories.taken.load(Ordering::Relaxed), 4, "none is told after a broken one");
        let broken = stories.first_broken().unwrap();
        assert_eq!((broken.seed, broken.why.to_string().as_str()), (0, "the first"));
    }
}
