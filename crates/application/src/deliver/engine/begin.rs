//! Choosing what is attempted next, and beginning it: the attempt is on disk before it is made.

use std::collections::HashSet;

use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::{Decision, DeliveryId, Next};
use domain::subscription::SubscriptionId;

use super::{Action, Engine};
use crate::Error;
use crate::ports::{DueDelivery, Finished, Intent};

impl Engine {
    /// Picks what may begin now, an endpoint at a time in turn, so that none waits for another's backlog.
    pub(super) fn admit(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        let turn = self.turn();
        let mut progress = true;
        while progress {
            progress = false;
            for id in &turn {
                if let Some(delivery) = self.take(*id, now) {
                    self.served_last = Some(*id);
                    self.beginning.push(delivery);
                    progress = true;
                }
            }
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

    /// The endpoints in hand, beginning behind the one that was served last.
    fn turn(&self) -> Vec<SubscriptionId> {
        let all = || self.queues.keys().copied();
        let Some(last) = self.served_last else { return all().collect() };
        all().skip_while(|id| *id <= last).chain(all().take_while(|id| *id <= last)).collect()
    }

    fn take(&mut self, id: SubscriptionId, now: Timestamp) -> Option<DueDelivery> {
        let queue = self.queues.get_mut(&id)?;
        let lane = self.lanes.get_mut(&queue.protocol).filter(|lane| lane.room() > 0)?;
        let delivery = queue.take(lane.concurrency.endpoint, now)?;
        lane.begins();
        Some(delivery)
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
                    }
                }
            }
            Err(error) => {
                for delivery in beginning.into_iter().rev() {
                    if let Some(lane) = self.lanes.get_mut(&delivery.protocol()) {
                        lane.ends();
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
            let handed_back =
                Finished { delivery: delivery.id, number, at: now, outcome, decision, confirmed: false };
            self.let_go(&delivery);
            self.outcomes.push(handed_back);
            return;
        }
        actions.push(Action::Send(Box::new(delivery.clone()), number));
        self.sending.insert(delivery.id, delivery);
    }
}
