//! How far new orders give way to telling.
//!
//! A message waits for us, while its attempt and its outcome go on record, and for its receiver. While the former takes
//! longer and more messages wait behind it, telling lags for want of our own processor or writer, and what is taken
//! meanwhile only adds to what is told late. A receiver that is slow, fails, or is told no faster by a rate of its own
//! says nothing of the kind.

use std::time::Duration;

use domain::Timestamp;

/// For each row that it adds to the store, taking leaves telling this part of what telling lags.
const SHARE: u32 = 32;
/// And at most so much: ten thousand rows a second are added however much it lags.
const MAX_PER_ROW: Duration = Duration::from_micros(100);
/// Out of so many measurements a mean is made; what came before fades.
const SMOOTHING: u32 = 16;
/// What lies longer ago says nothing of now; nothing that took longer counts for more.
const HORIZON: Duration = Duration::from_millis(100);

/// What telling waited for lately. It decides nothing but how soon orders are taken.
#[derive(Debug, Default)]
pub(super) struct GivingWay {
    /// How long our own part takes.
    own: Duration,
    /// How much longer it took than the receiver's, for the messages behind which more wait.
    lag: Duration,
    told_at: Timestamp,
}

impl GivingWay {
    /// Takes in that attempts or outcomes went on record, and how long that took from when it was asked for.
    pub(super) fn recorded(&mut self, took: Duration) {
        self.own = smoothed(self.own, took.min(HORIZON));
    }

    /// Takes in that a receiver took a message, and how long that took. `more_wait`: for nothing but their turn.
    pub(super) fn told(&mut self, took: Duration, more_wait: bool, now: Timestamp) {
        let lag = if more_wait { self.own.saturating_sub(took) } else { Duration::ZERO };
        self.lag = smoothed(self.lag, lag);
        self.told_at = now;
    }

    /// How long orders are to wait for each row that they added lately.
    pub(super) fn per_row(&self, now: Timestamp) -> Duration {
        let is_fresh = now.duration_since(self.told_at).unsigned_abs() <= HORIZON;
        if is_fresh { (self.lag / SHARE).min(MAX_PER_ROW) } else { Duration::ZERO }
    }
}

fn smoothed(mean: Duration, new: Duration) -> Duration {
    (mean * (SMOOTHING - 1) + new) / SMOOTHING
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const QUICK: Duration = Duration::from_micros(200);
    const SLOW: Duration = Duration::from_millis(20);

    /// After many messages that took so long each, while our own part took that long.
    fn after(own: Duration, took: Duration, more_wait: bool) -> GivingWay {
        let mut giving_way = GivingWay::default();
        for _ in 0..1_000 {
            giving_way.recorded(own);
            giving_way.told(took, more_wait, NOW);
        }
        giving_way
    }

    fn per_row(own: Duration, took: Duration) -> Duration {
        after(own, took, true).per_row(NOW)
    }

    #[test]
    fn orders_give_way_by_as_much_as_our_own_part_takes_longer_than_the_receivers() {
        let rounding = Duration::from_nanos(10);
        for own in [1, 2, 3].map(Duration::from_millis) {
            let expected = own.saturating_sub(QUICK) / SHARE;
            assert!(per_row(own, QUICK) <= expected && per_row(own, QUICK) + rounding > expected);
        }
    }

    #[test]
    fn orders_give_no_way_to_a_receiver_that_takes_longer_than_our_own_part() {
        assert_eq!(per_row(Duration::from_millis(10), SLOW), Duration::ZERO);
    }

    #[test]
    fn orders_give_no_way_while_nothing_waits_behind_what_is_told() {
        assert_eq!(after(SLOW, QUICK, false).per_row(NOW), Duration::ZERO);
    }

    #[test]
    fn orders_give_no_way_once_nobody_takes_messages_or_the_clock_is_set() {
        let lagging = after(SLOW, QUICK, true);
        assert!(lagging.per_row(NOW + HORIZON) > Duration::ZERO);
        assert_eq!(lagging.per_row(NOW + HORIZON * 2), Duration::ZERO);
        assert_eq!(lagging.per_row(NOW - HORIZON * 2), Duration::ZERO);
    }

    #[test]
    fn one_quick_receiver_among_slow_ones_counts_by_its_share_of_the_messages() {
        let mut giving_way = after(Duration::from_millis(2), QUICK, true);
        let alone = giving_way.per_row(NOW);
        for _ in 0..10 {
            giving_way.told(SLOW, true, NOW);
            giving_way.told(QUICK, true, NOW);
        }
        let beside = giving_way.per_row(NOW);
        assert!(beside > alone / 3 && beside < alone * 2 / 3, "{beside:?} of {alone:?}");
    }

    #[test]
    fn orders_give_way_within_a_bound_and_soon_forget_a_store_that_hung() {
        let mut giving_way = after(Duration::from_hours(1), QUICK, true);
        assert_eq!(giving_way.per_row(NOW), MAX_PER_ROW);
        for _ in 0..200 {
            giving_way.recorded(QUICK);
            giving_way.told(QUICK, true, NOW);
        }
        assert!(giving_way.per_row(NOW) < Duration::from_micros(1));
    }
}
