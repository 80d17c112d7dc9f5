//! What a customer placed.

mod details;
mod fields;
pub mod idempotency;
mod parse;

pub use crate::id::{OrderId, Seq};
pub use details::{AttributeValue, Item, OrderDetails, Products};
pub use fields::limits;
use jiff::Timestamp;
pub(crate) use parse::FIELD_NAMES;
pub use parse::{customer_email, customer_phone};
use serde::Serialize;

/// One order. Once its sender was told of success it is never changed and never lost.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Names the order; made from its time, so that orders of a time can be found by their ids.
    #[serde(rename = "orderId")]
    pub id: OrderId,
    /// When it was accepted (UTC).
    #[serde(rename = "orderTime")]
    pub time: Timestamp,
    /// What was ordered, by whom.
    #[serde(flatten)]
    pub details: OrderDetails,
    /// The HTTP request that placed it: the same id stands in the log.
    #[serde(skip)]
    pub request_id: String,
}

/// An order and its place in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedOrder {
    /// The place.
    pub seq: Seq,
    /// The order.
    pub order: Order,
}
