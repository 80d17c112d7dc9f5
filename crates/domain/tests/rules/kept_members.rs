//! Nothing that a client sent is lost: what cannot be read, or is not known, is kept beside what is, and named.

use domain::order::{Address, MAX_WARNINGS, OrderDetails};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::details;
use crate::generated_orders::sent_orders;

fn with(members: &str) -> OrderDetails {
    details(&format!(r#"{{"customerName":"Jo","productName":"Mouse",{members}}}"#))
}

fn extra(order: &OrderDetails) -> &str {
    order.extra.as_ref().map_or("", |extra| extra.json())
}

/// What the warnings name, and under which code.
fn named(order: &OrderDetails) -> Vec<(&str, &str)> {
    order.warnings.iter().map(|warning| (warning.field.as_str(), &*warning.code)).collect()
}

#[test]
fn what_is_not_known_is_kept_as_it_came_and_in_its_order() {
    let order = with(
        r#" "z" : {"b" : 1.50, "a":[1e2, -0.0, "\u00e9", null, true]} , "orderId":"mine","a":null, "extra":{"x":1}"#,
    );
    assert_eq!(
        extra(&order),
        r#"{"z":{"b":1.50,"a":[1e2,-0.0,"\u00e9",null,true]},"orderId":"mine","a":null,"extra":{"x":1}}"#
    );
    assert_eq!(named(&order), []);
    assert_eq!(extra(&with(r#""note":null,"quantity":null"#)), "");
    assert_eq!(extra(&with(r#""items":null,"attributes":null,"deliveryAddress":null"#)), "");
}

#[test]
fn a_known_member_that_cannot_be_read_is_kept_and_named() {
    for (members, kept, field, code) in [
        (r#""total":"19,90""#, r#"{"total":"19,90"}"#, "total", "not_a_number"),
        (r#""quantity":"two""#, r#"{"quantity":"two"}"#, "quantity", "out_of_range"),
        (r#""quantity":0"#, r#"{"quantity":0}"#, "quantity", "out_of_range"),
        (
            r#""customerPhone":"0151 23456789""#,
            r#"{"customerPhone":"0151 23456789"}"#,
            "customerPhone",
            "invalid_phone",
        ),
        (
            r#""customerEmail":"jo at home""#,
            r#"{"customerEmail":"jo at home"}"#,
            "customerEmail",
            "invalid_email",
        ),
        (r#""currency":"Euro""#, r#"{"currency":"Euro"}"#, "currency", "unknown_currency"),
        (r#""items":"none""#, r#"{"items":"none"}"#, "items", "wrong_type"),
        (r#""items":[{"sku":"X"}]"#, r#"{"items":[{"sku":"X"}]}"#, "items[0].productName", "missing_field"),
        (r#""note":["a"]"#, r#"{"note":["a"]}"#, "note", "wrong_type"),
        (r#""attributes":"x""#, r#"{"attributes":"x"}"#, "attributes", "wrong_type"),
        (
            r#""attributes":{"a b":[1 , 2],"c":1}"#,
            r#"{"attributes":{"a b":[1,2]}}"#,
            "attributes.a b",
            "invalid_attribute",
        ),
        (r#""deliverAt":"soon""#, r#"{"deliverAt":"soon"}"#, "deliverAt", "invalid_time"),
        (
            r#""deliveryAddress":{"street":"Main St 1"}"#,
            r#"{"deliveryAddress":{"street":"Main St 1"}}"#,
            "deliveryAddress",
            "wrong_type",
        ),
        (r#""locale":"?""#, r#"{"locale":"?"}"#, "locale", "invalid_locale"),
    ] {
        let order = with(members);
        assert_eq!((extra(&order), named(&order)), (kept, vec![(field, code)]), "{members}");
    }
}

#[test]
fn a_warning_says_in_a_sentence_what_is_wrong_and_where_it_is_kept() {
    let order = with(r#""total":"19,90""#);
    assert_eq!(
        order.warnings[0].detail,
        "total must be a number, or a text that holds one, with at most 15 digits before the point and 6 after it; it is \
         kept in extra as it came"
    );
}

#[test]
fn an_items_faults_are_its_own_and_cost_no_other_item() {
    let order = details(
        r#"{"customerName":"Jo","items":[{"productName":"Pad","unitPrice":"9,95","colour":"red"},{"quantity":3},
            "Pen",7,{"productName":"Mouse","quantity":"2"}]}"#,
    );
    let items = serde_json::to_value(&order.products.items).unwrap();
    assert_eq!(
        items,
        json!([{"productName":"Pad","extra":{"unitPrice":"9,95","colour":"red"}},{"productName":"Pen"},
               {"productName":"Mouse","quantity":2}])
    );
    assert_eq!(extra(&order), r#"{"items":[{"quantity":3},7]}"#);
    assert_eq!(
        named(&order),
        [
            ("items[0].unitPrice", "not_a_number"),
            ("items[1].productName", "missing_field"),
            ("items[3]", "wrong_type")
        ]
    );
}

#[test]
fn a_product_beside_items_is_kept_with_its_quantity() {
    let order = with(r#""quantity":2,"items":[{"productName":"Pad"}]"#);
    let products: Vec<_> = order.products.iter().collect();
    assert_eq!(products, [("Mouse", Some(2)), ("Pad", None)]);
    assert_eq!(named(&order), []);
}

#[test]
fn what_is_plainly_meant_is_read() {
    let order = details(
        r#"{"customerName":7,"productName":12.50,"quantity":" 2 ","total":" 1E+2 ","currency":" eur ",
            "customerEmail":" jo@shop.example ","customerPhone":" +49 151 12345678 ","reference":4711,"note":5,
            "deliverAt":" 2026-12-24T18:00 ","locale":"de_AT"}"#,
    );
    assert_eq!(
        (order.customer_name.as_deref(), order.products.to_string().as_str()),
        (Some("7"), "2 × 12.50")
    );
    assert_eq!(
        (order.total.map(|total| total.to_string()), order.currency.as_deref()),
        (Some("100".into()), Some("EUR"))
    );
    assert_eq!(order.customer_email.as_deref(), Some("jo@shop.example"));
    assert_eq!(order.customer_phone.as_deref(), Some("+4915112345678"));
    assert_eq!((order.reference.as_deref(), order.note.as_deref()), (Some("4711"), Some("5")));
    assert_eq!(
        (order.deliver_at.as_deref(), order.locale.as_deref()),
        (Some("2026-12-24T18:00"), Some("de-AT"))
    );
    assert_eq!((extra(&order), named(&order)), ("", vec![]));
}

#[test]
fn a_line_break_around_a_name_is_none_of_it() {
    let order = details(r#"{"customerName":" Jo ","items":["\tMouse\r\n",{"productName":"\n Pad"}]}"#);
    assert_eq!(
        (order.customer_name.as_deref(), order.products.to_string().as_str()),
        (Some(" Jo "), "Mouse, Pad")
    );
    assert_eq!((extra(&order), named(&order)), ("", vec![]));
}

#[test]
fn a_name_that_breaks_a_rule_costs_no_order_and_stands_whole_in_extra() {
    for (name, read, code) in [
        (json!("Jo\nTotal: 0"), "Jo Total: 0", "control_character"),
        (json!("x".repeat(1_001)), &*"x".repeat(1_000), "too_long"),
        (json!(true), "true", "wrong_type"),
        (json!(["a"]), r#"["a"]"#, "wrong_type"),
    ] {
        let order = details(&json!({"customerName": name, "productName": "Mouse"}).to_string());
        assert_eq!(
            (order.customer_name.as_deref(), named(&order)),
            (Some(read), vec![("customerName", code)])
        );
        assert_eq!(extra(&order), json!({ "customerName": name }).to_string());
    }
}

#[test]
fn an_address_is_a_text_or_its_parts_and_keeps_what_is_no_part() {
    let order = with(r#""deliveryAddress":"Main St 1\nSpringfield""#);
    assert_eq!(order.delivery_address, Some(Address::Text("Main St 1\nSpringfield".to_owned())));
    let parts = r#"{"streetAddress":" Main St 1 ","postalCode":12345,"floor":3}"#;
    let order = with(&format!("\"deliveryAddress\":{parts}"));
    let Some(Address::Postal(address)) = &order.delivery_address else { panic!("{order:?}") };
    assert_eq!(address.street_address.as_deref(), Some("Main St 1"));
    assert_eq!(address.postal_code.as_deref(), Some("12345"));
    assert_eq!(extra(&order), r#"{"deliveryAddress":{"floor":3}}"#);
}

#[test]
fn secrets_are_masked_before_anything_is_stored_and_named() {
    let order = with(
        r#""note":"card 4111 1111 1111 1111","password":"hunter2","payment":{"cvc":123,"number":"4111111111111111","expiry":"12/29"},
           "pan":4111111111111111,"attributes":{"user_password":"x","card":"5555 5555 5555 4444"},"g-recaptcha-response":"03AG""#,
    );
    assert_eq!(order.note.as_deref(), Some("card [card number ending in 1111, masked]"));
    let all = serde_json::to_string(&order).unwrap();
    for secret in ["4111 1111", "4111111111111111", "hunter2", "123", "5555 5555", "03AG", "\"x\""] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
    assert!(all.contains(r#""expiry":"12/29""#), "{all}");
    let masked: Vec<_> = named(&order);
    assert_eq!(
        masked,
        [
            ("note", "masked"),
            ("attributes.card", "masked"),
            ("attributes.user_password", "masked"),
            ("password", "masked"),
            ("payment.cvc", "masked"),
            ("payment.number", "masked"),
            ("pan", "masked"),
            ("g-recaptcha-response", "masked"),
        ]
    );
    assert!(OrderDetails::parse_strictly(br#"{"customerName":"A","productName":"B","cvc":1}"#).is_ok());
}

#[test]
fn what_readers_could_not_take_is_kept_in_a_form_that_they_can() {
    for (sent, kept, code) in [
        ("1e400", r#""1e400""#, "out_of_range"),
        ("-1e999999", r#""-1e999999""#, "out_of_range"),
        (r#""a\ud800b""#, "\"a\u{fffd}b\"", "not_unicode"),
        (
            r#""\udc00\ud83d\ude00\\ud800\ud83d""#,
            "\"\u{fffd}\\ud83d\\ude00\\\\ud800\u{fffd}\"",
            "not_unicode",
        ),
    ] {
        for member in ["x", "note", "total", "customerEmail"] {
            let order = with(&format!("\"{member}\":{sent}"));
            assert!(
                extra(&order).starts_with(&format!("{{\"{member}\":")) || member == "note",
                "{}",
                extra(&order)
            );
            assert!(serde_json::from_str::<Value>(&serde_json::to_string(&order).unwrap()).is_ok());
        }
        let order = with(&format!("\"x\":[{sent}]"));
        assert_eq!((extra(&order), named(&order)), (&*format!("{{\"x\":[{kept}]}}"), vec![("x[0]", code)]));
    }
    let half = with(r#""x":{"\ud800":1}"#);
    assert_eq!(extra(&half), "{\"x\":{\"\u{fffd}\":1}}");
    let order = with(r#""\ud800":1,"y":2"#);
    assert_eq!((extra(&order), named(&order)), ("{\"\u{fffd}\":1,\"y\":2}", vec![("", "not_unicode")]));
}

#[test]
fn no_form_in_which_a_secret_comes_lets_it_through() {
    let deep = format!("{}{{\"password\":\"hunter2\"}}{}", "[".repeat(33), "]".repeat(33));
    for members in [
        r#""attributes":{"cvc":987}"#,
        r#""attributes":{"password":98765432}"#,
        r#""attributes":{"card":378282246310005}"#,
        r#""deliveryAddress":{"streetAddress":"4111 1111 1111 1111"}"#,
        &format!("\"x\":{deep}"),
        r#""x":{"\ud800":1,"password":"hunter2","n":"4111111111111111"}"#,
        r#""x":"4111111111111111 \ud83d""#,
        r#""x":"\u0034111111111111111""#,
        r#""\ud800":1,"password":"hunter2""#,
        r#""customerName":{"first":"A","password":"hunter2","card":"4111111111111111"}"#,
        r#""items":[{"productName":"Pad","card_cvv2":"987"},{"note":"4111111111111111"}]"#,
    ] {
        let stored = serde_json::to_string(&with(members)).unwrap();
        for secret in ["987", "378282246310005", "4111 1111", "4111111111", "hunter2", "u0034111"] {
            assert!(!stored.contains(secret), "{members}: {stored}");
        }
        assert!(stored.contains("\"masked\"") || stored.contains("[masked]"), "{members}: {stored}");
    }
}

#[test]
fn a_member_that_stands_there_twice_is_named() {
    let order = with(r#""note":"no nuts","note":"ring""#);
    assert_eq!((order.note.as_deref(), named(&order)), (Some("ring"), vec![("note", "repeated_member")]));
    for (name, members) in [
        ("note", r#""note":"no nuts","note":"ring""#.to_owned()),
        ("customerName", r#""customerName":"B""#.to_owned()),
        ("gift", r#""gift":1,"gift":2"#.to_owned()),
        (&format!("{}…", "n".repeat(100)), format!(r#""{0}":1,"{0}":2"#, "n".repeat(30_000))),
    ] {
        let json = format!(r#"{{"customerName":"A","productName":"B",{members}}}"#);
        let refused = OrderDetails::parse_strictly(json.as_bytes()).unwrap_err();
        assert_eq!((refused.code, refused.field.as_str()), ("repeated_member", name));
        assert_eq!(refused.message, format!("{name} must stand there once"));
    }
}

#[test]
fn however_long_a_name_or_many_its_faults_warnings_stay_short_and_lists_bounded() {
    let name = "n".repeat(30_000);
    for members in
        [format!(r#""{name}":[{}1]"#, "1e400,".repeat(4_000)), format!(r#""{name}":{{"{name}":1e400}}"#)]
    {
        let order = with(&members);
        let told = serde_json::to_string(&order.warnings).unwrap();
        assert!(told.len() < 20_000, "{} bytes", told.len());
    }
    let order = with(&format!(r#""items":[{}"z"]"#, "\"a\",".repeat(2_500)));
    assert_eq!((order.products.items.len(), named(&order)), (2_000, vec![("items", "out_of_range")]));
    assert_eq!(extra(&order).matches('a').count(), 500);
    assert!(extra(&order).ends_with("\"z\"]}"));
}

#[test]
fn what_is_nested_too_deep_is_kept_as_text() {
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(extra(&with(&format!("\"x\":{}", nested(32)))), format!(r#"{{"x":{}}}"#, nested(32)));
    let order = with(&format!("\"x\":{}", nested(33)));
    assert_eq!(extra(&order), format!(r#"{{"x":"{}"}}"#, nested(33)));
    assert_eq!(named(&order), [("x", "too_deep")]);
}

#[test]
fn very_many_faults_are_named_few_at_a_time_and_all_kept() {
    let items = vec![r#"{"productName":"x","unitPrice":"?"}"#; 1_500].join(",");
    let order = with(&format!(r#""items":[{items}]"#));
    assert_eq!(order.warnings.len(), MAX_WARNINGS);
    assert_eq!(order.warnings[MAX_WARNINGS - 1].detail, "1481 more warnings like these");
    assert!(order.products.items.iter().all(|item| item.extra.is_some()));
    let key = "k".repeat(60_000);
    let order = with(&format!(r#""attributes":{{"{key}":1}}"#));
    assert!(order.warnings[0].field.chars().count() <= 101 && order.warnings[0].detail.len() < 500);
    assert!(extra(&order).contains(&key));
}

#[test]
fn the_same_order_written_otherwise_has_the_same_fingerprint_and_extra_counts() {
    let one = with(r#""x":{"b":1,"a":[2]},"total":"1e2","quantity":2"#).fingerprint();
    assert_eq!(one, with(r#""quantity":"2", "total":100e0 ,"x":{"a":[ 2 ],"b":1}"#).fingerprint().map(|b| b));
    for other in [
        r#""x":{"b":1.0,"a":[2]},"total":"1e2","quantity":2"#,
        r#""x":{"b":1,"a":[2]},"total":"1e2","quantity":2,"y":null"#,
        r#""x":{"b":1,"a":[2]},"total":"1e2","quantity":"two""#,
    ] {
        assert_ne!(one, with(other).fingerprint(), "{other}");
    }
}

#[test]
fn two_orders_are_told_apart_by_the_names_of_their_members() {
    let one = with(r#""note":"a","x":1,"y":2,"total":5"#);
    let other = with(r#""note":"b","x":1,"y":3,"currency":"EUR","total":5"#);
    assert_eq!(one.differences(&other), ["currency", "extra.y", "note"]);
    assert_eq!(one.differences(&one.clone()), Vec::<String>::new());
}

/// What the order says of a member, in whatever place.
fn said(stored: &Value, name: &str) -> bool {
    stored.get(name).is_some() || stored["extra"].get(name).is_some()
}

proptest! {
    #[test]
    fn every_member_of_any_object_with_two_names_can_be_read_back(
        members in prop::collection::btree_map("[a-zA-Z]{1,12}|total|quantity|items|note|attributes|currency|customerEmail",
            any_json(), 0..12),
    ) {
        let mut sent: serde_json::Map<String, Value> = members.into_iter().collect();
        sent.insert("customerName".to_owned(), json!("Jo"));
        sent.insert("productName".to_owned(), json!("Mouse"));
        let text = Value::Object(sent.clone()).to_string();
        let order = OrderDetails::parse(text.as_bytes()).unwrap();
        let stored: OrderDetails = serde_json::from_str(&serde_json::to_string(&order).unwrap()).unwrap();
        prop_assert_eq!(&stored, &order);
        let stored = serde_json::to_value(&stored).unwrap();
        for (name, value) in &sent {
            let nothing = match value {
                Value::Null => true,
                Value::String(text) => text.trim().is_empty(),
                Value::Array(values) => values.is_empty(),
                Value::Object(values) => values.values().all(Value::is_null),
                _ => false,
            };
            prop_assert!(nothing || said(&stored, name), "{}: {}", name, stored);
        }
    }

    #[test]
    fn an_order_that_is_right_has_no_warnings_strictly_or_not(sent in sent_orders()) {
        let order = OrderDetails::parse(sent.json.as_bytes()).unwrap();
        // A number in it may happen to be a card's.
        prop_assert!(order.warnings.iter().all(|warning| warning.code == "masked"), "{:?}", order.warnings);
        prop_assert_eq!(OrderDetails::parse_strictly(sent.json.as_bytes()).unwrap(), order);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-zA-Z]{1,6}|productName", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
