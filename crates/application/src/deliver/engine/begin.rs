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
    pub(super) fn dispatch_ready(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        for (protocol, breaker) in &mut self.breakers {
            take_ready(breaker, *protocol, &mut self.queues, &mut self.beginning, now);
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
                        self.release(&delivery, now);
                        // Something was done to it meanwhile, and so perhaps to what waits behind it: that is asked for
                        // anew, before it uses up its endpoint's rate.
                        self.evict_endpoint(delivery.subscription.id, now);
                        self.more = true;
                    }
                }
            }
            Err(error) => {
                for delivery in beginning.into_iter().rev() {
                    if let Some(breaker) = self.breakers.get_mut(&delivery.protocol()) {
                        breaker.on_attempt_ended(&delivery);
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
            self.release(&delivery, now);
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

/// Takes as many deliveries of a channel as may begin.
fn take_ready(
    breaker: &mut CircuitBreaker,
    protocol: Protocol,
    queues: &mut EndpointQueues,
    chosen: &mut Vec<DueDelivery>,
    now: Timestamp,
) {
    while breaker.has_room(now) {
        let channel_failed_at = |endpoint| breaker.failed_at(endpoint);
        let taken = queues.take(protocol, breaker.has_room_for_degraded(), channel_failed_at, now);
        let Some((mut delivery, degraded)) = taken else { return };
        if delivery.kind == DeliveryKind::Confirmation && delivery.attempts_used == 0 {
            delivery.subscription.confirmation_expires_at =
                delivery.subscription.confirmation_expires_if_sent(now);
        }
        breaker.on_attempt_started(&delivery, degraded, now);
        chosen.push(delivery);
    }
}
