//! Choosing what is attempted next, and beginning it: the attempt is on disk before it is made.

use std::collections::{BTreeMap, HashSet};

use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::{Decision, DeliveryId, DeliveryKind, Next};
use domain::endpoint::Protocol;
use domain::subscription::SubscriptionId;

use super::super::channel_lane::ChannelLane;
use super::super::endpoint_queue::EndpointQueue;
use super::{Action, Engine};
use crate::Error;
use crate::ports::{DueDelivery, Finished, Intent};

impl Engine {
    /// Picks what may begin now and asks for it to be recorded.
    pub(super) fn admit(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        for (protocol, lane) in &mut self.lanes {
            fill(lane, *protocol, &mut self.queues, &mut self.beginning, now);
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
                        self.let_go(&delivery);
                        self.more = true;
                    }
                }
            }
            Err(error) => {
                for delivery in beginning.into_iter().rev() {
                    if let Some(lane) = self.lanes.get_mut(&delivery.protocol()) {
                        lane.ends(&delivery);
                    }
                    self.queue_of(&delivery).put_back(delivery);
                }
                self.store_failed(&error, now);
            }
        }
    }

    fn send(&mut self, delivery: DueDelivery, now: Timestamp, actions: &mut Vec<Action>) {
        let number = delivery.attempts + 1;
        if self.draining {
            let outcome = Outcome::new(OutcomeKind::Transient(Scope::Delivery), "Not sent: stopping");
            let decision = Decision { next: Next::Again(now), spent: false, consequence: None };
            self.let_go(&delivery);
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

type Queues = BTreeMap<SubscriptionId, EndpointQueue>;

/// Fills a channel's room, an endpoint at a time in turn, so that none waits for another's backlog.
fn fill(
    lane: &mut ChannelLane,
    protocol: Protocol,
    queues: &mut Queues,
    chosen: &mut Vec<DueDelivery>,
    now: Timestamp,
) {
    let mut turn = if lane.has_room(now) { turn(queues, protocol, lane.served_last()) } else { Vec::new() };
    lane.others_first(&mut turn);
    let mut progress = true;
    while progress {
        progress = false;
        for id in &turn {
            let Some(queue) = queues.get_mut(id).filter(|_| lane.has_room(now)) else { continue };
            let next = queue.ready(lane.rules.concurrency.endpoint, now);
            if next.is_none_or(|delivery| !lane.has_room_for(delivery)) {
                continue;
            }
            if let Some(mut delivery) = queue.take(now) {
                if delivery.kind == DeliveryKind::Confirmation && delivery.spent == 0 {
                    delivery.subscription.confirmation_expires_at = delivery.subscription.asked(now);
                }
                lane.begins(&delivery, now);
                chosen.push(delivery);
                progress = true;
            }
        }
    }
}

/// A channel's endpoints, beginning behind the one that was served last.
fn turn(queues: &Queues, protocol: Protocol, last: Option<SubscriptionId>) -> Vec<SubscriptionId> {
    let all = || queues.iter().filter(|(_, queue)| queue.protocol == protocol).map(|(id, _)| *id);
    let had_theirs = |id: &SubscriptionId| Some(*id) <= last;
    all().skip_while(had_theirs).chain(all().take_while(had_theirs)).collect()
}
