//! What must hold when everything works and nothing is left to do.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use application::orders::{EventKind, Timeline};
use domain::delivery::DeliveryKind;
use oracle::deliveries::{self, Outcome, State as DeliveryState};
use oracle::receptions;
use oracle::subscriptions::{self, Requests, State as SubscriptionState};

use super::deliveries::DeliveryTruth;
use super::{Facts, kept};

/// A timeline tells of so many deliveries, and of so many attempts at each of them.
const MOST_TOLD: usize = 100;

impl Facts {
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
            let to = self.subscriptions[&delivery.subscription].state;
            let rests = deliveries::rests(delivery.kind(), delivery.state, to, self.is_spam(delivery));
            kept(rests, || format!("delivery {seq}"))?;
        }
        self.everyone_was_asked()
    }

    /// Whoever has not answered was asked, or someone can see that the confirmation request did not arrive.
    fn everyone_was_asked(&self) -> Result<()> {
        for (seq, subscription) in &self.subscriptions {
            let requests = self.deliveries.values().filter(|delivery| {
                delivery.subscription == *seq && delivery.kind == DeliveryKind::Confirmation
            });
            let cancelled = |last: &DeliveryTruth| last.state == DeliveryState::Cancelled && !last.given_up;
            let (made, taken_back) =
                requests.fold((0, false), |(made, _), request| (made + 1, cancelled(request)));
            let awaited = subscription.state == SubscriptionState::Pending && !self.lapsed.contains(seq);
            let requests = Requests { made, generation: subscription.generation, taken_back, awaited };
            kept(subscriptions::asked(requests), || format!("subscription {seq}"))?;
        }
        Ok(())
    }

    /// A person saw to everything that asked for one: each delivery came to its end.
    pub(crate) fn all_came_to_its_end(&self) -> Result<()> {
        self.nothing_is_stuck()?;
        for (seq, delivery) in &self.deliveries {
            let to = self.subscriptions[&delivery.subscription].state;
            let is_spam = self.is_spam(delivery);
            let ends = deliveries::ends_well(delivery.kind(), delivery.state, to, is_spam);
            let arrived = delivery.attempts.iter().any(|made| made.arrived);
            let delivered = delivery.state == DeliveryState::Delivered;
            let wrongly_so = delivered.then(|| receptions::arrived(Outcome::Delivered, arrived)).flatten();
            kept(ends.into_iter().chain(wrongly_so), || format!("delivery {seq}"))?;
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
                truth.state.name() == record.state.name()
                    && truth.attempts.len().min(MOST_TOLD) == record.attempts.len(),
                "{record:?} is not so"
            );
            let attempts = timeline.events.iter().filter(|event| event.delivery == Some(place));
            let attempts = attempts.filter(|event| matches!(event.kind, EventKind::Attempt(_))).count();
            ensure!(attempts == record.attempts.len(), "the timeline of order {seq} leaves out attempts");
        }
        let those: BTreeSet<_> = order.matched.union(&order.escalated_to).copied().collect();
        let is_whole = told.len() == those.len().min(MOST_TOLD) && told.is_subset(&those);
        ensure!(is_whole, "the timeline of order {seq} tells of {told:?}; it has deliveries to {those:?}");
        let not_matched = timeline.not_matched.items.iter().filter_map(|(other, _)| subscription(other.id));
        let everyone: BTreeSet<_> = told.iter().copied().chain(not_matched).collect();
        // Where they are many, the others stand on further pages.
        let further = timeline.not_matched.next.is_some() || those.len() > told.len();
        ensure!(
            everyone.len() == self.subscriptions.len() || further,
            "the timeline of order {seq} does not say why not to all"
        );
        Ok(())
    }
}
