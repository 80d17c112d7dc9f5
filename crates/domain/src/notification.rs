//! What one order says to its subscribers: the recipe's four lines, and then all that it holds.

mod facts;
mod own_names;
mod parts;
mod sms;
mod subject;
mod wording;
mod words;

pub(crate) use facts::lines;
pub use facts::{Fact, FactKind, facts, other_facts};
pub(crate) use own_names::OwnNames;
pub use parts::{ItemLine, Parts, product_lines};
use serde::Serialize;
pub use sms::sms;
pub use subject::{MAX_SUBJECT, mail_subject, on_one_line};
pub use words::Words;

use crate::language::Language;
use crate::order::{Order, OrderDetails, OrderId, ShortReference};
use crate::reader::Reader;

/// The subject of a notification: the recipe's. That of a mail goes on: [`mail_subject`].
pub const SUBJECT: &str = "New Order Notification";

/// The structured form of a notification, as webhooks get it.
#[derive(Debug, Serialize)]
pub struct Event<'a> {
    /// Always `order.placed`.
    pub r#type: &'static str,
    /// When the order was accepted.
    pub timestamp: jiff::Timestamp,
    /// Always [`SUBJECT`].
    pub subject: &'static str,
    /// The text that a mail would have.
    pub message: String,
    /// The page of the order, where there is one.
    #[serde(rename = "orderUrl", skip_serializing_if = "Option::is_none")]
    pub order_url: Option<&'a str>,
    /// The order itself.
    pub data: EventData<'a>,
}

/// An order as programs are told of it: its members, and what people call it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventData<'a> {
    /// Its id.
    pub order_id: OrderId,
    /// What people call it.
    pub short_reference: ShortReference,
    /// When it was accepted.
    pub order_time: jiff::Timestamp,
    /// What was ordered, by whom.
    #[serde(flatten)]
    pub details: &'a OrderDetails,
}

/// The recipe's four lines, in English character for character: of an order of the two names alone, this is all.
#[must_use]
pub fn headline(order: &Order, reader: &Reader) -> String {
    Parts::of(order, reader).headline()
}

/// The whole order as text: the recipe's four lines, its items one to a line, its facts, and all else that came. What a
/// customer wrote stands behind a label, and on lines of its own only indented, so that none of it can pass for a line of
/// ours.
#[must_use]
pub fn text(order: &Order, reader: &Reader) -> String {
    Parts::of(order, reader).text()
}

/// The line that leads to an order's page, `Order K7QM-2XNA: https://…`; without a page it names the order.
#[must_use]
pub fn order_line(order: OrderId, language: Language, order_url: Option<&str>) -> String {
    let Words { order: word, colon, .. } = Words::of(language);
    let url = order_url.map(|url| format!("{colon} {url}")).unwrap_or_default();
    format!("{word} {}{url}", ShortReference::of(order))
}

/// The structured form of a notification whose text is `message`, without a page.
#[must_use]
pub fn event(order: &Order, message: String) -> Event<'_> {
    Event {
        r#type: "order.placed",
        timestamp: order.time,
        subject: SUBJECT,
        message,
        order_url: None,
        data: EventData {
            order_id: order.id,
            short_reference: ShortReference::of(order.id),
            order_time: order.time,
            details: &order.details,
        },
    }
}
