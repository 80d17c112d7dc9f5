//! What cannot be read: its debts are kept, and settled once it is mended.

use anyhow::{Context, Result};
use oracle::matching;

use super::{Facts, kept};

impl Facts {
    /// Whether a row is quarantined.
    pub(super) fn is_quarantined(&self, table: &str, row: i64) -> bool {
        self.quarantined.contains(&(table.to_owned(), row))
    }

    /// What stood for a delivery is gone: the order must not have matched.
    pub(super) fn taken_away(&mut self, seq: i64) -> Result<()> {
        let delivery = self.deliveries.remove(&seq).context("what was not there was taken away")?;
        kept(matching::decided(false, !delivery.only_stands_for_one), || format!("delivery {seq}"))?;
        let order = delivery.order.and_then(|order| self.orders.get_mut(&order));
        order.context("of no order")?.delivered_to.remove(&delivery.subscription);
        self.places.remove(&delivery.id);
        Ok(())
    }

    /// A delivery is no longer held back: the order must have matched.
    pub(super) fn released(&mut self, seq: i64) -> Result<()> {
        let delivery = self.deliveries.get(&seq).context("what was not there was released")?;
        kept(matching::decided(true, !delivery.only_stands_for_one), || format!("delivery {seq}"))
    }

    /// What stood for a delivery is there because another came too late.
    pub(super) fn escalates_to(&mut self, seq: i64) -> Result<()> {
        let delivery = self.deliveries.get_mut(&seq).context("what was not there stands in")?;
        delivery.only_stands_for_one = false;
        let order = delivery.order.and_then(|order| self.orders.get_mut(&order));
        order.context("of no order")?.escalated_to.insert(delivery.subscription);
        Ok(())
    }
}
