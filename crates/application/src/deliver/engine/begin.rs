//! Choosing what is attempted next, and beginning it: the attempt is on disk before it is made.

use std::collections::HashSet;

use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::{Decision, DeliveryId, DeliveryKind, Next};
use domain::endpoint::Protocol;

use super::super::circuit_breaker::CircuitBreaker;
use super::super::endpoint_queues::EndpointQueues;
use super::{Action, Engine};
use crate::Error;
use crate::ports::{DueDelivery, Finished, Intent};

impl Engine {
    /// Picks what may begin now and asks for it to be recorded.
    pub(super) fn admit(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        for (protocol, breaker) in &mut self.breakers {
            fill(breaker, *protocol, &mut self.queues, &mut self.beginning, now);
        }
        if !self.beginning.is_empty() {
            let intent = |delivery: &DueDelivery| Intent {
                delivery: delivery.id,
                number: delivery.attempts + 1,
                at: now,
            };
            actions.push(Action::Begin(self.beginning.iter().map(intent).collect()));
        }
    }

    pub(super) fn begun(
        &mut self,
        answer: Result<Vec<DeliveryId>, Error>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let beginning = std::mem::take(&mut self.beginning);
        match answer {
            Ok(begun) => {
                let begun: HashSet<_> = begun.into_iter().collect();
                for delivery in beginning {
                    if begun.contains(&delivery.id) {
                        self.send(delivery, now, actions);
                    } else {
                        self.let_go(&delivery, now);
                        // Something was done to it meanwhile, and so perhaps to what waits behind it: that is asked for
                        // anew, before it takes up the time of its endpoint's pace.
                        self.forget(delivery.subscription.id, now);
                        self.more = true;
                    }
                }
            }
            Err(error) => {
                for delivery in beginning.into_iter().rev() {
                    if let Some(breaker) = self.breakers.get_mut(&delivery.protocol()) {
                        breaker.ends(&delivery);
                    }
                    self.queues.put_back(delivery, now);
                }
                self.store_failed(&error, now);
            }
        }
    }

    fn send(&mut self, delivery: DueDelivery, now: Timestamp, actions: &mut Vec<Action>) {
        let number = delivery.attempts + 1;
        if self.draining {
            let outcome = Outcome::new(OutcomeKind::Transient(Scope::Delivery), "Not sent: stopping");
            let decision = Decision { next: Next::Again(now), uses_attempt: false, consequence: None };
            self.let_go(&delivery, now);
            self.outcomes.push(Finished {
                delivery: delivery.id,
                number,
                at: now,
                outcome,
                decision,
                confirmed: false,
                blameless: true,
            });
            return;
        }
        actions.push(Action::Send(Box::new(delivery.clone()), number));
        self.sending.insert(delivery.id, delivery);
    }
}

/// Fills a channel's room.
fn fill(
    breaker: &mut CircuitBreaker,
    protocol: Protocol,
    queues: &mut EndpointQueues,
    chosen: &mut Vec<DueDelivery>,
    now: Timestamp,
) {
    while breaker.has_room(now) {
        let suspected = |endpoint| breaker.suspects(endpoint);
        let taken = queues.take(protocol, breaker.has_room_for_ailing(), suspected, now);
        let Some((mut delivery, ailing)) = taken else { return };
        if delivery.kind == DeliveryKind::Confirmation && delivery.attempts_used == 0 {
            delivery.subscription.confirmation_expires_at = delivery.subscription.asked(now);
        }
        breaker.begins(&delivery, ailing, now);
        chosen.push(delivery);
    }
}
