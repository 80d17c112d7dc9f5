//! The orders that are not yet announced, as a log.

use application::Error;
use application::ports::OrderLog;
use async_trait::async_trait;
use domain::order::{LoggedOrder, OrderId, Seq};

use super::Table;
use super::item::UNPUBLISHED;
use super::merge::{Direction, Merge};
use super::span::Span;

impl Table {
    /// The first `limit` orders behind that one, or of all, that are not yet announced: oldest first.
    ///
    /// # Errors
    /// What the table says; `NotOnThisHost` if it lacks the index.
    pub async fn unpublished_after(
        &self,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Vec<LoggedOrder>, Error> {
        let span = after.map_or(Span::ALL, |after| Span::ALL.after(after));
        let mut found = Merge::new(self, UNPUBLISHED, span, Direction::OldestFirst, limit);
        let mut orders = Vec::new();
        for place in (0..).take(limit) {
            let Some(order) = found.next().await? else { break };
            orders.push(LoggedOrder { seq: Seq(place), order });
        }
        Ok(orders)
    }
}

#[async_trait]
impl OrderLog for Table {
    /// Oldest first. The index follows the table within moments: an order that was just announced may still be given,
    /// and one that just came may not.
    async fn unpublished(&self, limit: usize) -> Result<Vec<LoggedOrder>, Error> {
        self.unpublished_after(None, limit).await
    }
}
