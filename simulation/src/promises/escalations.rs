//! Escalations: what was not delivered in time is owed to the one who stands in.

use anyhow::{Context, Result, ensure};
use domain::subscription::SubscriptionState;

use super::Promises;

impl Promises {
    /// The store says that a delivery's time is over; `stand_in` is the other subscription.
    pub(super) fn came_too_late(&mut self, delivery: i64, stand_in: i64) {
        self.late.push((delivery, stand_in));
    }

    /// Whenever a commit is over, whoever stands in for what was too late is owed its order, too.
    pub(super) fn what_is_late_is_escalated(&mut self) -> Result<()> {
        for (delivery, stand_in) in std::mem::take(&mut self.late) {
            let order = self.deliveries[&delivery].order.context("what is no notification escalated")?;
            let state = self.subscriptions.get(&stand_in).context("nobody stands in")?.state;
            let can = matches!(state, SubscriptionState::Confirmed | SubscriptionState::Suspended);
            let owed = self.orders[&order].delivered_to.contains(&stand_in);
            ensure!(owed || !can, "delivery {delivery} is late, and subscription {stand_in} is not told");
        }
        Ok(())
    }
}
