//! Deliveries: owed once, begun before they are sent, repeated only where nobody knows.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use domain::delivery::{DeliveryId, DeliveryKind, DeliveryState};
use domain::receipt::ReceiptStatus;
use domain::subscription::SubscriptionState;

use super::Promises;
use super::suspensions::Failures;

/// A delivery as it stands.
pub(crate) struct DeliveryTruth {
    pub(crate) id: DeliveryId,
    pub(crate) kind: DeliveryKind,
    pub(crate) subscription: i64,
    pub(crate) order: Option<i64>,
    pub(crate) state: DeliveryState,
    /// Its provider once reported that it did not reach its receiver after all.
    bounced: bool,
    /// What its provider reported last.
    reported: Option<ReceiptStatus>,
    /// A person gave it up.
    pub(super) given_up: bool,
    /// Nobody could say whether it is owed, and it is not.
    pub(super) only_stands_for_one: bool,
    /// By number: what came of each attempt, and whether its message arrived.
    pub(crate) attempts: BTreeMap<u32, Attempt>,
}

#[derive(Debug, Default)]
pub(crate) struct Attempt {
    pub(super) outcome: Option<String>,
    pub(super) sent: bool,
    /// The receiver has it.
    pub(super) arrived: bool,
    /// Its provider reported that it did not reach its receiver after all.
    failed_later: bool,
}

impl DeliveryTruth {
    pub(super) fn new(
        id: DeliveryId,
        kind: DeliveryKind,
        subscription: i64,
        order: Option<i64>,
        state: DeliveryState,
    ) -> Self {
        Self {
            id,
            kind,
            subscription,
            order,
            state,
            bounced: false,
            reported: None,
            given_up: false,
            only_stands_for_one: false,
            attempts: BTreeMap::new(),
        }
    }

    fn last_attempt(&self) -> u32 {
        self.attempts.last_key_value().map_or(0, |(number, _)| *number)
    }
}

impl Promises {
    pub(super) fn delivery_owed(
        &mut self,
        seq: i64,
        mut delivery: DeliveryTruth,
        escalated: bool,
        undecided: bool,
    ) -> Result<()> {
        let subscription = self.subscriptions.get(&delivery.subscription).context("owed to nobody")?;
        let over = subscription.state == SubscriptionState::Ended || self.is_spam(&delivery);
        let begins = if over { DeliveryState::Cancelled } else { DeliveryState::Pending };
        ensure!(delivery.state == begins, "delivery {seq} began as {}", delivery.state);
        if delivery.kind == DeliveryKind::Confirmation {
            self.lapsed.remove(&delivery.subscription);
        }
        if delivery.kind == DeliveryKind::Notification {
            let place = delivery.order.context("a notification of no order")?;
            let order =
                self.orders.get_mut(&place).context("a notification of an order that is not stored")?;
            let to = delivery.subscription;
            if escalated {
                order.escalated_to.insert(to);
            }
            let owed = order.owed.contains(&to) || escalated;
            ensure!(owed || undecided, "subscription {to} is owed order {place}, and should not be");
            delivery.only_stands_for_one = !owed;
            ensure!(order.delivered_to.insert(to), "subscription {to} is owed order {place} twice");
        }
        self.deliveries.insert(seq, delivery);
        Ok(())
    }

