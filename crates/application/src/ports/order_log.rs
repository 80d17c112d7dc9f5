//! The stored orders as a log: the store is the outbox.

use async_trait::async_trait;
use domain::order::LoggedOrder;

use crate::Error;

/// Reads the orders that are not yet published. An adapter MUST give every accepted order, in the order of acceptance,
/// again and again until [`Publisher::publish`](super::Publisher::publish) succeeded for it.
#[async_trait]
pub trait OrderLog: Send + Sync {
    /// The first `limit` orders that are not yet published, in the order of their places.
    async fn unpublished(&self, limit: usize) -> Result<Vec<LoggedOrder>, Error>;
}
