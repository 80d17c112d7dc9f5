//! When orders may be taken next, while they give way to telling.
//!
//! Each order, and each delivery that orders led to, costs a time that telling names. Until what was taken is paid for,
//! orders wait, together; everything else goes at once. At no cost nobody waits.

use std::time::{Duration, Instant};

/// The longest that an order waits for this, whatever telling names.
pub(crate) const MAX_WAIT: Duration = Duration::from_millis(25);

/// See the module's description.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// What was taken is paid for then.
    paid_at: Option<Instant>,
    /// When orders were taken last.
    taken_at: Option<Instant>,
}

impl Pace {
    /// Takes in that orders were taken, at that cost each.
    pub(crate) fn took(&mut self, orders: usize, cost: Duration, now: Instant) {
        self.taken_at = Some(now);
        self.paid_at = None;
        self.charge(orders, cost, now);
    }

    /// Takes in that so many rows follow from orders, at that cost each. Those who wait already wait no longer than
    /// [`MAX_WAIT`] for it.
    pub(crate) fn charge(&mut self, rows: usize, cost: Duration, now: Instant) {
        self.paid_at = self.taken_at.filter(|_| !cost.is_zero()).map(|taken_at| {
            let more = cost.saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX)).min(MAX_WAIT);
            let paid_at = self.paid_at.map_or(now, |paid_at| paid_at.max(now)) + more;
            paid_at.min(taken_at + MAX_WAIT)
        });
    }

    /// How long orders still wait.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        self.paid_at.map_or(Duration::ZERO, |paid_at| paid_at.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[expect(
        clippy::disallowed_methods,
        reason = "there is no other instant; only what lies after it counts"
    )]
    fn start() -> Instant {
        Instant::now()
    }

    #[test]
    fn the_first_order_waits_for_nothing() {
        let (mut pace, now) = (Pace::default(), start());
        pace.charge(1_000, MILLISECOND, now);
        assert_eq!(pace.wait(now), Duration::ZERO);
    }

    #[test]
    fn orders_wait_until_those_before_them_and_what_follows_from_these_is_paid_for() {
        let (mut pace, now) = (Pace::default(), start());
        pace.took(3, MILLISECOND, now);
        assert_eq!(pace.wait(now), 3 * MILLISECOND);
        pace.charge(4, MILLISECOND, now + MILLISECOND);
        assert_eq!(pace.wait(now + MILLISECOND), 6 * MILLISECOND);
        pace.charge(0, MILLISECOND, now + MILLISECOND);
        assert_eq!(
            pace.wait(now + MILLISECOND),
            6 * MILLISECOND,
            "nothing follows from an order that nobody is told of"
        );
        assert_eq!(pace.wait(now + 7 * MILLISECOND), Duration::ZERO);
    }

    #[test]
    fn orders_that_come_more_slowly_than_they_are_paid_for_wait_for_nothing() {
        let (mut pace, mut now) = (Pace::default(), start());
        for _ in 0..100 {
            pace.took(1, MILLISECOND, now);
            now += 2 * MILLISECOND;
            assert_eq!(pace.wait(now), Duration::ZERO);
        }
    }

    #[test]
    fn no_order_waits_longer_than_the_bound_however_much_follows_meanwhile() {
        let (mut pace, now) = (Pace::default(), start());
        pace.took(1_024, Duration::MAX, now);
        for waited in 0..25 {
            let then = now + Duration::from_millis(waited);
            pace.charge(usize::MAX, Duration::MAX, then);
            assert_eq!(pace.wait(then), Duration::from_millis(25 - waited));
        }
        assert_eq!(pace.wait(now + MAX_WAIT), Duration::ZERO);
    }

    #[test]
    fn once_nothing_lags_nobody_waits() {
        let (mut pace, now) = (Pace::default(), start());
        pace.took(30, MILLISECOND, now);
        pace.charge(1, Duration::ZERO, now);
        assert_eq!(pace.wait(now), Duration::ZERO);
    }
}
