//! Which orders a filter policy wants.

use domain::filter_policy::{FilterPolicy, FilterPolicyScope, MAX_BYTES};
use domain::order::{AttributeValue, Order, OrderDetails};
use proptest::prelude::*;

use crate::fixtures::order;
use crate::generated_orders::sent_orders;

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

fn body(policy: &str) -> FilterPolicy {
    FilterPolicy::parse_in(FilterPolicyScope::MessageBody, policy).unwrap()
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
fn a_mismatch_says_what_each_operator_wanted_and_what_there_is() {
    for (policy, key, reason) in [
        (
            r#"{"currency":["USD",{"prefix":"U"}]}"#,
            "currency",
            "wanted \"USD\" or a text that begins with \"U\"; found \"EUR\"",
        ),
        (r#"{"currency":[{"suffix":"D"}]}"#, "currency", "wanted a text that ends with \"D\"; found \"EUR\""),
        (
            r#"{"currency":[{"equals-ignore-case":"usd"}]}"#,
            "currency",
            "wanted \"usd\" in any case; found \"EUR\"",
        ),
        (
            r#"{"currency":[{"anything-but":["EUR","USD"]}]}"#,
            "currency",
            "wanted anything but \"EUR\", \"USD\"; found \"EUR\"",
        ),
        (
            r#"{"currency":[{"anything-but":{"prefix":"E"}}]}"#,
            "currency",
            "wanted a text that does not begin with \"E\"; found \"EUR\"",
        ),
        (
            r#"{"total":[{"numeric":[">",10,"<=",20]}]}"#,
            "total",
            "wanted a number > 10 and <= 20; found 10.0",
        ),
        (r#"{"total":[{"numeric":["=",5]}]}"#, "total", "wanted the number 5; found 10.0"),
        (r#"{"note":[{"exists":true}]}"#, "note", "wanted any value; found nothing"),
        (r#"{"total":[{"exists":false}]}"#, "total", "wanted no value; found 10.0"),
        (r#"{"shop":[{"cidr":"10.0.0.0/8"}]}"#, "shop", "wanted an IP address in 10.0.0.0/8; found \"10\""),
        (r#"{"express":[false,null]}"#, "express", "wanted false or null; found true"),
        (
            r#"{"$or":[{"currency":["USD"]},{"note":["x"]}]}"#,
            "$or",
            "no alternative matches (currency: wanted \"USD\"; found \"EUR\" | note: wanted \"x\"; found nothing)",
        ),
    ] {
        let mismatch = FilterPolicy::parse(policy).unwrap().matches(&order(MOUSE)).unwrap_err();
        assert_eq!((mismatch.key.as_str(), mismatch.reason.as_str()), (key, reason), "{policy}");
    }
}

#[test]
fn a_mismatch_stays_short_however_long_the_policy_is() {
    let wanted: Vec<_> = (0..150).map(|number| number.to_string()).collect();
    let policy = FilterPolicy::parse(&format!(r#"{{"note":[{}]}}"#, wanted.join(","))).unwrap();
    let mismatch = policy.matches(&order(MOUSE)).unwrap_err();
    assert_eq!(mismatch.reason, "wanted 0 or 1 or 2 or 3 or 4 or 145 more; found nothing");
}

#[test]
fn a_body_policy_may_ask_for_what_the_program_does_not_know() {
    let order = order(
        r#"{"customerName":"Jo","productName":"Mouse","total":"19,90","gift":{"card":"Happy birthday","tags":["a","b"]},
            "items":[{"productName":"Pad","colour":"red"}]}"#,
    );
    for policy in [
        r#"{"data":{"extra":{"gift":{"card":[{"prefix":"Happy"}],"tags":["b"]}}}}"#,
        r#"{"data":{"items":{"extra":{"colour":["red"]}}}}"#,
        r#"{"data":{"warnings":{"field":["total"]},"total":[{"exists":false}]}}"#,
    ] {
        assert_eq!(body(policy).matches(&order), Ok(()), "{policy}");
    }
    assert!(body(r#"{"data":{"extra":{"gift":{"card":["x"]}}}}"#).matches(&order).is_err());
}

#[test]
fn a_body_policy_looks_at_the_notification_as_a_webhook_gets_it() {
    for policy in [
        r#"{"type":["order.placed"],"data":{"currency":["EUR"],"quantity":[10]}}"#,
        r#"{"data":{"attributes":{"rank":[{"numeric":["<",0]}],"express":[true]}}}"#,
        r#"{"data":{"total":["10.0"]}}"#,
        r#"{"data":{"note":[{"exists":false}]}}"#,
        r#"{"message":[{"suffix":"\n    shop: 10"}],"subject":["New Order Notification"]}"#,
        r#"{"data.currency":["EUR"]}"#,
    ] {
        assert_eq!(body(policy).matches(&order(MOUSE)), Ok(()), "{policy}");
    }
    for policy in
        [r#"{"currency":["EUR"]}"#, r#"{"data":{"currency":["USD"]}}"#, r#"{"data":{"total":[10]}}"#]
    {
        assert!(body(policy).matches(&order(MOUSE)).is_err(), "{policy}");
    }
    let mismatch = body(r#"{"data":{"currency":["USD"]}}"#).matches(&order(MOUSE)).unwrap_err();
    assert_eq!((mismatch.key.as_str(), mismatch.found), ("data.currency", vec!["EUR".to_owned()]));
}

#[test]
fn what_a_body_policy_wants_of_items_one_item_must_have() {
    assert!(body(r#"{"data":{"items":{"sku":["M"],"quantity":[2]}}}"#).matches(&order(ITEMS)).is_ok());
    let mixed = r#"{"data":{"items":{"productName":["Mouse"],"quantity":[3]}}}"#;
    let mismatch = body(mixed).matches(&order(ITEMS)).unwrap_err();
    assert_eq!(
        mismatch.reason,
        "no single element of an array has all that is wanted of data.items.productName, data.items.quantity"
    );
    assert!(wants(r#"{"productName":["Mouse"],"quantity":[3]}"#, ITEMS), "attributes are not of one item");
}

#[test]
fn a_dot_in_a_name_counts_as_a_way() {
    // Seen of SNS; AWS does not document it.
    for message in [
        r#"{"object":{"nested":{"test":"x"}}}"#,
        r#"{"object.nested.test":"x"}"#,
        r#"{"object.nested":{"test":"x"}}"#,
        r#"{"object":{"nested.test":"x"}}"#,
    ] {
        assert_eq!(body(r#"{"object.nested.test":["x"]}"#).matches_message(message), Ok(()), "{message}");
        assert_eq!(
            body(r#"{"object":{"nested":{"test":["x"]}}}"#).matches_message(message),
            Ok(()),
            "{message}"
        );
    }
}

#[test]
fn a_body_that_is_no_json_object_matches_nothing() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    for message in ["", "Regular message", "\"text\"", "[]", "null", "{\"a\":1", deep.as_str()] {
        assert!(body(r#"{"a":[{"exists":false}]}"#).matches_message(message).is_err(), "{message}");
    }
}

#[test]
fn numbers_of_a_body_beyond_all_policies_are_the_largest() {
    for (number, larger) in [
        ("1e400", true),
        ("123456789012345678901234567890123456789", true),
        ("-1e400", false),
        ("1e-400", false),
    ] {
        let message = format!("{{\"a\":{number}}}");
        assert_eq!(body(r#"{"a":[{"numeric":[">",1000000000]}]}"#).matches_message(&message).is_ok(), larger);
        assert!(body(r#"{"a":[{"anything-but":7}]}"#).matches_message(&message).is_ok());
    }
}

#[test]
fn the_alternatives_of_an_or_add_up_to_the_combinations() {
    let values = |count: usize| vec!["1"; count].join(",");
    let policy = |last: usize| {
        let (four, six, last) = (values(4), values(6), values(last));
        format!(
            r#"{{"s":[{four}],"$or":[{{"a":[{six}]}},{{"b":[{four}],"$or":[{{"c":[{four}]}},{{"d":[{last}]}}]}}]}}"#
        )
    };
    // 4 × (6 + 4 × (4 + 3)) = 136, and 152 with one more. Such a policy of 152 is refused by SNS.
    assert!(FilterPolicy::parse(&policy(3)).is_ok());
    assert!(refused(&policy(4)).1.contains("150 combinations"));
}

#[test]
fn a_policy_is_stored_with_its_scope_as_one_text() {
    let text = r#"{"data":{"total":[{"exists":true}]}}"#;
    assert_eq!(body(text).stored(), format!(r#"{{"MessageBody":{text}}}"#));
    for policy in [
        body(text),
        body(r#"{"MessageBody":["x"]}"#),
        body(r#"{"MessageBody":{"a":["x"]}}"#),
        FilterPolicy::parse(r#"{"MessageBody":["x"]}"#).unwrap(),
        FilterPolicy::parse(r#"{ "currency" : ["EUR"] }"#).unwrap(),
    ] {
        let read = FilterPolicy::from_stored(&policy.stored()).unwrap();
        assert_eq!((read.scope(), read.as_str()), (policy.scope(), policy.as_str()));
        assert_eq!(read, policy);
    }
    let attributes = FilterPolicy::parse(r#"{"a":["x"]}"#).unwrap();
    assert_ne!(attributes, body(r#"{"a":["x"]}"#), "the scope is part of what a policy wants");
}

#[test]
fn what_was_stored_under_wider_limits_stays_readable() {
    let text = r#"{"total":[123456789012345.123456]}"#;
    assert_eq!(refused(text).0, "invalid_filter_policy");
    let policy = FilterPolicy::from_stored(text).unwrap();
    assert_eq!(policy.as_str(), text);
}

#[test]
fn no_limit_stands_between_a_stored_policy_and_what_it_says() {
    let many = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    let keys: Vec<_> = (0..9).map(|key| format!("\"k{key}\":[{{\"exists\":false}}]")).collect();
    let jo = order(r#"{"customerName":"Jo","productName":"Mouse","total":5,"attributes":{"k":"x"}}"#);
    for (text, wants) in [
        ("{}".to_owned(), true),
        (r#"{"k":[]}"#.to_owned(), false),
        (format!("{{{}}}", keys.join(",")), true),
        (format!(r#"{{"total":[{}]}}"#, many(500)), true),
        (format!(r#"{{"k":["{}","x"]}}"#, "y".repeat(300_000)), true),
        (r#"{"k":[{"anything-but":["y",7]}]}"#.to_owned(), true),
        (r#"{"k":[{"anything-but":[]}]}"#.to_owned(), true),
        (r#"{"total":[{"numeric":[">",9,"<",1]}]}"#.to_owned(), false),
    ] {
        let start = &text[..text.len().min(60)];
        assert!(FilterPolicy::parse(&text).is_err(), "{start} is still taken");
        let policy = FilterPolicy::from_stored(&text).unwrap();
        assert_eq!(policy.matches(&jo).is_ok(), wants, "{start}");
    }
}

#[test]
fn a_stored_policy_of_which_nobody_can_say_what_it_wants_is_an_error() {
    for text in ["", "{", "[]", "7", r#"{"k":7}"#, r#"{"k":[{"sounds-like":"x"}]}"#, r#"{"k":{"l":["x"]}}"#] {
        assert!(FilterPolicy::from_stored(text).is_err(), "{text}");
    }
}

#[test]
fn a_scope_is_one_of_two_names() {
    for scope in FilterPolicyScope::ALL {
        assert_eq!(FilterPolicyScope::parse(scope.name()), Ok(scope));
    }
    let invalid = FilterPolicyScope::parse("messagebody").unwrap_err();
    assert_eq!((invalid.code, invalid.field.as_str()), ("invalid_filter_policy_scope", "filterPolicyScope"));
}

#[test]
fn an_operator_that_sns_has_not_is_refused_by_its_name() {
    for (policy, operator) in [
        (r#"{"currency":[{"wildcard":"E*"}]}"#, "wildcard"),
        (r#"{"currency":["EUR",{"equals":"R"}]}"#, "equals"),
        (r#"{"currency":[{"anything-but":{"suffix":"R"}}]}"#, "suffix"),
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
        r#"{"currency":[["EUR"]]}"#,
        r#"{"currency":["\ud800"]}"#,
        r#"{"total":[1e10]}"#,
        r#"{"total":[1e999999999999]}"#,
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
fn a_policy_has_at_most_256_kb() {
    let policy = |length: usize| {
        let around = r#"{"a":[""]}"#.len();
        FilterPolicy::parse(&format!(r#"{{"a":["{}"]}}"#, "x".repeat(length - around)))
    };
    assert!(policy(MAX_BYTES).is_ok());
    assert!(policy(MAX_BYTES + 1).unwrap_err().message.contains("256 KB"));
}

#[test]
fn a_deep_policy_does_not_overflow_the_stack() {
    let deep = format!("{}{}", "[".repeat(300_000), "]".repeat(300_000));
    assert!(FilterPolicy::parse(&format!(r#"{{"a":{deep}}}"#)).is_err());
    let deep = format!("{}1{}", "{\"a\":".repeat(30_000), "}".repeat(30_000));
    assert!(FilterPolicy::parse_in(FilterPolicyScope::MessageBody, &deep).is_err());
    let or = format!("{}[1]{}", r#"{"$or":[{"a":[1]},{"b":"#.repeat(10_000), "}]}".repeat(10_000));
    assert!(FilterPolicy::parse_in(FilterPolicyScope::MessageBody, &or).is_err());
    let deep = format!("{}1{}", "{\"a\":".repeat(300_000), "}".repeat(300_000));
    assert!(FilterPolicy::parse(&format!(r#"{{"a":[{deep}]}}"#)).is_err());
    assert!(FilterPolicy::parse(&deep).is_err());
}

/// Every fact that a policy can ask of an order, as the policy would write it.
fn facts(order: &Order) -> Vec<(String, String)> {
    let details = &order.details;
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let mut facts = vec![("orderId".to_owned(), quoted(&order.id.to_string()))];
    facts.extend(details.customer_name.as_deref().map(|name| ("customerName".to_owned(), quoted(name))));
    for (name, quantity) in details.products.iter() {
        facts.push(("productName".to_owned(), quoted(name)));
        facts.extend(quantity.map(|quantity| ("quantity".to_owned(), quantity.to_string())));
    }
    facts.extend(details.currency.iter().map(|currency| ("currency".to_owned(), quoted(currency))));
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
        // As it was stored once: an order's numbers may be beyond a policy's.
        let policy = FilterPolicy::from_stored(&format!("{{{}}}", members.join(","))).unwrap();
        prop_assert_eq!(policy.matches(&order), Ok(()));
        let stored: OrderDetails = serde_json::from_str(&serde_json::to_string(&order.details).unwrap()).unwrap();
        prop_assert_eq!(policy.matches(&Order { details: stored, ..order }), Ok(()));
    }

    #[test]
    fn no_text_makes_a_policy_panic(text in prop_oneof![any::<String>(), "[\\[\\]{}\",:a$0-9. -]{0,40}"]) {
        for scope in FilterPolicyScope::ALL {
            let _ = FilterPolicy::parse_in(scope, &text);
            let _ = FilterPolicy::parse_in(scope, &format!("{{\"a\":[{text}]}}"));
        }
        let _ = FilterPolicy::from_stored(&text);
    }

    #[test]
    fn a_policy_reads_back_from_the_store_as_it_was(scope in scope(), policy in policy()) {
        if let Ok(policy) = FilterPolicy::parse_in(scope, &policy) {
            let read = FilterPolicy::from_stored(&policy.stored()).unwrap();
            prop_assert_eq!((read.scope(), read.as_str()), (policy.scope(), policy.as_str()));
            prop_assert_eq!(read.stored(), policy.stored());
            prop_assert_eq!(read, policy);
        }
    }

    #[test]
    fn any_policy_gives_any_message_the_same_verdict_before_and_after_it_is_stored(
        scope in scope(), policy in policy(), message in prop_oneof![9 => json(), 1 => any::<String>()],
    ) {
        if let Ok(policy) = FilterPolicy::parse_in(scope, &policy) {
            let verdict = policy.matches_message(&message);
            let stored = FilterPolicy::from_stored(&policy.stored()).unwrap();
            prop_assert_eq!(stored.matches_message(&message), verdict.clone());
            prop_assert!(verdict.is_ok() || !verdict.unwrap_err().reason.is_empty());
        }
    }

    #[test]
    fn an_or_is_satisfied_when_one_of_its_alternatives_is(
        scope in scope(), one in policy(), other in policy(), message in json(),
    ) {
        let parse = |json: &str| FilterPolicy::parse_in(scope, json);
        let both = parse(&format!(r#"{{"$or":[{one},{other}]}}"#));
        if let (Ok(one), Ok(other), Ok(both)) = (parse(&one), parse(&other), both) {
            let either = one.matches_message(&message).is_ok() || other.matches_message(&message).is_ok();
            prop_assert_eq!(both.matches_message(&message).is_ok(), either);
        }
    }
}

fn scope() -> impl Strategy<Value = FilterPolicyScope> {
    prop::sample::select(FilterPolicyScope::ALL.to_vec())
}

/// The text of a policy that is often a valid one.
fn policy() -> impl Strategy<Value = String> {
    let condition = prop::sample::select(vec![
        "\"x\"",
        "5",
        "-0.5",
        "true",
        "null",
        r#"{"prefix":"x"}"#,
        r#"{"suffix":"x"}"#,
        r#"{"exists":true}"#,
        r#"{"exists":false}"#,
        r#"{"numeric":[">",1,"<=",5.5]}"#,
        r#"{"anything-but":["x","y"]}"#,
        r#"{"anything-but":[1,2]}"#,
        r#"{"anything-but":{"prefix":"x"}}"#,
        r#"{"cidr":"10.0.0.0/8"}"#,
        r#"{"equals-ignore-case":"X"}"#,
    ]);
    let leaf = prop::collection::vec(condition, 1..4).prop_map(|values| format!("[{}]", values.join(",")));
    let member = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            object(inner.clone()),
            prop::collection::vec(object(inner), 2..4).prop_map(|all| format!("[{}]", all.join(","))),
        ]
    });
    object(member)
}

fn object(member: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "a.b", "$or"]);
    let member = (name, member).prop_map(|(name, value)| format!("{name:?}:{value}"));
    prop::collection::vec(member, 1..4).prop_map(|members| format!("{{{}}}", members.join(",")))
}

/// JSON with the names that [`policy`] uses.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "\"x\"",
        "\"\"",
        "5",
        "-0.5",
        "1e999",
        "true",
        "null",
        "\"10.0.0.1\"",
        "[]",
        "{}",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            object(inner.clone()),
            prop::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(","))),
        ]
    })
}
