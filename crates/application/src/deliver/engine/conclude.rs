//! What follows from what was sent: the decision, and its consequences for others.

use domain::Timestamp;
use domain::attempt::Outcome;
use domain::delivery::{Consequence, Decision, DeliveryId, OnUnknown, decide};
use domain::endpoint::Protocol;
use domain::retry::Chance;

use super::super::report;
use super::{Action, Engine};
use crate::Error;
use crate::ports::{DueDelivery, Finished, Sent};

impl Engine {
    pub(super) fn sent(
        &mut self,
        id: DeliveryId,
        sent: Sent,
        now: Timestamp,
        chance: Chance,
        actions: &mut Vec<Action>,
    ) {
        let Some(delivery) = self.sending.remove(&id) else { return };
        self.let_go(&delivery);
        let rules = self.lanes.get(&delivery.protocol()).map(|lane| lane.rules);
        let on_unknown = rules.map_or(OnUnknown::Hold, |rules| rules.on_unknown);
        let decision = decide(delivery.effort(on_unknown), &sent.outcome, now, chance);
        self.follow(&delivery, &decision, &sent.outcome, now, actions);
        let finished = Finished {
            delivery: id,
            number: delivery.attempts + 1,
            at: now,
            outcome: sent.outcome,
            decision,
            confirmed: sent.confirmed,
        };
        report::attempt_ended(&delivery, &finished);
        self.outcomes.push(finished);
    }

    /// What an outcome means for the other deliveries of its endpoint and channel.
    fn follow(
        &mut self,
        delivery: &DueDelivery,
        decision: &Decision,
        outcome: &Outcome,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let protocol = delivery.protocol();
        let Some(lane) = self.lanes.get_mut(&protocol) else { return };
        match decision.consequence {
            Some(Consequence::PauseChannel(until)) => {
                if lane.pause(now, until) {
                    tracing::error!(%protocol, reason = outcome.reply, "channel paused");
                    actions.push(Action::NotePause(protocol, outcome.reply.clone()));
                    self.forget(|_, queue| queue.protocol == protocol);
                }
            }
            Some(Consequence::PauseEndpoint(until)) => {
                lane.works();
                self.queue_of(delivery).pause_until(until);
                self.forget(|id, _| id == delivery.subscription.id);
            }
            Some(consequence @ (Consequence::EndSubscription(_) | Consequence::SuspendSubscription)) => {
                lane.works();
                report::is_told_no_more(delivery, consequence);
                self.forget(|id, _| id == delivery.subscription.id);
            }
            None => lane.works(),
        }
    }

    pub(super) fn recorded(&mut self, answer: Result<(), Error>, now: Timestamp) {
        match answer {
            Ok(()) => {
                self.recording.clear();
                self.more = true;
            }
            Err(error) => {
                let mut again = std::mem::take(&mut self.recording);
                again.append(&mut self.outcomes);
                self.outcomes = again;
                self.store_failed(&error, now);
            }
        }
    }

    pub(super) fn probed(
        &mut self,
        protocol: Protocol,
        answer: &Result<(), Outcome>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let Some(lane) = self.lanes.get_mut(&protocol) else { return };
        match answer {
            Ok(()) => {
                lane.resume();
                self.more = true;
                tracing::info!(%protocol, "channel works again");
                actions.push(Action::NoteResume(protocol));
            }
            Err(outcome) => {
                lane.probe_failed(now);
                tracing::warn!(%protocol, reason = outcome.reply, "channel still paused");
            }
        }
    }
}
