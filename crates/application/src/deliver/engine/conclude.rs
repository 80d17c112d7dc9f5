//! What follows from what was sent: the decision, and its consequences for others.

use std::time::Duration;

use domain::Timestamp;
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::{Consequence, Decision, DeliveryId, UnknownOutcomePolicy, decide};
use domain::endpoint::Protocol;
use domain::retry::Jitter;
use domain::subscription::SubscriptionId;

use super::super::circuit_breaker::CircuitBreaker;
use super::super::report;
use super::{Action, Engine, since};
use crate::Error;
use crate::ports::{DueDelivery, Finished, Sent};

impl Engine {
    pub(super) fn sent(
        &mut self,
        id: DeliveryId,
        sent: Sent,
        now: Timestamp,
        jitter: Jitter,
        actions: &mut Vec<Action>,
    ) {
        let Some(delivery) = self.sending.remove(&id) else { return };
        let protocol = delivery.protocol();
        let (mut outcome, mut on_unknown) = (sent.outcome, UnknownOutcomePolicy::Hold);
        let (mut silent, mut throttles, mut took) = (false, None, Duration::ZERO);
        if let Some(breaker) = self.breakers.get_mut(&protocol) {
            on_unknown = breaker.rules.on_unknown;
            took = breaker.took(&delivery, now);
            (outcome, silent) = breaker.record_outcome(&delivery, outcome);
            silent &= protocol.has_provider();
            if matches!(outcome.kind, OutcomeKind::Throttled { scope: Scope::Channel, .. }) {
                throttles = Some(breaker.throttled());
            }
        }
        // An endpoint is not to blame where nobody hears from the provider.
        let of_endpoint = if silent { 0 } else { self.queues.failures(delivery.subscription.id) };
        let failures = throttles.unwrap_or(of_endpoint);
        let context = delivery.retry_context(on_unknown, failures);
        let decision = decide(context, &outcome, now, jitter);
        if silent {
            self.pause(protocol, None, &outcome, now, actions);
        } else {
            let took = (took, CircuitBreaker::is_slow(&delivery, took));
            self.queues.record_outcome(delivery.subscription.id, outcome.kind, took, now);
        }
        self.apply_consequence(&delivery, &decision, &outcome, now, actions);
        let succeeded = matches!(outcome.kind, OutcomeKind::Delivered | OutcomeKind::Sandboxed);
        if succeeded {
            self.note_how_telling_fares(&delivery, took, now);
        }
        let finished = Finished {
            delivery: id,
            number: delivery.attempts + 1,
            at: now,
            outcome,
            decision,
            confirmed: sent.confirmed,
            blameless: silent,
        };
        self.release(&delivery, now);
        report::attempt_ended(&delivery, &finished);
        self.outcomes.push(finished);
        self.follow(&delivery, succeeded, now);
    }

    /// Takes in that a message got through, for what orders go by.
    fn note_how_telling_fares(&mut self, delivery: &DueDelivery, took: Duration, now: Timestamp) {
        let breaker = self.breakers.get(&delivery.protocol());
        let at_any_time = breaker.is_some_and(|breaker| breaker.rules.max_per_second.is_none());
        let more_wait = at_any_time && self.queues.more_wait_their_turn(delivery.subscription.id);
        self.giving_way.told(took, more_wait, now);
    }

    /// Applies what an outcome means for the other deliveries of its endpoint and channel.
    fn apply_consequence(
        &mut self,
        delivery: &DueDelivery,
        decision: &Decision,
        outcome: &Outcome,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        match decision.consequence {
            None => {}
            Some(Consequence::PauseChannel(until)) => {
                self.pause(delivery.protocol(), until, outcome, now, actions);
            }
            Some(Consequence::PauseEndpoint(until)) => {
                self.queues.pause(delivery.subscription.id, now, until);
                self.evict_endpoint(delivery.subscription.id, now);
            }
            Some(Consequence::EndSubscription(_)) => {
                report::ended(delivery);
                self.evict_endpoint(delivery.subscription.id, now);
            }
        }
    }

    fn pause(
        &mut self,
        protocol: Protocol,
        until: Option<Timestamp>,
        outcome: &Outcome,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        if self.breakers.get_mut(&protocol).is_some_and(|breaker| breaker.pause(now, until)) {
            tracing::error!(%protocol, status = outcome.status, "channel paused; timelines say why");
            actions.push(Action::NotePause(protocol, outcome.reply.clone()));
            self.evict_channel(protocol, now);
        }
    }

    pub(super) fn recorded(&mut self, answer: Result<Vec<SubscriptionId>, Error>, now: Timestamp) {
        self.giving_way.recorded(since(self.record_asked_at, now));
        match answer {
            Ok(suspended) => {
                for id in suspended {
                    report::suspended(id);
                    self.evict_endpoint(id, now);
                }
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
        let Some(breaker) = self.breakers.get_mut(&protocol) else { return };
        match answer {
            Ok(()) => {
                breaker.half_open();
                self.more = true;
                tracing::info!(%protocol, "channel works again");
                actions.push(Action::NoteResume(protocol));
            }
            Err(outcome) => {
                breaker.probe_failed(now);
                tracing::warn!(%protocol, status = outcome.status, "channel still paused");
            }
        }
    }
}
