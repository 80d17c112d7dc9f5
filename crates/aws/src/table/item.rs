//! An order as an item of the table.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use domain::order::{Order, OrderDetails, OrderId};
use serde_json::{Value, json};

use super::shard;

/// An item, as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// An item that is not what it is marked as. The reason names the attribute at fault, and never its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the attribute {attribute} is {class}")]
pub struct BadItem {
    /// Which attribute.
    pub attribute: String,
    /// What is wrong with it.
    pub class: String,
}

impl BadItem {
    pub(super) fn new(attribute: &str, class: impl Into<String>) -> Self {
        Self { attribute: attribute.to_owned(), class: class.into() }
    }
}

pub(super) const KIND: &str = "kind";
const ORDER: &str = "order";
pub(super) const CUSTOMER_NAME: &str = "customerName";
pub(super) const PRODUCT_NAME: &str = "productName";

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

/// The item of a new order, which is not yet published.
pub(crate) fn of_order(order: &Order, key: &str) -> serde_json::Result<Item> {
    let shard = shard::of(order.id);
    let attributes = [
        (key, order.id.to_string()),
        (KIND, ORDER.to_owned()),
        (ORDER_TIME, time_text(order.time)),
        (CUSTOMER_NAME, order.details.customer_name.clone().unwrap_or_default()),
        (PRODUCT_NAME, order.details.products.to_string()),
        (DETAILS, serde_json::to_string(&order.details)?),
        (REQUEST_ID, order.request_id.clone()),
        (NEWEST, shard.clone()),
        (UNPUBLISHED, shard),
    ];
    Ok(attributes.map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).into())
}

/// The order in an item, be it ours or one that the recipe's function put.
pub(crate) fn order(item: &Item, key: &str) -> Result<Order, BadItem> {
    let id = id(item, key)?;
    if !item.contains_key(KIND) {
        return order_of_seed(item, id);
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

/// The order in a row that the recipe's own function put: no `kind`, a time without zone, and whatever the client sent
/// as the names.
fn order_of_seed(item: &Item, id: OrderId) -> Result<Order, BadItem> {
    let details = json!({
        CUSTOMER_NAME: seeds_name(item, CUSTOMER_NAME)?,
        PRODUCT_NAME: seeds_name(item, PRODUCT_NAME)?,
    });
    let details = serde_json::from_str(&details.to_string())
        .map_err(|_| BadItem::new(PRODUCT_NAME, "not that of an order"))?;
    Ok(Order { id, time: time(item)?, details, request_id: String::new() })
}

/// The recipe's function checked only that there is a name: it may be any JSON, and is shown as that.
fn seeds_name(item: &Item, attribute: &str) -> Result<String, BadItem> {
    match item.get(attribute) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => Ok(text.clone()),
        Some(other) => serde_dynamo::from_attribute_value::<_, Value>(other.clone())
            .map(|json| json.to_string())
            .map_err(|_| BadItem::new(attribute, "not a name")),
        None => Err(BadItem::new(attribute, "missing")),
    }
}

/// The id of the order in an item, written as ids are: under another writing nothing would find the item again, not even
/// the mark that it was published.
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

/// When the order was accepted. The recipe's function wrote the time without a zone, in UTC.
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn whatever_stands_for_a_name_is_shown() {
        let id: OrderId = "0b2f8a36-2d1c-4a0e-9d5e-6f3c1a7b9e10".parse().unwrap();
        let map = HashMap::from([("first".to_owned(), text("Ada"))]);
        for (odd, shown) in [
            (AttributeValue::N("12.50".to_owned()), "12.50"),
            (AttributeValue::Bool(true), "true"),
            (AttributeValue::L(vec![text("a \"b\""), AttributeValue::N("2".to_owned())]), r#"["a \"b\"",2]"#),
            (AttributeValue::M(map), r#"{"first":"Ada"}"#),
        ] {
            let time = text("2025-08-14T09:30:00.123456");
            let row = [(CUSTOMER_NAME, odd.clone()), (PRODUCT_NAME, odd), (ORDER_TIME, time)];
            let found = order_of_seed(&row.map(|(name, value)| (name.to_owned(), value)).into(), id).unwrap();
            assert_eq!(
                (found.details.customer_name.as_deref(), &*found.details.products.to_string()),
                (Some(shown), shown)
            );
        }
    }
}
