//! What a customer placed.

mod details;
mod extra;
pub mod idempotency;
mod members;
mod parse;
mod sensitive;
mod short_reference;
mod status;
mod values;
mod warning;

pub use crate::id::{OrderId, Seq};
pub use details::{Address, AttributeValue, Item, OrderDetails, PostalAddress, Products};
pub(crate) use extra::members_of;
pub use extra::{Extra, MAX_DEPTH};
use jiff::Timestamp;
pub(crate) use parse::FIELD_NAMES;
use serde::Serialize;
pub use short_reference::ShortReference;
pub use status::{Deed, MAX_CHANGES, MAX_WHO, OrderStatus, StatusChange, Way, who};
pub use values::{customer_email, customer_phone, limits};
pub use warning::{MAX_WARNINGS, Warning};

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
