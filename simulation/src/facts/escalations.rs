//! Escalations: what was not delivered in time is delivered to whom it escalates to, too.

use anyhow::{Context, Result};
use oracle::matching;
use oracle::subscriptions::State;

use super::{Facts, kept};

impl Facts {
    /// The store says that a delivery's time is over; `target` is the other subscription. What becomes of that one later
    /// in the same commit does not count.
    pub(super) fn came_too_late(&mut self, delivery: i64, target: i64) -> Result<()> {
        let late = self.deliveries.get(&delivery).context("nothing is late")?;
        if self.is_spam(late) {
            return Ok(());
        }
        let state = self.subscriptions.get(&target).context("nobody stands in")?.state;
        if matches!(state, State::Confirmed | State::Suspended) {
            self.late.push((delivery, target));
        }
        Ok(())
    }

    /// Whenever a commit is over, whom something late escalates to has a delivery of its order, too.
    pub(super) fn what_is_late_is_escalated(&mut self) -> Result<()> {
        for (delivery, target) in std::mem::take(&mut self.late) {
            let order = self.deliveries[&delivery].order.context("what is no notification escalated")?;
            let found = self.orders[&order].found(target);
            kept(matching::escalated(found), || format!("delivery {delivery} to subscription {target}"))?;
        }
        Ok(())
    }
}
