//! Attempts that are on record ahead of their turn: those at one endpoint are recorded together and made one after the
//! other, so that an endpoint does not wait for a commit between any two of its messages.
//!
//! Only where the last attempt succeeded, and only as many as are made in a moment. What does not come to its turn is taken
//! back: it is certain that it was not sent.

use std::collections::BTreeSet;

use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::{Decision, Next};
use domain::subscription::SubscriptionId;

use super::{Action, Beginning, Engine};
use crate::ports::{DueDelivery, Finished};

impl Engine {
    /// Picks what is to be recorded ahead: for those whose turn begins, and, while nobody else waits for room, for those
    /// whose turn goes on.
    pub(super) fn take_ahead(&mut self, begin: &BTreeSet<SubscriptionId>, now: Timestamp) {
        let go_on = std::mem::take(&mut self.going_well);
        let go_on = go_on.into_iter().filter(|id| !begin.contains(id) && !self.queues.others_are_ready(*id));
        let turns: Vec<_> = begin.iter().copied().chain(go_on).collect();
        for id in turns {
            let ahead = self.queues.take_ahead(id, now).into_iter();
            self.beginning.extend(ahead.map(|delivery| Beginning { delivery, ahead: true }));
        }
    }

    /// Takes in that an attempt is on record ahead of its turn.
    pub(super) fn line_up(&mut self, delivery: DueDelivery, now: Timestamp) {
        let (id, protocol) = (delivery.subscription.id, delivery.protocol());
        self.queues.recorded_ahead(id, Some(delivery), now);
        let works = self.breakers.get(&protocol).is_some_and(|breaker| !breaker.is_paused());
        if self.draining || !works || !self.queues.may_go_on(id) {
            self.take_back(id, now);
        } else {
            self.lined_up.entry(protocol).or_default().push_back(id);
        }
    }

    /// Makes the attempts whose turn has come, as far as their channels have room.
    pub(super) fn send_lined_up(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        for (protocol, endpoints) in &mut self.lined_up {
            let Some(breaker) = self.breakers.get_mut(protocol) else { continue };
            while breaker.has_room(now)
                && let Some(id) = endpoints.pop_front()
            {
                let Some(delivery) = self.queues.take_lined_up(id, now) else { continue };
                breaker.on_attempt_started(&delivery, false, now);
                self.going_well.insert(id);
                actions.push(Action::Send(Box::new(delivery.clone()), delivery.attempts + 1));
                self.sending.insert(delivery.id, delivery);
            }
        }
    }

    /// Takes in how an attempt at an endpoint went: the next follows, or all are taken back.
    pub(super) fn follow(&mut self, delivery: &DueDelivery, succeeded: bool, now: Timestamp) {
        let id = delivery.subscription.id;
        if succeeded && self.queues.may_go_on(id) {
            self.going_well.insert(id);
            self.lined_up.entry(delivery.protocol()).or_default().push_back(id);
        } else {
            self.take_back(id, now);
        }
    }

    /// Takes back what was recorded ahead for an endpoint, to be due as it was.
    pub(super) fn take_back(&mut self, id: SubscriptionId, now: Timestamp) {
        for delivery in self.queues.take_back(id, now) {
            self.held.remove(&delivery.id);
            self.outcomes.push(not_sent(&delivery, "Not sent: its turn did not come", now));
            self.more = true;
        }
    }
}

/// An attempt that was recorded and is not made: it uses none, and the delivery is due as it was.
pub(super) fn not_sent(delivery: &DueDelivery, why: &str, now: Timestamp) -> Finished {
    Finished {
        delivery: delivery.id,
        number: delivery.attempts + 1,
        at: now,
        outcome: Outcome::new(OutcomeKind::Transient(Scope::Delivery), why),
        decision: Decision { next: Next::Again(delivery.due_at), uses_attempt: false, consequence: None },
        confirmed: false,
        blameless: true,
    }
}
