//! Whose turn it is on a channel: endpoints that are ready, each behind those that were ready before.

use std::collections::{BTreeMap, BTreeSet};

use domain::subscription::SubscriptionId;

use super::super::circuit_breaker::DEGRADED_SHARE;

/// A channel's endpoints whose next delivery may begin; those that failed last or took long have a
/// ring of their own.
#[derive(Debug, Default)]
pub(super) struct RoundRobin {
    healthy: BTreeMap<u64, SubscriptionId>,
    degraded: BTreeMap<u64, SubscriptionId>,
    last_turn: u64,
    served_last: Option<SubscriptionId>,
    /// How many healthy ones had their turn since a degraded one had.
    since_degraded: usize,
    /// How many deliveries wait for those that are ready, and for how many of them that are degraded.
    waiting: usize,
    waiting_for_degraded: usize,
    /// Those for which any wait, ready or not.
    pub(super) holding: BTreeSet<SubscriptionId>,
}

impl RoundRobin {
    /// Whose turn is next. While others are ready, a degraded one's is one in four; and those at which the channel
    /// failed come after the others.
    pub(super) fn next(
        &mut self,
        room_for_degraded: bool,
        channel_failed_at: impl Fn(SubscriptionId) -> bool,
    ) -> Option<SubscriptionId> {
        let healthy = self.first(&self.healthy, &channel_failed_at);
        let degraded = self.first(&self.degraded, &channel_failed_at).filter(|_| room_for_degraded);
        let degraded = degraded.filter(|_| healthy.is_none() || self.since_degraded + 1 >= DEGRADED_SHARE);
        self.since_degraded =
            if degraded.is_some() { 0 } else { (self.since_degraded + 1).min(DEGRADED_SHARE) };
        let next = degraded.or(healthy);
        self.served_last = next.or(self.served_last);
        next
    }

    /// The first of a ring, those at which the channel failed last. Nobody has two turns in a row while another is ready,
    /// even where all became ready anew.
    fn first(
        &self,
        ring: &BTreeMap<u64, SubscriptionId>,
        channel_failed_at: &impl Fn(SubscriptionId) -> bool,
    ) -> Option<SubscriptionId> {
        let first_of = |failed: bool| {
            let mut those = ring.values().copied().filter(|id| channel_failed_at(*id) == failed);
            let first = those.next()?;
            let again = Some(first) == self.served_last;
            those.next().filter(|_| again).or(Some(first))
        };
        first_of(false).or_else(|| first_of(true))
    }

    /// An endpoint becomes ready, with so many deliveries; answers its turn.
    pub(super) fn join(&mut self, id: SubscriptionId, degraded: bool, waiting: usize) -> u64 {
        self.last_turn += 1;
        self.recount(degraded, 0, waiting);
        let turn = self.last_turn;
        self.ring(degraded).insert(turn, id);
        turn
    }

    /// The endpoint of that turn is no longer ready.
    pub(super) fn leave(&mut self, turn: u64, degraded: bool, waited: usize) {
        self.ring(degraded).remove(&turn);
        self.recount(degraded, waited, 0);
    }

    /// More, or fewer, deliveries wait for one that is ready.
    pub(super) fn recount(&mut self, degraded: bool, waited: usize, waiting: usize) {
        let count = |of: usize| of.saturating_sub(waited) + waiting;
        self.waiting = count(self.waiting);
        if degraded {
            self.waiting_for_degraded = count(self.waiting_for_degraded);
        }
    }

    /// Notes whether any delivery waits for an endpoint.
    pub(super) fn set_holding(&mut self, id: SubscriptionId, any: bool) {
        super::set_membership(&mut self.holding, id, any);
    }

    /// How many deliveries wait for those that are ready.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many of these are not held back by the share of those that are degraded.
    pub(super) fn waiting_for_healthy(&self) -> usize {
        self.waiting.saturating_sub(self.waiting_for_degraded)
    }

    fn ring(&mut self, degraded: bool) -> &mut BTreeMap<u64, SubscriptionId> {
        if degraded { &mut self.degraded } else { &mut self.healthy }
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn endpoints<const N: usize>() -> [SubscriptionId; N] {
        std::array::from_fn(|number| {
            SubscriptionId::new(Timestamp::UNIX_EPOCH, [u8::try_from(number).unwrap(); 10])
        })
    }

    /// So many turns, each of whom joins again at once.
    fn turns(turns: &mut RoundRobin, degraded: &[SubscriptionId], count: usize) -> Vec<SubscriptionId> {
        let mut had = Vec::new();
        for _ in 0..count {
            let id = turns.next(true, |_| false).unwrap();
            let is_degraded = degraded.contains(&id);
            let turn = *turns.ring(is_degraded).first_key_value().unwrap().0;
            turns.leave(turn, is_degraded, 1);
            turns.join(id, is_degraded, 1);
            had.push(id);
        }
        had
    }

    #[test]
    fn endpoints_take_turns_and_those_that_ail_have_one_in_four() {
        let ([healthy, other, degraded], mut all) = (endpoints(), RoundRobin::default());
        for id in [healthy, other] {
            all.join(id, false, 1);
        }
        all.join(degraded, true, 1);
        let had = turns(&mut all, &[degraded], 8);
        assert_eq!(had.iter().filter(|id| **id == degraded).count(), 2, "{had:?}");
        assert_eq!(had.iter().filter(|id| **id == healthy).count(), 3, "{had:?}");
        assert_eq!(all.waiting(), 3);
    }

    #[test]
    fn where_nobody_else_is_ready_those_that_ail_have_every_turn_that_they_may() {
        let ([first, second], mut all) = (endpoints(), RoundRobin::default());
        for id in [first, second] {
            all.join(id, true, 1);
        }
        assert_eq!(turns(&mut all, &[first, second], 3), [first, second, first]);
        assert_eq!(all.next(false, |_| false), None);
    }
}
