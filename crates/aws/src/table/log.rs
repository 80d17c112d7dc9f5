//! The orders that are not yet published, as a log.

use std::collections::BTreeSet;

use application::Error;
use application::ports::OrderLog;
use async_trait::async_trait;
use domain::order::{LoggedOrder, OrderId, Seq};

use super::Table;
use super::item::UNPUBLISHED;
use super::merge::{Direction, IndexEntry, Merge};
use super::span::Span;

/// What is not yet published.
#[derive(Debug, Clone, Default)]
pub struct Unpublished {
    /// Orders, oldest first.
    pub orders: Vec<LoggedOrder>,
    /// The ids of items before the last of these, or of the rest where these are all, that are marked as orders and cannot
    /// be read: published once they are mended.
    pub unreadable: Vec<OrderId>,
    /// The keys of items that were met and are no ids at all: they have no place among orders, and may be met again.
    pub invalid_keys: BTreeSet<String>,
}

impl Table {
    /// The first `limit` orders behind that one, or of all, that are not yet published.
    ///
    /// # Errors
    /// What the table says; `NotOnThisHost` if it lacks the index.
    pub async fn unpublished_after(
        &self,
        after: Option<OrderId>,
        limit: usize,
    ) -> Result<Unpublished, Error> {
        let span = after.map_or(Span::ALL, |after| Span::ALL.after(after));
        let mut found = Merge::new(self, UNPUBLISHED, span, Direction::OldestFirst, limit);
        let mut unpublished = Unpublished::default();
        while unpublished.orders.len() < limit
            && let Some(IndexEntry { id, order }) = found.next().await?
        {
            match order {
                Ok(order) => {
                    let place = i64::try_from(unpublished.orders.len()).unwrap_or(i64::MAX);
                    unpublished.orders.push(LoggedOrder { seq: Seq(place), order });
                }
                Err(_) => unpublished.unreadable.push(id),
            }
        }
        unpublished.invalid_keys = found.into_strays();
        Ok(unpublished)
    }
}

#[async_trait]
impl OrderLog for Table {
    /// Oldest first. The index follows the table within moments: an order that was just published may still be given,
    /// and one that just came may not.
    async fn unpublished(&self, limit: usize) -> Result<Vec<LoggedOrder>, Error> {
        Ok(self.unpublished_after(None, limit).await?.orders)
    }
}