    pub(super) fn delivery_moved(
        &mut self,
        seq: i64,
        was: DeliveryState,
        state: DeliveryState,
        attempts: u32,
    ) -> Result<()> {
        let delivery = self.deliveries.get(&seq).context("a delivery came from nowhere")?;
        let is_spam = self.is_spam(delivery);
        let delivery = self.deliveries.get_mut(&seq).context("a delivery came from nowhere")?;
        ensure!(was == delivery.state, "delivery {seq} was {was}, and before that {}", delivery.state);
        let subscription = &self.subscriptions[&delivery.subscription];
        if was != state && state == DeliveryState::InFlight {
            ensure!(attempts == delivery.last_attempt() + 1, "delivery {seq} skips to attempt {attempts}");
            let question = delivery.kind == DeliveryKind::Confirmation;
            let told = match subscription.state {
                SubscriptionState::Confirmed => true,
                SubscriptionState::Pending => question,
                SubscriptionState::Suspended | SubscriptionState::Ended => false,
            };
            ensure!(!is_spam, "delivery {seq} of an order that is spam begins");
            ensure!(
                told,
                "a {} is sent to a subscription that is {}",
                delivery.kind.name(),
                subscription.state
            );
        }
        let ended = subscription.state == SubscriptionState::Ended;
        let held = was == DeliveryState::InFlight && state == DeliveryState::Held;
        ensure!(!held || !(ended || is_spam), "delivery {seq} is held, and will never be sent again");
        // Only a person may give up what is pending or held.
        let waits = matches!(was, DeliveryState::Pending | DeliveryState::Held);
        let by_a_person = self.giving_up > 0 || is_spam;
        let given_up = waits && state == DeliveryState::Cancelled && by_a_person;
        let dropped = state == DeliveryState::Cancelled
            && !given_up
            && !is_spam
            && delivery.kind != DeliveryKind::Confirmation
            && !ended;
        ensure!(!dropped, "delivery {seq} is dropped, and its subscription is {}", subscription.state);
        if was != DeliveryState::InFlight && state == DeliveryState::Pending {
            ensure!(
                subscription.state != SubscriptionState::Ended,
                "delivery {seq} of an ended subscription is redriven"
            );
            ensure!(!is_spam, "delivery {seq} of an order that is spam is redriven");
        }
        delivery.given_up |= given_up;
        delivery.state = state;
        Ok(())
    }

    /// A person said that an order is spam, or took that back.
    pub(super) fn called_spam(&mut self, order: i64, is_spam: bool) {
        if is_spam {
            self.spam.insert(order);
        } else {
            self.spam.remove(&order);
        }
    }

    pub(crate) fn is_spam(&self, delivery: &DeliveryTruth) -> bool {
        delivery.order.is_some_and(|order| self.spam.contains(&order))
    }

    pub(super) fn attempt_begun(&mut self, delivery: i64, number: u32) -> Result<()> {
        let truth = self.deliveries.get_mut(&delivery).context("an attempt at nothing")?;
        let last = truth.last_attempt();
        ensure!(number == last + 1, "attempt {number} of delivery {delivery} follows attempt {last}");
        let open = truth.attempts.get(&last).is_some_and(|attempt| attempt.outcome.is_none());
        ensure!(!open, "attempt {number} of delivery {delivery} begins before attempt {last} has an outcome");
        let there = truth.reported == Some(ReceiptStatus::Delivered);
        ensure!(!there, "attempt {number} of delivery {delivery} begins though its provider delivered it");
        truth.attempts.insert(number, Attempt::default());
        Ok(())
    }

    pub(super) fn attempt_ended(
        &mut self,
        delivery: i64,
        number: u32,
        at: i64,
        outcome: Option<&str>,
    ) -> Result<()> {
        let truth = self.deliveries.get_mut(&delivery).context("an attempt at nothing ended")?;
        let attempt = truth.attempts.get_mut(&number).context("an attempt ended that was never begun")?;
        ensure!(attempt.outcome.is_none(), "attempt {number} of delivery {delivery} ended twice");
        let outcome = outcome.context("an attempt ended without an outcome")?;
        ensure!(
            outcome != "delivered" || attempt.arrived,
            "delivery {delivery} is called delivered, and never arrived"
        );
        attempt.outcome = Some(outcome.to_owned());
        let to = self.subscriptions.get_mut(&truth.subscription).context("an attempt to nobody")?;
        let got_through = matches!(outcome, "delivered" | "sandboxed");
        to.failures = (!got_through).then(|| Failures::again(to.failures, at));
        Ok(())
    }

