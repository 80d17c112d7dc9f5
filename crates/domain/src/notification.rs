//! What one order says to its subscribers.

use serde::Serialize;

use crate::order::Order;
use crate::visible::with_overrides_shown;

/// The subject of a notification: the recipe's.
pub const SUBJECT: &str = "New Order Notification";

/// The structured form of a notification, as webhooks get it.
#[derive(Debug, Serialize)]
pub struct Event<'a> {
    /// Always `order.placed`.
    pub r#type: &'static str,
    /// When the order was accepted.
    pub timestamp: jiff::Timestamp,
    /// The subject and text that a mail would have.
    pub subject: &'static str,
    /// The text that a mail would have.
    pub message: String,
    /// The order itself.
    pub data: &'a Order,
}

/// The text of a notification: the recipe's, character for character, with what would turn its direction written out.
#[must_use]
pub fn text(order: &Order) -> String {
    with_overrides_shown(&format!(
        "📦 New Order Received!\nOrder ID: {}\nCustomer: {}\nProduct: {}",
        order.id, order.details.customer_name, order.details.products
    ))
}

/// The structured form of a notification.
#[must_use]
pub fn event(order: &Order) -> Event<'_> {
    Event {
        r#type: "order.placed",
        timestamp: order.time,
        subject: SUBJECT,
        message: text(order),
        data: order,
    }
}
