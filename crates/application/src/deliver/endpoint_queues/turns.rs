//! Whose turn it is on a channel: endpoints that are ready, each behind those that were ready before.

use std::collections::{BTreeMap, BTreeSet};

use domain::subscription::SubscriptionId;

use super::super::circuit_breaker::AILING_SHARE;

/// A channel's endpoints whose next delivery may begin; those that failed last or took long have a
/// ring of their own.
#[derive(Debug, Default)]
pub(super) struct Turns {
    healthy: BTreeMap<u64, SubscriptionId>,
    ailing: BTreeMap<u64, SubscriptionId>,
    last_turn: u64,
    served_last: Option<SubscriptionId>,
    /// How many healthy ones had their turn since an ailing one had.
    since_ailing: usize,
    /// How many deliveries wait for those that are ready, and for how many of them that ail.
    waiting: usize,
    waiting_for_ailing: usize,
    /// Those for which any wait, ready or not.
    pub(super) holding: BTreeSet<SubscriptionId>,
}

impl Turns {
    /// Whose turn is next. While others are ready, an ailing one's is one in four; and those that are suspected come after
    /// the others.
    pub(super) fn next(
        &mut self,
        room_for_ailing: bool,
        suspected: impl Fn(SubscriptionId) -> bool,
    ) -> Option<SubscriptionId> {
        let healthy = self.first(&self.healthy, &suspected);
        let ailing = self.first(&self.ailing, &suspected).filter(|_| room_for_ailing);
        let ailing = ailing.filter(|_| healthy.is_none() || self.since_ailing + 1 >= AILING_SHARE);
        self.since_ailing = if ailing.is_some() { 0 } else { (self.since_ailing + 1).min(AILING_SHARE) };
        let next = ailing.or(healthy);
        self.served_last = next.or(self.served_last);
        next
    }

    /// Nobody has two turns in a row while another is ready, even where all became ready anew.
    fn first(
        &self,
        ring: &BTreeMap<u64, SubscriptionId>,
        suspected: &impl Fn(SubscriptionId) -> bool,
    ) -> Option<SubscriptionId> {
        let first_of = |are_suspected: bool| {
            let mut those = ring.values().copied().filter(|id| suspected(*id) == are_suspected);
            let first = those.next()?;
            let again = Some(first) == self.served_last;
            those.next().filter(|_| again).or(Some(first))
        };
        first_of(false).or_else(|| first_of(true))
    }

    /// An endpoint becomes ready, with so many deliveries; answers its turn.
    pub(super) fn join(&mut self, id: SubscriptionId, ailing: bool, waiting: usize) -> u64 {
        self.last_turn += 1;
        self.recount(ailing, 0, waiting);
        let turn = self.last_turn;
        self.ring(ailing).insert(turn, id);
        turn
    }

    /// The endpoint of that turn is no longer ready.
    pub(super) fn leave(&mut self, turn: u64, ailing: bool, waited: usize) {
        self.ring(ailing).remove(&turn);
        self.recount(ailing, waited, 0);
    }

    /// More, or fewer, deliveries wait for one that is ready.
    pub(super) fn recount(&mut self, ailing: bool, waited: usize, waiting: usize) {
        let count = |of: usize| of.saturating_sub(waited) + waiting;
        self.waiting = count(self.waiting);
        if ailing {
            self.waiting_for_ailing = count(self.waiting_for_ailing);
        }
    }

    /// Whether any delivery waits for an endpoint.
    pub(super) fn holds(&mut self, id: SubscriptionId, any: bool) {
        super::keep(&mut self.holding, id, any);
    }

    /// How many deliveries wait for those that are ready.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many of these are not held back by the share of those that ail.
    pub(super) fn waiting_for_healthy(&self) -> usize {
        self.waiting.saturating_sub(self.waiting_for_ailing)
    }

    fn ring(&mut self, ailing: bool) -> &mut BTreeMap<u64, SubscriptionId> {
        if ailing { &mut self.ailing } else { &mut self.healthy }
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
    fn turns(turns: &mut Turns, ailing: &[SubscriptionId], count: usize) -> Vec<SubscriptionId> {
        let mut had = Vec::new();
        for _ in 0..count {
            let id = turns.next(true, |_| false).unwrap();
            let is_ailing = ailing.contains(&id);
            let turn = *turns.ring(is_ailing).first_key_value().unwrap().0;
            turns.leave(turn, is_ailing, 1);
            turns.join(id, is_ailing, 1);
            had.push(id);
        }
        had
    }

    #[test]
    fn endpoints_take_turns_and_those_that_ail_have_one_in_four() {
        let ([healthy, other, ailing], mut all) = (endpoints(), Turns::default());
        for id in [healthy, other] {
            all.join(id, false, 1);
        }
        all.join(ailing, true, 1);
        let had = turns(&mut all, &[ailing], 8);
        assert_eq!(had.iter().filter(|id| **id == ailing).count(), 2, "{had:?}");
        assert_eq!(had.iter().filter(|id| **id == healthy).count(), 3, "{had:?}");
        assert_eq!(all.waiting(), 3);
    }

    #[test]
    fn where_nobody_else_is_ready_those_that_ail_have_every_turn_that_they_may() {
        let ([first, second], mut all) = (endpoints(), Turns::default());
        for id in [first, second] {
            all.join(id, true, 1);
        }
        assert_eq!(turns(&mut all, &[first, second], 3), [first, second, first]);
        assert_eq!(all.next(false, |_| false), None);
    }
}
