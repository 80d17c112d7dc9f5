//! What people made of orders.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::order::{OrderId, StatusChange};

use crate::Error;

/// Keeps the changes of orders' statuses. An adapter MUST keep these promises:
///
/// - A change is made if it [leads](domain::order::OrderStatus::leads_to) on from what the order is, and not otherwise:
///   of two that come at once, the second is judged by what the first made of it.
/// - Each stays on record, with all that it says, and nothing else changes a status.
#[async_trait]
pub trait StatusChanges: Send + Sync {
    /// Makes a change. `NotFound` with `order_not_found`; `Conflict` with `too_many_changes` past
    /// [`MAX_CHANGES`](domain::order::MAX_CHANGES).
    async fn change_status(&self, order: OrderId, change: StatusChange) -> Result<Changed, Error>;

    /// The changes of an order, oldest first.
    async fn status_changes(&self, order: OrderId) -> Result<Vec<StatusChange>, Error>;

    /// The last change of each of these orders that has any.
    async fn last_status_changes(
        &self,
        orders: Vec<OrderId>,
    ) -> Result<BTreeMap<OrderId, StatusChange>, Error>;
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It is made.
    Made,
    /// It does not lead on from what the order is: this is its last change, if it has any.
    Refused(Option<StatusChange>),
}
