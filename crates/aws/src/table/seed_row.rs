//! A row that the seed's own function put: no `kind`, a time without zone, and whatever the client sent as the names.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::order::{Order, OrderId};
use serde_json::json;

use super::item::{self, BadItem, Item};

pub(super) const CUSTOMER_NAME: &str = "customerName";
pub(super) const PRODUCT_NAME: &str = "productName";

/// The order in such a row.
pub(super) fn order(item: &Item, id: OrderId) -> Result<Order, BadItem> {
    let details = json!({
        CUSTOMER_NAME: name(item, CUSTOMER_NAME)?,
        PRODUCT_NAME: name(item, PRODUCT_NAME)?,
    });
    let details = serde_json::from_str(&details.to_string())
        .map_err(|_| BadItem::new(PRODUCT_NAME, "not that of an order"))?;
    Ok(Order { id, time: item::time(item)?, details, request_id: String::new() })
}

/// The seed's function checked only that there is a name: it may be a number.
fn name(item: &Item, attribute: &str) -> Result<String, BadItem> {
    match item.get(attribute) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => Ok(text.clone()),
        Some(AttributeValue::Bool(value)) => Ok(value.to_string()),
        Some(_) => Err(BadItem::new(attribute, "not a name")),
        None => Err(BadItem::new(attribute, "missing")),
    }
}
