//! Whose fault it is, where one outcome alone does not tell: a delivery at which its channel breaks down and works again
//! in between, and refusals that may be about us.

use std::collections::{HashMap, HashSet};

use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::delivery::{DeliveryId, MIN_RETRY_AFTER};
use domain::subscription::SubscriptionId;

use crate::ports::DueDelivery;

/// How often the channel may break down at a delivery, and answer to another in between, before it is the delivery's
/// fault.
const BREAKDOWNS: u32 = 5;
/// So many recipients refused in a row, and nobody served in between, say that it is us whom the provider refuses.
const ROW: usize = 3;
/// What was refused so often without anyone being served in between is believed, so that dead addresses do not stop a
/// channel for ever.
const ROUNDS: u32 = 3;

/// Whom an outcome may be about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Suspect {
    pub(super) delivery: DeliveryId,
    pub(super) recipient: SubscriptionId,
    /// One provider stands behind all recipients: what it refuses may be us.
    pub(super) has_provider: bool,
}

/// Who is suspected of what the channel suffers. Forgotten with the process: then it is found out anew.
#[derive(Debug, Default)]
pub(super) struct FailureAttribution {
    breakdowns: HashMap<DeliveryId, u32>,
    /// The other side has answered since the last breakdown.
    answers: bool,
    /// Whose messages failed the channel since it last served anyone: after a pause others go first.
    failed: HashSet<SubscriptionId>,
    /// The recipients refused for good since the provider last served anyone.
    row: HashSet<SubscriptionId>,
    /// How often each delivery was refused and not believed.
    rounds: HashMap<DeliveryId, u32>,
    /// Recipients since whose refusal others were served: the next refusal is their own.
    known: HashSet<SubscriptionId>,
}

impl FailureAttribution {
    /// The other side answered, whatever it said.
    pub(super) fn channel_answers(&mut self) {
        self.answers = true;
    }

    /// Whether the channel failed at this recipient and has served nobody since.
    pub(super) fn holds(&self, recipient: SubscriptionId) -> bool {
        self.failed.contains(&recipient)
    }

    /// Takes in what came of an attempt. Answers it as it came, or as what it is taken for.
    pub(super) fn attribute(&mut self, suspect: Suspect, outcome: Outcome) -> Outcome {
        let kind = match outcome.kind {
            OutcomeKind::Transient(Scope::Channel) => self.breakdown(suspect.delivery),
            OutcomeKind::Permanent(scope @ (Scope::Delivery | Scope::Unclear)) => {
                self.refusal(suspect, scope)
            }
            kind => {
                self.forget(suspect.delivery);
                kind
            }
        };
        match kind {
            OutcomeKind::Delivered => self.served(suspect.recipient),
            kind if kind.scope() == Some(Scope::Channel) => {
                self.failed.insert(suspect.recipient);
            }
            _ => {}
        }
        Outcome { kind, ..outcome }
    }

    fn breakdown(&mut self, delivery: DeliveryId) -> OutcomeKind {
        let channels = OutcomeKind::Transient(Scope::Channel);
        // A channel that answers nobody is down.
        if !std::mem::take(&mut self.answers) {
            return channels;
        }
        let times = self.breakdowns.entry(delivery).or_default();
        *times += 1;
        if *times <= BREAKDOWNS { channels } else { OutcomeKind::Transient(Scope::Delivery) }
    }

    /// One that is clearly about the delivery is believed unless it is one of a row; one that is not clear is asked for
    /// again first. Neither spends an attempt.
    fn refusal(&mut self, suspect: Suspect, scope: Scope) -> OutcomeKind {
        let Suspect { delivery: id, recipient, has_provider } = suspect;
        let believed = OutcomeKind::Permanent(Scope::Delivery);
        if !has_provider {
            return believed;
        }
        let is_known = self.known.remove(&recipient);
        self.row.insert(recipient);
        if is_known {
            self.forget(id);
            return believed;
        }
        let is_row = self.row.len() >= ROW;
        let rounds = self.rounds.get(&id).map_or(1, |rounds| rounds + 1);
        if rounds >= ROUNDS {
            self.row.clear();
        }
        if rounds >= ROUNDS || !is_row && scope == Scope::Delivery {
            self.forget(id);
            return believed;
        }
        self.rounds.insert(id, rounds);
        if is_row {
            OutcomeKind::Transient(Scope::Channel)
        } else {
            OutcomeKind::Throttled { scope: Scope::Delivery, retry_after: Some(MIN_RETRY_AFTER) }
        }
    }

    /// Somebody was served: it was not us whom the provider refused.
    fn served(&mut self, recipient: SubscriptionId) {
        self.failed.clear();
        self.known.extend(self.row.drain());
        self.known.remove(&recipient);
    }

    fn forget(&mut self, delivery: DeliveryId) {
        self.breakdowns.remove(&delivery);
        self.rounds.remove(&delivery);
    }
}

impl Suspect {
    pub(super) fn of(delivery: &DueDelivery) -> Self {
        let has_provider = delivery.protocol().has_provider();
        Self { delivery: delivery.id, recipient: delivery.subscription.id, has_provider }
    }
}

#[cfg(test)]
mod tests;
