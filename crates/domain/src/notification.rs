//! What one order says to its subscribers: the recipe's four lines, and then all that it holds.

mod facts;
mod sms;

use serde::Serialize;

pub use facts::{Fact, facts, other_facts};
pub use sms::sms;

use crate::order::{Item, Order};
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

/// The recipe's four lines, character for character, with what would turn their direction written out: of an order of the
/// two names alone, this is all.
#[must_use]
pub fn headline(order: &Order) -> String {
    with_overrides_shown(&format!(
        "📦 New Order Received!\nOrder ID: {}\nCustomer: {}\nProduct: {}",
        order.id,
        order.details.customer_name,
        order.details.products.in_short()
    ))
}

/// The whole order as text: its [`headline`], its items one to a line, its [`facts`], and all else that came. What a
/// customer wrote stands behind a label, and on lines of its own only indented, so that none of it can pass for a line of
/// ours.
#[must_use]
pub fn text(order: &Order) -> String {
    let mut text = headline(order);
    let items =
        order.details.products.items.iter().flat_map(|item| ["\n- ".to_owned(), item_line(item, order)]);
    let facts = facts(order);
    let facts = facts.iter().map(|fact| labelled(fact, ""));
    let others = other_facts(order);
    let others: Vec<_> = others.iter().map(|fact| labelled(fact, INDENT)).collect();
    let heading = (!others.is_empty()).then(|| "\nAlso sent:".to_owned());
    for part in [items.collect(), facts.chain(heading).chain(others).collect::<String>()] {
        if !part.is_empty() {
            text.push('\n');
            text.push_str(&with_overrides_shown(&part));
        }
    }
    text
}

/// How far a line stands in that is not ours.
const INDENT: &str = "    ";

/// A fact on a line, or below its label on several.
fn labelled(Fact { label, lines }: &Fact<'_>, indent: &str) -> String {
    match lines.as_slice() {
        [line] => format!("\n{indent}{label}: {line}"),
        lines => {
            let lines = lines.iter().flat_map(|line| ["\n", indent, INDENT, line]);
            ["\n", indent, label, ":"].into_iter().chain(lines).collect()
        }
    }
}

/// An item on one line: `2 × Mouse (M-1), 9.95 EUR each`.
#[must_use]
pub fn item_line(item: &Item, order: &Order) -> String {
    let quantity = item.quantity.map(|quantity| format!("{quantity} × ")).unwrap_or_default();
    let sku = item.sku.as_ref().map(|sku| format!(" ({sku})")).unwrap_or_default();
    let each = if item.quantity.is_some_and(|quantity| quantity > 1) { " each" } else { "" };
    let price = item.unit_price.map(|price| format!(", {}{each}", facts::money(price, order)));
    format!("{quantity}{}{sku}{}", item.product_name, price.unwrap_or_default())
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
