//! Orders that a template is tried on: of the two names alone, of all that an order can hold, and of what people really send.

use crate::Timestamp;
use crate::id::OrderId;
use crate::order::{Order, OrderDetails};

/// Their bodies, as clients send them.
const BODIES: [&str; 3] = [
    r#"{"customerName": "Maria Gonzalez", "productName": "Wireless Mouse"}"#,
    r#"{"customerName": "Jo Brown", "customerEmail": "jo@example.com", "customerPhone": "+14155550132",
        "items": [
            {"productName": "Margherita", "quantity": 2, "unitPrice": "9.50", "sku": "P-1", "size": "large"},
            {"productName": "Cola", "quantity": 1, "unitPrice": "2.50"}],
        "total": "21.50", "currency": "EUR", "note": "Ring twice.\nNo onions, please.", "reference": "2026-1042",
        "deliveryAddress": {"streetAddress": "1 Main Street", "postalCode": "12345", "addressLocality": "Springfield"},
        "deliverAt": "2026-12-24T18:30", "locale": "en-US", "attributes": {"table": 7}, "giftWrap": true}"#,
    r#"{"customerName": "مريم <b>", "productName": "{{orderId}} & \"Mouse\"", "quantity": 1,
        "note": "Total: 0\r\n\u202e</table>\u2028{{#items}}", "deliveryAddress": "1 Main Street\n12345 Springfield"}"#,
];

/// The orders.
#[must_use]
pub fn sample_orders() -> Vec<Order> {
    let time = "2026-12-01T09:30:00Z".parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let details = BODIES.iter().filter_map(|body| OrderDetails::parse(body.as_bytes()).ok());
    let order = |details| Order { id: OrderId::new(time, [0; 10]), time, details, request_id: String::new() };
    details.map(order).collect()
}
