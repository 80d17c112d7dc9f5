//! A set of hashes that may say that it holds one that it does not, never the reverse; of fixed size.

/// So many blocks of 64 bytes: 4 MB. With 2 million hashes about 1 answer in 2,000 is wrong, with 4 million 1 in 40, with
/// 8 million 1 in 3.
const BLOCKS: usize = 1 << 16;

/// A Bloom filter whose every hash has one bit in each word of one block: a look-up costs one or two lines of the cache.
#[derive(Debug)]
pub(super) struct Filter(Vec<[u64; 8]>);

impl Filter {
    pub(super) fn new() -> Self {
        Self(vec![[0; 8]; BLOCKS])
    }

    pub(super) fn insert(&mut self, hash: i64) {
        if let Some(block) = self.0.get_mut(block(hash)) {
            for (word, bit) in block.iter_mut().zip(bits(hash)) {
                *word |= bit;
            }
        }
    }

    pub(super) fn may_hold(&self, hash: i64) -> bool {
        self.0
            .get(block(hash))
            .is_none_or(|block| block.iter().zip(bits(hash)).all(|(word, bit)| word & bit > 0))
    }
}

/// The hash's lowest 16 bits choose its block.
fn block(hash: i64) -> usize {
    let [low, high, ..] = hash.to_le_bytes();
    usize::from(u16::from_le_bytes([low, high]))
}

/// The other 48 bits choose a bit in each of its eight words. A hash is as random as SHA-256: nothing is mixed again.
fn bits(hash: i64) -> impl Iterator<Item = u64> {
    (0..8).map(move |word| 1 << ((hash >> (16 + 6 * word)) & 63))
}

#[cfg(test)]
mod tests {
    use super::super::hash;
    use super::*;

    #[test]
    fn a_filter_holds_what_was_put_in_and_hardly_anything_else() {
        let hash = |number: u32| hash(&[b"", number.to_string().as_bytes()]);
        let mut filter = Filter::new();
        for number in 0..100_000 {
            filter.insert(hash(number));
        }
        assert!((0..100_000).all(|number| filter.may_hold(hash(number))));
        let wrong = (100_000..200_000).filter(|number| filter.may_hold(hash(*number))).count();
        assert!(wrong < 100, "{wrong} of 100,000");
    }

    #[test]
    fn the_least_and_the_greatest_hash_are_held_too() {
        let mut filter = Filter::new();
        for hash in [i64::MIN, -1, 0, i64::MAX] {
            assert!(!filter.may_hold(hash));
            filter.insert(hash);
            assert!(filter.may_hold(hash));
        }
    }
}
