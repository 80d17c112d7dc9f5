//! What a message carries for filter policies: every fact that a policy can ask of an order.
//!
//! Source: AWS, "Amazon SNS message attributes" and "Filter policy constraints"; the decision is in
//! `docs/adr/0001-sns-filter-policies-on-message-attributes.md`.

use std::collections::HashSet;

use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::MessageAttributeValue;
use domain::filter_policy::all_facts;
use domain::order::{AttributeValue, Order};

/// A message attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) data_type: &'static str,
    pub(super) value: String,
}

/// The attributes of an order's message.
pub(super) fn attributes(order: &Order) -> Result<Vec<Attribute>, serde_json::Error> {
    let facts = all_facts(order).into_iter().filter(|(name, _)| is_carried(name));
    facts.map(|(name, values)| Attribute::of(name, values)).collect()
}

/// The most attributes of a message that a queue gets raw: SNS drops one that has more.
const MAX_RAW_ATTRIBUTES: usize = 10;

/// The attribute that has SNS send text messages for reliability rather than for price; without it they are promotional.
/// It is left out where it would be the one too many for queues that get messages raw: those would get nothing at all.
///
/// Source: AWS, "Publishing SMS messages to a topic" and "Amazon SNS raw message delivery".
pub(super) fn sms_type(facts: usize) -> Option<Attribute> {
    let name = "AWS.SNS.SMS.SMSType".to_owned();
    let value = "Transactional".to_owned();
    (facts != MAX_RAW_ATTRIBUTES).then_some(Attribute { name, data_type: "String", value })
}

/// Whether SNS takes an attribute of that name: it refuses stray periods, and reserves names for instructions to
/// itself, such as a text message's sender and price, which are no client's to give.
pub(super) fn is_carried(name: &str) -> bool {
    let reserved =
        |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let stray_period = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    !stray_period && !reserved("AWS.") && !reserved("Amazon.")
}

impl Attribute {
    fn of(name: &str, mut values: Vec<AttributeValue>) -> Result<Self, serde_json::Error> {
        values.iter_mut().for_each(normalize);
        let mut seen = HashSet::new();
        values.retain(|value| seen.insert(value.clone()));
        let (data_type, value) = match values.as_slice() {
            [AttributeValue::Number(number)] => ("Number", number.to_string()),
            [AttributeValue::String(text)] if is_plain(text) => ("String", text.clone()),
            several => ("String.Array", serde_json::to_string(several)?),
        };
        Ok(Self { name: name.to_owned(), data_type, value })
    }

    /// What it counts against the limit of a message.
    pub(super) fn bytes(&self) -> usize {
        self.name.len() + self.data_type.len() + self.value.len()
    }

    /// The same as the SDK has it.
    pub(super) fn to_sns(&self) -> Result<MessageAttributeValue, BuildError> {
        MessageAttributeValue::builder().data_type(self.data_type).string_value(&self.value).build()
    }
}

/// Equal numbers are written alike.
fn normalize(value: &mut AttributeValue) {
    if let AttributeValue::Number(number) = value {
        *number = number.normalize();
    }
}

/// Whether a text can stand for itself. An attribute must not be empty, and one with a quotation mark or backslash is
/// compared correctly only as JSON.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(['"', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic::message::fixtures::order;

    fn of(json: &str) -> Vec<(String, &'static str, String)> {
        let attributes = attributes(&order(json)).unwrap();
        attributes.into_iter().map(|one| (one.name, one.data_type, one.value)).collect()
    }

    fn one(json: &str, name: &str) -> Option<(&'static str, String)> {
        of(json).into_iter().find(|(found, ..)| found == name).map(|(_, kind, value)| (kind, value))
    }

    #[test]
    fn a_text_is_a_string_a_number_a_number_and_a_boolean_an_array_of_itself() {
        let json = r#"{"customerName":"Ada","productName":"Mouse","total":"19.90","quantity":2,
            "attributes":{"express":true,"shop":"north","weight":1.50}}"#;
        assert_eq!(one(json, "customerName"), Some(("String", "Ada".to_owned())));
        assert_eq!(one(json, "total"), Some(("Number", "19.9".to_owned())));
        assert_eq!(one(json, "quantity"), Some(("Number", "2".to_owned())));
        assert_eq!(one(json, "express"), Some(("String.Array", "[true]".to_owned())));
        assert_eq!(one(json, "shop"), Some(("String", "north".to_owned())));
        assert_eq!(one(json, "weight"), Some(("Number", "1.5".to_owned())));
        assert_eq!(one(json, "orderId").map(|(kind, _)| kind), Some("String"));
    }

    #[test]
    fn several_items_give_arrays_without_repeats() {
        let json = r#"{"customerName":"Ada","items":[{"productName":"Mouse","sku":"M-1","quantity":2},
            {"productName":"Pad","quantity":2},{"productName":"Mouse","sku":"M-2","quantity":1}]}"#;
        assert_eq!(one(json, "productName"), Some(("String.Array", r#"["Mouse","Pad"]"#.to_owned())));
        assert_eq!(one(json, "sku"), Some(("String.Array", r#"["M-1","M-2"]"#.to_owned())));
        assert_eq!(one(json, "quantity"), Some(("String.Array", "[2,1]".to_owned())));
    }

    #[test]
    fn a_text_that_could_be_misread_is_json() {
        let json = r#"{"customerName":"Ada \"the\" Great","productName":"C:\\x","attributes":{"gift":""}}"#;
        assert_eq!(one(json, "customerName"), Some(("String.Array", r#"["Ada \"the\" Great"]"#.to_owned())));
        assert_eq!(one(json, "productName"), Some(("String.Array", r#"["C:\\x"]"#.to_owned())));
        assert_eq!(one(json, "gift"), Some(("String.Array", r#"[""]"#.to_owned())));
    }

    #[test]
    fn text_messages_are_transactional_unless_a_queue_would_lose_the_message_by_it() {
        for (facts, sent) in [(0, true), (3, true), (9, true), (10, false), (11, true), (40, true)] {
            let found = sms_type(facts).map(|one| (one.name, one.data_type, one.value));
            let wanted = ("AWS.SNS.SMS.SMSType".to_owned(), "String", "Transactional".to_owned());
            assert_eq!(found, Some(wanted).filter(|_| sent), "{facts}");
        }
    }

    #[test]
    fn what_an_order_does_not_say_is_no_attribute() {
        let names: Vec<_> = of(r#"{"customerName":"Ada","productName":"Mouse"}"#);
        let names: Vec<_> = names.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["orderId", "customerName", "productName"]);
    }

    #[test]
    fn a_client_cannot_give_sns_instructions_or_a_name_that_it_refuses() {
        let json = r#"{"customerName":"Ada","productName":"Mouse","attributes":{"AWS.SNS.SMS.MaxPrice":"9",
            "aws.x":1,"Amazon.x":1,".a":1,"a.":1,"a..b":1,"a.b":1,"AWSome":1}}"#;
        let names: Vec<_> = of(json).into_iter().map(|(name, ..)| name).skip(3).collect();
        assert_eq!(names, ["AWSome", "a.b"]);
    }
}
