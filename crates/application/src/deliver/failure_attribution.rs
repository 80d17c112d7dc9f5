//! Whose fault it is, where one outcome alone does not tell: a delivery at which its channel fails and works again
//! in between, and refusals that may be about us.

use std::collections::{HashMap, HashSet};

use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::{DeliveryId, MIN_RETRY_AFTER};
use domain::subscription::SubscriptionId;

use crate::ports::DueDelivery;

/// How often the channel may fail at a delivery, and answer to another in between, before that counts as the
/// delivery's own failure.
const MAX_CHANNEL_FAILURES: u32 = 5;
/// How many recipients refused in a row, with nobody served in between, count as a failure of the channel: it is us whom
/// the provider refuses.
const REFUSAL_STREAK: usize = 3;
/// How often a recipient is refused before the refusal is believed, though nobody was served in between: dead addresses
/// do not stop a channel for ever.
const MAX_REFUSAL_ROUNDS: u32 = 3;

/// Whom an outcome may be about.
#[derive(Debug, Clone, Copy)]
pub(super) struct AttemptSubject {
    pub(super) delivery: DeliveryId,
    pub(super) recipient: SubscriptionId,
    /// One provider stands behind all recipients: what it refuses may be us.
    pub(super) has_provider: bool,
}

/// Which deliveries and recipients a channel fails at, since it last served anyone. Forgotten with the process: then it
/// is found out anew.
#[derive(Debug, Default)]
pub(super) struct FailureAttribution {
    channel_failures: HashMap<DeliveryId, u32>,
    /// The other side has answered since the channel last failed.
    channel_answered: bool,
    /// Whose messages failed the channel since it last served anyone: after a pause others go first.
    failed: HashSet<SubscriptionId>,
    /// The recipients refused for good since the provider last served anyone.
    streak: HashSet<SubscriptionId>,
    /// How often each delivery was refused and not believed.
    rounds: HashMap<DeliveryId, u32>,
    /// Recipients since whose refusal others were served: the next refusal is their own.
    known: HashSet<SubscriptionId>,
}

impl FailureAttribution {
    /// Notes that the other side answered, whatever it said.
    pub(super) fn record_answer(&mut self) {
        self.channel_answered = true;
    }

    /// Whether the channel failed at this recipient and has served nobody since.
    pub(super) fn failed_at(&self, recipient: SubscriptionId) -> bool {
        self.failed.contains(&recipient)
    }

    /// Takes in what came of an attempt. Answers it as it came, or as what it is taken for.
    pub(super) fn attribute(&mut self, subject: AttemptSubject, outcome: Outcome) -> Outcome {
        let kind = match outcome.kind {
            OutcomeKind::Transient(Scope::Channel) => self.channel_failure(subject.delivery),
            OutcomeKind::Permanent(scope @ (Scope::Delivery | Scope::Unclear)) => {
                self.refusal(subject, scope)
            }
            kind => {
                self.forget(subject.delivery);
                kind
            }
        };
        match kind {
            OutcomeKind::Delivered => self.served(subject.recipient),
            kind if kind.scope() == Some(Scope::Channel) => {
                self.failed.insert(subject.recipient);
            }
            _ => {}
        }
        Outcome { kind, ..outcome }
    }

    fn channel_failure(&mut self, delivery: DeliveryId) -> OutcomeKind {
        let channels = OutcomeKind::Transient(Scope::Channel);
        // A channel that answers nobody is down.
        if !std::mem::take(&mut self.channel_answered) {
            return channels;
        }
        let times = self.channel_failures.entry(delivery).or_default();
        *times += 1;
        if *times <= MAX_CHANNEL_FAILURES { channels } else { OutcomeKind::Transient(Scope::Delivery) }
    }

    /// One that is clearly about the delivery is believed unless it is one of a streak; one that is not clear is asked
    /// for again first. Neither uses an attempt.
    fn refusal(&mut self, subject: AttemptSubject, scope: Scope) -> OutcomeKind {
        let AttemptSubject { delivery: id, recipient, has_provider } = subject;
        let believed = OutcomeKind::Permanent(Scope::Delivery);
        if !has_provider {
            return believed;
        }
        let is_known = self.known.remove(&recipient);
        self.streak.insert(recipient);
        if is_known {
            self.forget(id);
            return believed;
        }
        let is_streak = self.streak.len() >= REFUSAL_STREAK;
        let rounds = self.rounds.get(&id).map_or(1, |rounds| rounds + 1);
        if rounds >= MAX_REFUSAL_ROUNDS {
            self.streak.clear();
        }
        if rounds >= MAX_REFUSAL_ROUNDS || !is_streak && scope == Scope::Delivery {
            self.forget(id);
            return believed;
        }
        self.rounds.insert(id, rounds);
        if is_streak {
            OutcomeKind::Transient(Scope::Channel)
        } else {
            OutcomeKind::Throttled { scope: Scope::Delivery, retry_after: Some(MIN_RETRY_AFTER) }
        }
    }

    /// Notes that somebody was served: it was not us whom the provider refused.
    fn served(&mut self, recipient: SubscriptionId) {
        self.failed.clear();
        self.known.extend(self.streak.drain());
        self.known.remove(&recipient);
    }

    fn forget(&mut self, delivery: DeliveryId) {
        self.channel_failures.remove(&delivery);
        self.rounds.remove(&delivery);
    }
}

impl AttemptSubject {
    pub(super) fn of(delivery: &DueDelivery) -> Self {
        let has_provider = delivery.protocol().has_provider();
        Self { delivery: delivery.id, recipient: delivery.subscription.id, has_provider }
    }
}

#[cfg(test)]
mod tests;
