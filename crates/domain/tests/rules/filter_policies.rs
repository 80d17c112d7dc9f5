//! Which orders a filter policy wants.

use domain::filter_policy::FilterPolicy;
use domain::order::{AttributeValue, Order, OrderDetails};
use proptest::prelude::*;

use crate::generated_orders::sent_orders;
use crate::given::order;

const MOUSE: &str = r#"{
    "customerName": "Jo", "productName": "Mouse", "quantity": 10, "currency": "EUR", "total": 10.0,
    "attributes": {"express": true, "rank": -1.50, "shop": "10", "big": 123456789012345.123456}
}"#;
const ITEMS: &str = r#"{
    "customerName": "Jo",
    "items": [{"productName": "Mouse", "sku": "M", "quantity": 2}, {"productName": "Pad", "quantity": 3}]
}"#;

fn wants(policy: &str, json: &str) -> bool {
    FilterPolicy::parse(policy).unwrap().matches(&order(json)).is_ok()
}

fn refused(policy: &str) -> (&'static str, String) {
    let invalid = FilterPolicy::parse(policy).unwrap_err();
    (invalid.code, invalid.message)
}

#[test]
fn exact_strings_numbers_and_truths_match() {
    for policy in [
        r#"{"currency":["EUR"]}"#,
        r#"{"currency":["USD","EUR"]}"#,
        r#"{"productName":["Mouse"],"customerName":["Jo"]}"#,
        r#"{"express":[true]}"#,
        r#"{"express":["x",true,1]}"#,
        r#"{"rank":[-1.5]}"#,
        r#"{"shop":["10"]}"#,
        r#"{"big":[123456789012345.123456]}"#,
    ] {
        assert!(wants(policy, MOUSE), "{policy}");
    }
    for policy in [
        r#"{"currency":["eur"]}"#,
        r#"{"currency":["EUR"],"express":[false]}"#,
        r#"{"express":["true"]}"#,
        r#"{"rank":[1.5]}"#,
        r#"{"note":["x"]}"#,
        r#"{"sku":["M"]}"#,
        r#"{"big":[123456789012345.123457]}"#,
    ] {
        assert!(!wants(policy, MOUSE), "{policy}");
    }
}

