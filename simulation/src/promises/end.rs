//! What must hold when everything works and nothing is left to do.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use application::orders::{EventKind, Timeline};
use domain::delivery::{DeliveryKind, DeliveryState};
use domain::subscription::SubscriptionState;

use super::Promises;

/// A timeline tells of so many deliveries, and of so many attempts at each of them.
const MOST_TOLD: usize = 100;

impl Promises {
    /// The world is whole and at rest: whatever waits has nobody it may be sent to.
    pub(crate) fn nothing_is_stuck(&self) -> Result<()> {
        let last = self.orders.last_key_value().map_or(0, |(seq, _)| *seq);
        ensure!(
            self.published_through >= last,
            "orders after {} are never published",
            self.published_through
        );
        ensure!(!self.is_something_to_tell(), "operators are never told of what is noted");
        for (seq, delivery) in &self.deliveries {
            let subscription = &self.subscriptions[&delivery.subscription];
            let waits = match subscription.state {
                SubscriptionState::Suspended => true,
                SubscriptionState::Pending => delivery.kind != DeliveryKind::Confirmation,
                SubscriptionState::Confirmed | SubscriptionState::Ended => false,
            };
            let rests = match delivery.state {
                DeliveryState::Pending => waits && !self.is_spam(delivery),
                DeliveryState::Held => !self.is_spam(delivery),
                DeliveryState::InFlight => false,
                _ => true,
            };
            ensure!(
                rests,
                "delivery {seq} to subscription {}, {}, is {} for ever",
                delivery.subscription,
                subscription.state,
                delivery.state
            );
        }
        self.every_question_was_asked()
    }

    /// Whoever has not answered was asked, or someone can see that the question did not arrive.
    fn every_question_was_asked(&self) -> Result<()> {
        for (seq, subscription) in &self.subscriptions {
            let mut questions = self.deliveries.values().filter(|delivery| {
                delivery.subscription == *seq && delivery.kind == DeliveryKind::Confirmation
            });
            let last = questions.next_back().context("a subscription that was never asked")?;
            let dropped =
                last.state == DeliveryState::Cancelled && !last.given_up && !self.lapsed.contains(seq);
            let asked = !dropped || subscription.state != SubscriptionState::Pending;
            ensure!(asked, "subscription {seq} waits for a question that was dropped");
        }
        Ok(())
    }

    /// A person saw to everything that asked for one: each delivery came to its end.
    pub(crate) fn all_came_to_its_end(&self) -> Result<()> {
        self.nothing_is_stuck()?;
        for (seq, delivery) in &self.deliveries {
            let ended = self.subscriptions[&delivery.subscription].state == SubscriptionState::Ended;
            let good = matches!(
                delivery.state,
                DeliveryState::Delivered | DeliveryState::Sandboxed | DeliveryState::Cancelled
            );
            let question = delivery.kind == DeliveryKind::Confirmation;
            let spam = self.is_spam(delivery);
            ensure!(
                good || ended || question || spam,
                "delivery {seq} is {} though it was redriven",
                delivery.state
            );
            let arrived = delivery.attempts.values().any(|attempt| attempt.arrived);
            ensure!(delivery.state != DeliveryState::Delivered || arrived, "delivery {seq} never arrived");
        }
        Ok(())
    }

    /// An order's timeline tells everything.
    pub(crate) fn timeline_tells(&self, seq: i64, timeline: &Timeline) -> Result<()> {
        let order = &self.orders[&seq];
        let subscription =
            |id| self.subscriptions.iter().find(|(_, truth)| truth.id == id).map(|(seq, _)| *seq);
        let mut told = BTreeSet::new();
        for (place, record) in timeline.deliveries.iter().enumerate() {
            let to = subscription(record.subscription).context("a timeline tells of a stranger")?;
            ensure!(told.insert(to), "the timeline of order {seq} tells twice of subscription {to}");
            let truth = self
                .deliveries
                .values()
                .find(|truth| truth.id == record.id)
                .context("of a strange delivery")?;
            ensure!(
                truth.state == record.state && truth.attempts.len().min(MOST_TOLD) == record.attempts.len(),
                "{record:?} is not so"
            );
            let attempts = timeline.events.iter().filter(|event| event.delivery == Some(place));
            let attempts = attempts.filter(|event| matches!(event.kind, EventKind::Attempt(_))).count();
            ensure!(attempts == record.attempts.len(), "the timeline of order {seq} leaves out attempts");
        }
        let owed: BTreeSet<_> = order.owed.union(&order.escalated_to).copied().collect();
        let is_whole = told.len() == owed.len().min(MOST_TOLD) && told.is_subset(&owed);
        ensure!(is_whole, "the timeline of order {seq} tells of {told:?}; it is owed to {owed:?}");
        let not_matched = timeline.not_matched.items.iter().filter_map(|(other, _)| subscription(other.id));
        let everyone: BTreeSet<_> = told.iter().copied().chain(not_matched).collect();
        // Where they are many, the others stand on further pages.
        let further = timeline.not_matched.next.is_some() || owed.len() > told.len();
        ensure!(
            everyone.len() == self.subscriptions.len() || further,
            "the timeline of order {seq} does not say why not to all"
        );
        Ok(())
    }
}
