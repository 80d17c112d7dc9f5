//! Choosing what is attempted next, and beginning it: the attempt is on disk before it is made.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use domain::Timestamp;
use domain::delivery::{DeliveryId, DeliveryKind};
use domain::endpoint::Protocol;

use super::super::circuit_breaker::CircuitBreaker;
use super::super::endpoint_queues::EndpointQueues;
use super::ahead::not_sent;
use super::{Action, Beginning, Engine, since};
use crate::Error;
use crate::ports::{DueDelivery, Intent};

impl Engine {
    /// Picks what may begin now and asks for it to be recorded.
    pub(super) fn dispatch_ready(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        let mut chosen = Vec::new();
        for (protocol, breaker) in &mut self.breakers {
            take_ready(breaker, *protocol, &mut self.queues, &mut chosen, now);
        }
        let turns: BTreeSet<_> =
            chosen.iter().map(|delivery: &DueDelivery| delivery.subscription.id).collect();
        self.beginning.extend(chosen.into_iter().map(|delivery| Beginning { delivery, ahead: false }));
        self.take_ahead(&turns, now);
        if !self.beginning.is_empty() {
            self.begin_asked_at = now;
            let intent = |Beginning { delivery, .. }: &Beginning| Intent {
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
        self.giving_way.recorded(since(self.begin_asked_at, now));
        match answer {
            Ok(begun) => {
                let begun: HashSet<_> = begun.into_iter().collect();
                for Beginning { delivery, ahead } in beginning {
                    match (begun.contains(&delivery.id), ahead) {
                        (true, false) => self.send(delivery, now, actions),
                        (true, true) => self.line_up(delivery, now),
                        (false, _) => self.not_begun(&delivery, ahead, now),
                    }
                }
            }
            Err(error) => {
                for Beginning { delivery, ahead } in beginning.into_iter().rev() {
                    if ahead {
                        self.queues.put_back_ahead(delivery, now);
                        continue;
                    }
                    if let Some(breaker) = self.breakers.get_mut(&delivery.protocol()) {
                        breaker.on_attempt_ended(&delivery);
                    }
                    self.queues.put_back(delivery, now);
                }
                self.store_failed(&error, now);
            }
        }
    }

    /// Something was done to a delivery meanwhile, and so perhaps to what waits behind it: that is asked for anew, before it
    /// uses up its endpoint's rate. What was recorded ahead was as it should be then, and goes on.
    fn not_begun(&mut self, delivery: &DueDelivery, ahead: bool, now: Timestamp) {
        let id = delivery.subscription.id;
        if ahead {
            self.held.remove(&delivery.id);
            self.queues.recorded_ahead(id, None, now);
        } else {
            self.release(delivery, now);
        }
        self.drop_waiting(id, now);
        self.more = true;
    }

    fn send(&mut self, delivery: DueDelivery, now: Timestamp, actions: &mut Vec<Action>) {
        if self.draining {
            self.release(&delivery, now);
            self.outcomes.push(not_sent(&delivery, "Not sent: stopping", now));
            return;
        }
        // How long it takes is counted from now, and not from before it was recorded.
        if let Some(breaker) = self.breakers.get_mut(&delivery.protocol()) {
            breaker.on_sent(&delivery, now);
        }
        actions.push(Action::Send(Box::new(delivery.clone()), delivery.attempts + 1));
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
            let subscription = Arc::make_mut(&mut delivery.subscription);
            subscription.confirmation_expires_at = subscription.confirmation_expires_if_sent(now);
        }
        breaker.on_attempt_started(&delivery, degraded, now);
        chosen.push(delivery);
    }
}
