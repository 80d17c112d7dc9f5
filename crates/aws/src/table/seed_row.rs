//! A row that the seed's own function put: no `kind`, a time without zone, and whatever the client sent as the names.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::order::{Order, OrderId};
use serde_json::{Value, json};

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

/// The seed's function checked only that there is a name: it may be any JSON, and is shown as that.
fn name(item: &Item, attribute: &str) -> Result<String, BadItem> {
    match item.get(attribute) {
        Some(AttributeValue::S(text) | AttributeValue::N(text)) => Ok(text.clone()),
        Some(other) => serde_dynamo::from_attribute_value::<_, Value>(other.clone())
            .map(|json| json.to_string())
            .map_err(|_| BadItem::new(attribute, "not a name")),
        None => Err(BadItem::new(attribute, "missing")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn text(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

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
            let row = [(CUSTOMER_NAME, odd.clone()), (PRODUCT_NAME, odd), (item::ORDER_TIME, time)];
            let found = order(&row.map(|(name, value)| (name.to_owned(), value)).into(), id).unwrap();
            assert_eq!((&*found.details.customer_name, &*found.details.products.to_string()), (shown, shown));
        }
    }
}
