//! The outbox: the log of stored orders, and where they are published.

use async_trait::async_trait;
use domain::order::{LoggedOrder, OrderId};

use crate::Error;

/// Publishes orders to subscriptions. An adapter MUST keep these promises:
///
/// - When [`publish`](Self::publish) answers, every subscription that was confirmed and matched when an order was
///   accepted gets that order: on one machine by a delivery, on AWS by SNS. Publishing the same orders again is
///   harmless on one machine and at worst a repeat on AWS.
/// - A subscription that was never confirmed gets nothing but its confirmation request.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Publishes orders that follow one another in the log, from the first unpublished one on.
    async fn publish(&self, orders: &[LoggedOrder]) -> Result<Published, Error>;
}

/// What came of publishing a run of orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// How many deliveries were made because of it, where the host knows.
    pub deliveries: usize,
    /// The orders that matched no subscription, where the host knows.
    pub unmatched: Vec<OrderId>,
    /// The orders that were not published after all, the others were; why is in the log. Empty where a run is published
    /// as a whole.
    pub failed: Vec<OrderId>,
}

/// Reads the orders that are not yet published. An adapter MUST give every accepted order, in the order of acceptance,
/// again and again until [`Publisher::publish`] succeeded for it.
#[async_trait]
pub trait OrderLog: Send + Sync {
    /// The first `limit` orders that are not yet published, in the order of their places; fewer only where that is all.
    async fn unpublished(&self, limit: usize) -> Result<Vec<LoggedOrder>, Error>;
}