#[test]
fn numbers_are_equal_by_value_and_never_to_a_string() {
    for number in ["10", "10.0", "10.000000"] {
        assert!(wants(&format!(r#"{{"total":[{number}]}}"#), MOUSE), "{number}");
        assert!(wants(&format!(r#"{{"quantity":[{number}]}}"#), MOUSE), "{number}");
        assert!(!wants(&format!(r#"{{"shop":[{number}]}}"#), MOUSE), "{number}");
    }
    assert!(!wants(r#"{"total":["10.0"]}"#, MOUSE));
    assert!(wants(
        r#"{"zero":[0]}"#,
        r#"{"customerName":"Jo","productName":"x","attributes":{"zero":-0.0}}"#
    ));
}

#[test]
fn several_items_give_several_values_of_which_one_must_match() {
    assert!(wants(r#"{"productName":["Pad"]}"#, ITEMS));
    assert!(wants(r#"{"productName":["Key","Mouse"],"quantity":[3],"sku":["M"]}"#, ITEMS));
    assert!(!wants(r#"{"quantity":[5]}"#, ITEMS));
}

#[test]
fn a_mismatch_names_the_first_key_that_failed_and_what_the_order_has() {
    let policy = FilterPolicy::parse(r#"{"quantity":[5],"productName":["Key"],"currency":["EUR"]}"#).unwrap();
    let mismatch = policy.matches(&order(ITEMS)).unwrap_err();
    assert_eq!((mismatch.key.as_str(), mismatch.found.len()), ("currency", 0));
    let policy = FilterPolicy::parse(r#"{"quantity":[5]}"#).unwrap();
    assert_eq!(policy.matches(&order(ITEMS)).unwrap_err().found, ["2", "3"]);
}

#[test]
fn a_policy_keeps_its_text() {
    let text = " {\"currency\" : [\"EUR\"]}";
    assert_eq!(FilterPolicy::parse(text).unwrap().as_str(), text);
}

#[test]
fn other_operators_are_refused_by_their_name() {
    for (policy, operator) in [
        (r#"{"currency":[{"prefix":"E"}]}"#, "prefix"),
        (r#"{"currency":["EUR",{"suffix":"R"}]}"#, "suffix"),
        (r#"{"currency":[{"equals-ignore-case":"eur"}]}"#, "equals-ignore-case"),
        (r#"{"currency":[{"anything-but":["EUR"]}]}"#, "anything-but"),
        (r#"{"total":[{"numeric":[">",5]}]}"#, "numeric"),
        (r#"{"note":[{"exists":true}]}"#, "exists"),
        (r#"{"ip":[{"cidr":"10.0.0.0/8"}]}"#, "cidr"),
        (r#"{"$or":[{"currency":["EUR"]},{"express":[true]}]}"#, "$or"),
    ] {
        let (code, message) = refused(policy);
        assert_eq!(code, "unsupported_operator", "{policy}");
        assert!(message.contains(&format!("{operator:?}")), "{message}");
    }
}

#[test]
fn what_is_no_policy_is_refused() {
    for policy in [
        "",
        "null",
        "[]",
        "{",
        "{}",
        "\"x\"",
        r#"{"currency":"EUR"}"#,
        r#"{"currency":null}"#,
        r#"{"currency":{}}"#,
        r#"{"currency":[]}"#,
        r#"{"currency":[null]}"#,
        r#"{"currency":[["EUR"]]}"#,
        r#"{"currency":["\ud800"]}"#,
        r#"{"total":[1e3]}"#,
        r#"{"total":[99999999999999999999999999999999]}"#,
        r#"{"total":[0.10000000000000000000000000000000000001]}"#,
    ] {
        assert_eq!(refused(policy).0, "invalid_filter_policy", "{policy}");
    }
}

#[test]
fn a_policy_has_at_most_5_keys_and_150_combinations() {
    let keys = |count: usize| {
        let keys: Vec<_> = (0..count).map(|key| format!(r#""k{key}":[1]"#)).collect();
        FilterPolicy::parse(&format!("{{{}}}", keys.join(",")))
    };
    assert!(keys(5).is_ok());
    assert!(keys(6).unwrap_err().message.contains("1 to 5 keys"));
    let combinations = |counts: [usize; 2]| {
        let [a, b] = counts.map(|count| vec!["1"; count].join(","));
        FilterPolicy::parse(&format!(r#"{{"a":[{a}],"b":[{b}]}}"#))
    };
    assert!(combinations([10, 15]).is_ok());
    assert!(combinations([151, 1]).unwrap_err().message.contains("150 combinations"));
    let huge = vec!["1"; 10_000].join(",");
    let huge = ["a", "b", "c", "d", "e"].map(|key| format!("\"{key}\":[{huge}]")).join(",");
    assert_eq!(refused(&format!("{{{huge}}}")).0, "invalid_filter_policy");
}

#[test]
fn a_deep_policy_does_not_overflow_the_stack() {
    let deep = format!("{}{}", "[".repeat(300_000), "]".repeat(300_000));
    assert!(FilterPolicy::parse(&format!(r#"{{"a":{deep}}}"#)).is_err());
    let deep = format!("{}1{}", "{\"a\":".repeat(300_000), "}".repeat(300_000));
    assert!(FilterPolicy::parse(&format!(r#"{{"a":[{deep}]}}"#)).is_err());
    assert!(FilterPolicy::parse(&deep).is_err());
}

/// Every fact that a policy can ask of an order, as the policy would write it.
fn facts(order: &Order) -> Vec<(String, String)> {
    let details = &order.details;
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let mut facts = vec![
        ("orderId".to_owned(), quoted(&order.id.to_string())),
        ("customerName".to_owned(), quoted(&details.customer_name)),
    ];
    for (name, quantity) in details.products.iter() {
        facts.push(("productName".to_owned(), quoted(name)));
        facts.extend(quantity.map(|quantity| ("quantity".to_owned(), quantity.to_string())));
    }
    facts.extend(details.currency.map(|currency| ("currency".to_owned(), quoted(currency.code()))));
    facts.extend(details.total.map(|total| ("total".to_owned(), total.to_string())));
    facts.extend(details.customer_email.iter().map(|mail| ("customerEmail".to_owned(), quoted(mail))));
    facts.extend(details.attributes.iter().map(|(key, value)| {
        let value = match value {
            AttributeValue::String(text) => quoted(text),
            AttributeValue::Number(number) => number.to_string(),
            AttributeValue::Bool(value) => value.to_string(),
        };
        (key.clone(), value)
    }));
    facts
}

proptest! {
    #[test]
    fn a_policy_built_from_an_orders_own_facts_matches_it(
        sent in sent_orders(), picks in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
    ) {
        let order = order(&sent.json);
        let facts = facts(&order);
        let chosen: std::collections::BTreeMap<_, _> = picks.iter().map(|pick| facts[pick.index(facts.len())].clone()).collect();
        let members: Vec<_> = chosen.iter().map(|(key, value)| format!("\"{key}\":[\"?\",{value}]")).collect();
        let policy = FilterPolicy::parse(&format!("{{{}}}", members.join(","))).unwrap();
        prop_assert_eq!(policy.matches(&order), Ok(()));
        let stored: OrderDetails = serde_json::from_str(&serde_json::to_string(&order.details).unwrap()).unwrap();
        prop_assert_eq!(policy.matches(&Order { details: stored, ..order }), Ok(()));
    }

    #[test]
    fn no_text_makes_a_policy_panic(text in prop_oneof![any::<String>(), "[\\[\\]{}\",:a$0-9. -]{0,40}"]) {
        let _ = FilterPolicy::parse(&text);
        let _ = FilterPolicy::parse(&format!("{{\"a\":[{text}]}}"));
    }
}