    /// Whenever a commit is over, exactly what is in flight has an attempt without an outcome.
    pub(super) fn attempts_match_states(&self) -> Result<()> {
        for (seq, delivery) in &self.deliveries {
            let open = delivery.attempts.values().filter(|attempt| attempt.outcome.is_none()).count();
            let in_flight = usize::from(delivery.state == DeliveryState::InFlight);
            ensure!(
                open == in_flight,
                "delivery {seq} is {}, and {open} of its attempts are open",
                delivery.state
            );
            let last = delivery.attempts.last_key_value().map(|(_, attempt)| attempt);
            let taken =
                last.is_some_and(|last| last.outcome.as_deref() == Some("delivered") && !last.failed_later);
            ensure!(
                !taken || delivery.state != DeliveryState::Dead,
                "delivery {seq} is dead, and its last attempt got through"
            );
        }
        Ok(())
    }

    /// A message is about to leave: the machine, unless there is only a sandbox.
    pub(crate) fn sent(&mut self, id: DeliveryId, number: u32, in_sandbox: bool) -> Result<()> {
        let place = self.places.get(&id).with_context(|| format!("{id} is sent, and is not on disk"))?;
        let delivery = self.deliveries.get_mut(place).context("unknown delivery")?;
        let proven = in_sandbox || !self.subscriptions[&delivery.subscription].in_sandbox;
        let question = delivery.kind == DeliveryKind::Confirmation;
        ensure!(proven || question, "{id} is sent to someone who was confirmed in the sandbox only");
        let state = delivery.state;
        let attempt = delivery.attempts.get_mut(&number);
        let attempt = attempt.filter(|attempt| state == DeliveryState::InFlight && attempt.outcome.is_none());
        let attempt =
            attempt.with_context(|| format!("{id} is sent, and its attempt {number} is not on disk"))?;
        ensure!(!attempt.sent, "attempt {number} of {id} is sent twice");
        attempt.sent = true;
        Ok(())
    }

    /// A receiver took a message, whatever we are told of it.
    pub(crate) fn arrived(&mut self, id: DeliveryId, number: u32) -> Result<()> {
        let delivery = self.delivery_of(id)?;
        let bounced = delivery.bounced;
        for (earlier, attempt) in delivery.attempts.range(..number).filter(|(_, attempt)| attempt.arrived) {
            let known = attempt.outcome.as_deref().is_none_or(|outcome| outcome != "unknown");
            ensure!(
                !known || bounced,
                "{id} arrived again though the outcome of attempt {earlier} is known: {attempt:?}"
            );
        }
        let attempt = delivery.attempts.get_mut(&number).context("what was never begun arrived")?;
        attempt.arrived = true;
        Ok(())
    }

    /// A provider reports that a message did not reach its receiver after all.
    pub(crate) fn bounced(&mut self, id: DeliveryId) -> Result<()> {
        self.delivery_of(id)?.bounced = true;
        Ok(())
    }

    /// A provider's report is on disk.
    pub(super) fn reported(&mut self, delivery: i64, attempt: u32, status: ReceiptStatus) -> Result<()> {
        let delivery = self.deliveries.get_mut(&delivery).context("a report of nothing")?;
        delivery.reported = Some(status);
        let attempt = delivery.attempts.get_mut(&attempt).context("a report of an attempt never made")?;
        attempt.failed_later |= status == ReceiptStatus::Failed;
        Ok(())
    }

    /// The delivery of that id.
    pub(crate) fn delivery(&self, id: DeliveryId) -> Option<&DeliveryTruth> {
        self.deliveries.get(self.places.get(&id)?)
    }

    fn delivery_of(&mut self, id: DeliveryId) -> Result<&mut DeliveryTruth> {
        let place = self.places.get(&id).with_context(|| format!("{id} is not on disk"))?;
        self.deliveries.get_mut(place).context("unknown delivery")
    }
}
