//! What a policy wants of the items of an order, one item must have: held against every item by itself.

use domain::filter_policy::{FilterPolicy, FilterPolicyScope};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::fixtures::order;

const MEMBERS: [&str; 3] = ["name", "sku", "size"];

/// An item: each member is absent, or one of three values.
fn item() -> impl Strategy<Value = Map<String, Value>> {
    prop::array::uniform3(0..4_u8).prop_map(|values| {
        let members = MEMBERS.iter().zip(values).filter(|(_, value)| *value > 0);
        members.map(|(name, value)| ((*name).to_owned(), json!(format!("v{value}")))).collect()
    })
}

/// What is wanted of each member: nothing, or one of these. Three members with a choice each are more combinations than a
/// policy may have.
fn wanted() -> impl Strategy<Value = Map<String, Value>> {
    let one = prop::sample::select(vec![
        Value::Null,
        json!(["v1"]),
        json!([{ "exists": false }]),
        json!([{ "exists": true }]),
        json!(["v2", { "exists": false }]),
        json!([{ "anything-but": ["v1"] }]),
        json!([{ "prefix": "v" }]),
    ]);
    let wanted = prop::collection::vec(one, 3).prop_map(|wanted| -> Map<_, _> {
        let members = MEMBERS.iter().zip(wanted).filter(|(_, wanted)| !wanted.is_null());
        members.map(|(name, wanted)| ((*name).to_owned(), wanted)).collect()
    });
    let is_choice = |wanted: &Value| wanted.as_array().is_some_and(|conditions| conditions.len() > 1);
    wanted.prop_filter("a policy wants something, in few combinations", move |wanted| {
        !wanted.is_empty() && wanted.values().filter(|wanted| is_choice(wanted)).count() < MEMBERS.len()
    })
}

/// Whether one item has all that is wanted, told without a policy.
fn has(item: &Map<String, Value>, wanted: &Map<String, Value>) -> bool {
    wanted.iter().all(|(name, conditions)| {
        let value = item.get(name).and_then(Value::as_str);
        conditions.as_array().unwrap().iter().any(|condition| match (condition, value) {
            (Value::String(text), value) => value == Some(text.as_str()),
            (condition, None) => condition["exists"] == false,
            (condition, Some(value)) => {
                condition["exists"] == true
                    || condition["prefix"].as_str().is_some_and(|prefix| value.starts_with(prefix))
                    || condition["anything-but"].as_array().is_some_and(|not| !not.contains(&json!(value)))
            }
        })
    })
}

proptest! {
    #[test]
    fn an_order_is_wanted_if_one_of_its_items_has_all_that_is_wanted(
        items in prop::collection::vec(item(), 1..5),
        wanted in wanted(),
    ) {
        let policy = json!({ "data": { "items": wanted } }).to_string();
        let policy = FilterPolicy::parse_in(FilterPolicyScope::MessageBody, &policy).unwrap();
        let message = json!({ "data": { "items": items } }).to_string();
        let expected = items.iter().any(|item| has(item, &wanted));
        prop_assert_eq!(policy.matches_message(&message).is_ok(), expected, "{} of {}", policy.as_str(), message);
    }
}

/// A mouse with a SKU, a pad without, and a cable of which only the SKU is known besides.
const ITEMS: &str = r#"{"customerName":"Jo","currency":"EUR","items":[
    {"productName":"Mouse","sku":"M","quantity":2,"unitPrice":"9.90"},
    {"productName":"Pad","quantity":1},
    {"productName":"Cable","sku":"C","quantity":5}]}"#;

#[test]
fn of_an_orders_body_one_item_has_all_that_is_wanted() {
    for (wanted, matches) in [
        (r#"{"productName":["Pad"],"sku":[{"exists":false}]}"#, true),
        (r#"{"productName":["Mouse"],"sku":[{"exists":false}]}"#, false),
        (
            r#"{"sku":[{"exists":false}],"unitPrice":[{"exists":false}],"quantity":[{"numeric":["<",2]}]}"#,
            true,
        ),
        (r#"{"sku":[{"exists":false}],"quantity":[{"numeric":[">",1]}]}"#, false),
        (r#"{"sku":[{"exists":true}],"unitPrice":[{"exists":false}]}"#, true),
        (r#"{"productName":["Mouse"],"unitPrice":[{"exists":false}]}"#, false),
        (r#"{"productName":[{"anything-but":["Pad"]}],"sku":[{"exists":false}]}"#, false),
        (r#"{"productName":[{"prefix":"P"}],"sku":["X",{"exists":false}]}"#, true),
        (r#"{"$or":[{"sku":["X"]},{"sku":[{"exists":false}]}],"productName":["Pad"]}"#, true),
        (r#"{"$or":[{"sku":["X"]},{"sku":[{"exists":false}]}],"productName":["Cable"]}"#, false),
        (r#"{"colour":[{"exists":false}],"productName":["Cable"]}"#, true),
    ] {
        let policy = format!(r#"{{"data":{{"items":{wanted},"currency":["EUR"]}}}}"#);
        let policy = FilterPolicy::parse_in(FilterPolicyScope::MessageBody, &policy).unwrap();
        assert_eq!(policy.matches(&order(ITEMS)).is_ok(), matches, "{wanted}");
    }
}

#[test]
fn of_an_orders_attributes_one_value_that_is_not_excluded_will_do() {
    for (policy, matches) in [
        (r#"{"productName":[{"anything-but":["Mouse"]}]}"#, true),
        (r#"{"productName":[{"anything-but":"Mouse"}]}"#, true),
        (r#"{"productName":[{"anything-but":["Mouse","Pad"]}]}"#, true),
        (r#"{"productName":[{"anything-but":["Mouse","Pad","Cable"]}]}"#, false),
        (r#"{"productName":[{"anything-but":{"prefix":"M"}}]}"#, true),
        (r#"{"productName":[{"anything-but":{"prefix":""}}]}"#, false),
        (r#"{"sku":[{"anything-but":["M"]}]}"#, true),
        (r#"{"sku":[{"anything-but":["M","C"]}]}"#, false),
        (r#"{"quantity":[{"anything-but":[2,1]}]}"#, true),
        (r#"{"quantity":[{"anything-but":[5,2,1]}]}"#, false),
        (r#"{"currency":[{"anything-but":["EUR"]}]}"#, false),
        (r#"{"productName":[{"anything-but":["Mouse"]}],"currency":["USD"]}"#, false),
    ] {
        let Ok(wanted) = FilterPolicy::parse(policy) else { panic!("{policy}") };
        assert_eq!(wanted.matches(&order(ITEMS)).is_ok(), matches, "{policy}");
    }
}
