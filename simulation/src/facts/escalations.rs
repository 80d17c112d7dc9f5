//! Escalations: what was not delivered in time is owed to the one who stands in.

use anyhow::{Context, Result};
use oracle::matching;
use oracle::subscriptions::State;

use super::{Facts, kept};

impl Facts {
    /// The store says that a delivery's time is over; `stand_in` is the other subscription. What becomes of that one later
    /// in the same commit does not count.
    pub(super) fn came_too_late(&mut self, delivery: i64, stand_in: i64) -> Result<()> {
        let late = self.deliveries.get(&delivery).context("nothing is late")?;
        if self.is_spam(late) {
            return Ok(());
        }
        let state = self.subscriptions.get(&stand_in).context("nobody stands in")?.state;
        if matches!(state, State::Confirmed | State::Suspended) {
            self.late.push((delivery, stand_in));
        }
        Ok(())
    }

    /// Whenever a commit is over, whoever stands in for what was too late is owed its order, too.
    pub(super) fn what_is_late_is_escalated(&mut self) -> Result<()> {
        for (delivery, stand_in) in std::mem::take(&mut self.late) {
            let order = self.deliveries[&delivery].order.context("what is no notification escalated")?;
            let found = self.orders[&order].found(stand_in);
            kept(matching::escalated(found), || format!("delivery {delivery} to subscription {stand_in}"))?;
        }
        Ok(())
    }
}
