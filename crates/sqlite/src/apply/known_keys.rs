//! The idempotency keys that may still live, in memory: a unique index on keys that clients choose at random would
//! halve the rate.
//!
//! Only hashes are kept, about 50 bytes a key. A hit is checked against the order's row, so that neither a collision nor
//! a key that is over can answer for another.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;

/// How many keys that are over are dropped, at most, when one is added: memory shrinks as fast as it grew, no order
/// pays for many, and a clock that leaps ahead for a moment costs few keys.
const DROPPED_AT_ONCE: usize = 2;

/// Where the orders that were stored under a key are.
#[derive(Debug, Default)]
pub(crate) struct KnownKeys {
    hasher: RandomState,
    places: HashMap<u64, i64>,
    /// The keys whose hash was taken: with 64 bits there is hardly ever one.
    collisions: Vec<(u64, i64)>,
    /// Oldest first, as far as clocks allow.
    ends: VecDeque<End>,
    uncommitted: Vec<(u64, i64)>,
}

#[derive(Debug)]
struct End {
    at: i64,
    hash: u64,
    seq: i64,
}

impl KnownKeys {
    /// What a key is looked up by.
    pub(crate) fn hash(&self, scope: &str, key: &str) -> u64 {
        self.hasher.hash_one((scope, key))
    }

    /// The places of the orders that may have this key.
    pub(crate) fn candidates(&self, hash: u64) -> Vec<i64> {
        let Some(first) = self.places.get(&hash) else { return Vec::new() };
        let more = self.collisions.iter().filter(|(other, _)| *other == hash).map(|(_, seq)| *seq);
        std::iter::once(*first).chain(more).collect()
    }

    /// Remembers, until `ends_at` is over, that the order at `seq` has this key. `now` and `ends_at` are microseconds.
    pub(crate) fn remember(&mut self, hash: u64, seq: i64, now: i64, ends_at: i64) {
        for _ in 0..DROPPED_AT_ONCE {
            let Some(&End { hash, seq, .. }) = self.ends.front().filter(|end| end.at <= now) else { break };
            self.ends.pop_front();
            self.forget(hash, seq);
        }
        match self.places.entry(hash) {
            Entry::Vacant(place) => {
                place.insert(seq);
            }
            Entry::Occupied(_) => self.collisions.push((hash, seq)),
        }
        self.ends.push_back(End { at: ends_at, hash, seq });
        self.uncommitted.push((hash, seq));
    }

    /// Forgets that the order at `seq` has this key.
    pub(crate) fn forget(&mut self, hash: u64, seq: i64) {
        if self.places.get(&hash) != Some(&seq) {
            self.collisions.retain(|place| *place != (hash, seq));
            return;
        }
        match self.collisions.iter().position(|(other, _)| *other == hash) {
            Some(next) => self.places.insert(hash, self.collisions.swap_remove(next).1),
            None => self.places.remove(&hash),
        };
    }

    /// What was remembered since the last commit is on disk.
    pub(crate) fn committed(&mut self) {
        self.uncommitted.clear();
    }

    /// What was remembered since the last commit was rolled back.
    pub(crate) fn rolled_back(&mut self) {
        for (hash, seq) in std::mem::take(&mut self.uncommitted).into_iter().rev() {
            self.forget(hash, seq);
            if self.ends.back().is_some_and(|end| (end.hash, end.seq) == (hash, seq)) {
                self.ends.pop_back();
            }
        }
    }

    /// How many keys are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.places.len() + self.collisions.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_whose_hashes_collide_are_told_apart_and_forgotten_apart() {
        let mut keys = KnownKeys::default();
        keys.remember(7, 1, 0, 100);
        keys.remember(7, 2, 0, 100);
        assert_eq!(keys.candidates(7), [1, 2]);
        keys.forget(7, 1);
        assert_eq!(keys.candidates(7), [2]);
        keys.forget(7, 2);
        assert_eq!(keys.candidates(7), [] as [i64; 0]);
    }

    #[test]
    fn what_was_rolled_back_is_not_remembered() {
        let mut keys = KnownKeys::default();
        keys.remember(1, 1, 0, 100);
        keys.committed();
        keys.remember(2, 2, 0, 100);
        keys.rolled_back();
        assert_eq!((keys.candidates(1), keys.candidates(2)), (vec![1], vec![]));
    }

    #[test]
    fn memory_is_bounded_by_the_keys_that_live() {
        let mut keys = KnownKeys::default();
        for at in 0..10_000_i64 {
            keys.remember(at.unsigned_abs(), at, at, at + 50);
            keys.committed();
        }
        assert!(keys.len() <= 51, "{} are remembered", keys.len());
        assert!(keys.ends.len() <= 51);
    }
}
