//! Orders as the table's stream tells of them.

use domain::order::Order;

use crate::table::{BadItem, Item, item};

/// The order in the `NewImage` of a stream's record; `None` if the item is not an order, such as an idempotency record.
/// `key` is the name of the table's key attribute.
///
/// # Errors
/// It is marked as an order and is none; the reason names the attribute at fault, not its value.
pub fn stream_order(new_image: serde_dynamo::Item, key: &str) -> Result<Option<Order>, BadItem> {
    let image = Item::from(new_image);
    if item::is_order(&image) { item::order(&image, key).map(Some) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use domain::order::{OrderDetails, OrderId};
    use serde_dynamo::AttributeValue;

    use super::*;

    fn order() -> Order {
        let json = r#"{"customerName":"Zoë","items":[{"productName":"Mouse","quantity":2},{"productName":"Pad","quantity":1}],
            "currency":"EUR","total":"19.90","attributes":{"shop":"north"}}"#;
        let details = OrderDetails::parse(json.as_bytes()).unwrap();
        let time = Timestamp::from_microsecond(1_755_163_800_123_456).unwrap();
        Order { id: OrderId::new(time, [7; 10]), time, details, request_id: "req-1".to_owned() }
    }

    fn image() -> serde_dynamo::Item {
        serde_dynamo::Item::from(item::of_order(&order(), "FileName").unwrap())
    }

    #[test]
    fn an_order_is_read_from_the_stream_as_it_was_stored() {
        assert_eq!(stream_order(image(), "FileName"), Ok(Some(order())));
    }

    #[test]
    fn a_published_order_is_still_that_order() {
        let mut image = image();
        image.remove("unpublished");
        image.insert("publishedAt".to_owned(), AttributeValue::S("2025-08-14T09:30:00.123456Z".to_owned()));
        assert_eq!(stream_order(image, "FileName"), Ok(Some(order())));
    }

    #[test]
    fn what_is_not_marked_as_an_order_is_none() {
        for kind in [None, Some("idempotency")] {
            let mut image = image();
            image.remove("kind");
            image.extend(kind.map(|kind| ("kind".to_owned(), AttributeValue::S(kind.to_owned()))));
            assert_eq!(stream_order(image, "FileName"), Ok(None));
        }
        assert_eq!(stream_order(serde_dynamo::Item::from(Item::new()), "FileName"), Ok(None));
    }

    #[test]
    fn a_malformed_order_is_refused_by_the_name_of_the_attribute_and_without_its_value() {
        let wrong = [
            AttributeValue::S("secret".to_owned()),
            AttributeValue::S(r#"{"customerName":"secret"}"#.to_owned()),
            AttributeValue::S(String::new()),
            AttributeValue::N("12".to_owned()),
            AttributeValue::Null(true),
        ];
        for attribute in ["FileName", "orderTime", "details"] {
            for value in &wrong {
                let mut image = image();
                image.insert(attribute.to_owned(), value.clone());
                let bad = stream_order(image, "FileName").unwrap_err();
                assert_eq!(bad.attribute, attribute);
                assert!(!bad.to_string().contains("secret"), "{bad}");
            }
            let mut image = image();
            image.remove(attribute);
            assert_eq!(stream_order(image, "FileName").unwrap_err().attribute, attribute);
        }
    }
}
