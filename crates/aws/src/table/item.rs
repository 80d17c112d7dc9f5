//! An order as an item of the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::order::{Order, OrderDetails, OrderId};

use super::{seed_row, shard};

/// An item, as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// An item that is not what it is marked as. The reason names the attribute at fault, and never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the attribute {attribute} is {fault}")]
pub struct BadItem {
    /// Which attribute.
    pub attribute: String,
    /// What is wrong with it.
    pub fault: String,
}

impl BadItem {
    pub(super) fn new(attribute: &str, fault: impl Into<String>) -> Self {
        Self { attribute: attribute.to_owned(), fault: fault.into() }
    }
}

pub(super) const KIND: &str = "kind";
const ORDER: &str = "order";

/// The attributes that say what was ordered, when, by which request.
pub(super) const DETAILS: &str = "details";
pub(super) const ORDER_TIME: &str = "orderTime";
pub(super) const REQUEST_ID: &str = "requestId";
/// The names of the indexes, each also that of the attribute with the shard.
pub(super) const NEWEST: &str = "newest";
pub(super) const UNPUBLISHED: &str = "unpublished";

/// Whether it is marked as an order.
pub(crate) fn is_order(item: &Item) -> bool {
    item.get(KIND).is_some_and(|kind| *kind == text(ORDER))
}

/// The item of a new order, which is not yet announced.
pub(crate) fn of_order(order: &Order, key: &str) -> serde_json::Result<Item> {
    let shard = shard::of(order.id);
    let attributes = [
        (key, order.id.to_string()),
        (KIND, ORDER.to_owned()),
        (ORDER_TIME, time_text(order.time)),
        (seed_row::CUSTOMER_NAME, order.details.customer_name.clone()),
        (seed_row::PRODUCT_NAME, order.details.products.to_string()),
        (DETAILS, serde_json::to_string(&order.details)?),
        (REQUEST_ID, order.request_id.clone()),
        (NEWEST, shard.clone()),
        (UNPUBLISHED, shard),
    ];
    Ok(attributes.map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).into())
}

/// The order in an item, be it ours or one that the seed's function put.
pub(crate) fn order(item: &Item, key: &str) -> Result<Order, BadItem> {
    let id = id(item, key)?;
    if !item.contains_key(KIND) {
        return seed_row::order(item, id);
    }
    if !is_order(item) {
        return Err(BadItem::new(KIND, "not that of an order"));
    }
    Ok(Order {
        id,
        time: time(item)?,
        details: details(item)?,
        request_id: string(item, REQUEST_ID)?.to_owned(),
    })
}

/// The id of the order in an item, written as ids are: under another writing nothing would find the item again, not even
/// the mark that it was announced.
pub(super) fn id(item: &Item, key: &str) -> Result<OrderId, BadItem> {
    let text = string(item, key)?;
    let id = text.parse().ok().filter(|id: &OrderId| id.to_string() == text);
    id.ok_or_else(|| BadItem::new(key, "not a UUID in lower case with hyphens"))
}

fn details(item: &Item) -> Result<OrderDetails, BadItem> {
    // What serde says of wrong data may quote it.
    serde_json::from_str(string(item, DETAILS)?).map_err(|wrong| {
        BadItem::new(
            DETAILS,
            format!("not an order's JSON at line {}, column {}", wrong.line(), wrong.column()),
        )
    })
}

/// When the order was accepted. The seed's function wrote the time without a zone, in UTC.
pub(super) fn time(item: &Item) -> Result<Timestamp, BadItem> {
    let text = string(item, ORDER_TIME)?;
    let time = text.parse().or_else(|_| format!("{text}Z").parse());
    time.map_err(|_| BadItem::new(ORDER_TIME, "not a time"))
}

/// A time as orders have it: RFC 3339 in UTC, with microseconds.
pub(super) fn time_text(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// The text in an attribute.
pub(super) fn string<'a>(item: &'a Item, name: &str) -> Result<&'a str, BadItem> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        Some(_) => Err(BadItem::new(name, "not a string")),
        None => Err(BadItem::new(name, "missing")),
    }
}

/// A text as an attribute has it.
pub(super) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}
