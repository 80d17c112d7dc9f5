//! The orders that are not yet announced, as a log.

use application::Error;
use application::ports::OrderLog;
use async_trait::async_trait;
use domain::order::{LoggedOrder, Seq};

use super::Table;
use super::item::UNPUBLISHED;
use super::merge::{Direction, Merge};
use super::span::Span;

#[async_trait]
impl OrderLog for Table {
    /// Oldest first. The index follows the table within moments: an order that was just announced may still be given,
    /// and one that just came may not.
    async fn unpublished(&self, limit: usize) -> Result<Vec<LoggedOrder>, Error> {
        let mut found = Merge::new(self, UNPUBLISHED, Span::ALL, Direction::OldestFirst, limit);
        let mut orders = Vec::new();
        for place in (0..).take(limit) {
            let Some(order) = found.next().await? else { break };
            orders.push(LoggedOrder { seq: Seq(place), order });
        }
        Ok(orders)
    }
}
