//! From the bytes of a request to an order, strictly: every member, every limit, every error.

use domain::order::{OrderDetails, limits};
use proptest::prelude::*;

use crate::fixtures::details;
use crate::generated_orders::sent_orders;

fn refused(json: &str) -> (&'static str, String, String) {
    let invalid = OrderDetails::parse_strictly(json.as_bytes()).unwrap_err();
    (invalid.code, invalid.field, invalid.message)
}

/// An order that is right but for these members.
fn with(members: &str) -> String {
    format!(r#"{{"customerName":"Jo","productName":"Mouse",{members}}}"#)
}

fn with_item(members: &str) -> String {
    format!(r#"{{"customerName":"Jo","items":[{{"productName":"Pad","quantity":1}},{{{members}}}]}}"#)
}

#[test]
fn the_seeds_body_is_an_order() {
    let order = details("{\n  \"customerName\": \"Vedant\",\n  \"productName\": \"Wireless Mouse\"\n}");
    assert_eq!(order.customer_name.as_deref(), Some("Vedant"));
    assert_eq!(order.products.to_string(), "Wireless Mouse");
    assert_eq!((order.currency, order.total, order.note), (None, None, None));
}

#[test]
fn a_name_that_is_missing_empty_or_null_is_answered_in_the_seeds_words() {
    let sentence = "Missing customerName or productName";
    for (json, field) in [
        ("{}", "customerName"),
        (r#"{"productName":"Mouse"}"#, "customerName"),
        (r#"{"customerName":"","productName":"Mouse"}"#, "customerName"),
        (r#"{"customerName":"  ","productName":"Mouse"}"#, "customerName"),
        (r#"{"customerName":null,"productName":"Mouse"}"#, "customerName"),
        (r#"{"customerName":"Jo"}"#, "productName"),
        (r#"{"customerName":"Jo","productName":""}"#, "productName"),
        (r#"{"customerName":"Jo","items":null}"#, "productName"),
        ("[]", "customerName"),
        ("null", "customerName"),
        ("3", "customerName"),
        ("\"{}\"", "customerName"),
    ] {
        let expected = ("missing_field", field.to_owned(), sentence.to_owned());
        assert_eq!(refused(json), expected, "{json}");
    }
}

#[test]
fn what_is_no_json_is_said_to_be_malformed() {
    for json in
        ["", " ", "{", "{]", "customerName=Jo", "{\"a\":1}{", "{'a':1}", "{\"a\":01}", "\u{feff}{}", "nul"]
    {
        let (code, field, message) = refused(json);
        assert_eq!((code, field.as_str()), ("malformed_json", ""), "{json}");
        assert!(message.starts_with("The body is not valid JSON: "), "{message}");
    }
    let utf8 = OrderDetails::parse(b"{\"customerName\":\"\xff\"}").unwrap_err();
    assert_eq!(
        (utf8.code, utf8.message.as_str()),
        ("malformed_json", "The body is not valid JSON: it is not UTF-8")
    );
}

fn assert_refused(json: &str, code: &'static str, field: &str, message: &str) {
    assert_eq!(refused(json), (code, field.to_owned(), message.to_owned()), "{json}");
}

#[test]
fn a_name_is_one_line_of_at_most_1000_characters() {
    let name = |json: &str| format!(r#"{{"customerName":{json},"productName":"x"}}"#);
    let one_line = "customerName must be on one line, without control characters";
    for control in ["\\n", "\\r", "\\t", "\\u0000", "\\u0085", "\\u2028", "\\u2029"] {
        let json = name(&format!("\"a{control}b\""));
        assert_refused(&json, "control_character", "customerName", one_line);
    }
    let long = name(&format!("\"{}\"", "é".repeat(1_001)));
    assert_refused(&long, "too_long", "customerName", "customerName must be at most 1000 characters");
    for json in ["true", "[1]", r#"{"a":1}"#, r#""\ud800""#] {
        assert_refused(&name(json), "wrong_type", "customerName", "customerName must be a string");
    }
}

#[test]
fn a_quantity_is_a_whole_number_from_1_to_a_million() {
    let message = "quantity must be a whole number from 1 to 1000000";
    for quantity in ["0", "-0", "1000001", "1.5", "1e7", "-1", "99999999999999999999", "\"two\"", "\"2 pcs\""]
    {
        let json = with(&format!("\"quantity\":{quantity}"));
        assert_refused(&json, "out_of_range", "quantity", message);
    }
    for quantity in ["true", "[1]", "{}"] {
        let json = with(&format!("\"quantity\":{quantity}"));
        assert_refused(&json, "wrong_type", "quantity", "quantity must be a whole number");
    }
    for (quantity, meant) in [
        ("2", 2),
        ("2.0", 2),
        ("1e2", 100),
        ("1E6", 1_000_000),
        ("\"2\"", 2),
        ("\" 2.0\\n\"", 2),
        ("\"1E2\"", 100),
    ] {
        let order = details(&with(&format!("\"quantity\":{quantity}")));
        assert_eq!(order.products.iter().next(), Some(("Mouse", Some(meant))), "{quantity}");
    }
}

#[test]
fn each_optional_field_names_its_rule() {
    let phone = "customerPhone must be a phone number in E.164 form, such as +4915112345678";
    let currency = "currency must be an ISO 4217 code such as EUR";
    let reference = format!(r#""reference":"{}""#, "x".repeat(65));
    let at = "deliverAt must be a date or a time such as 2026-01-31T12:00 or 2026-01-31T12:00:00+01:00";
    let address = "deliveryAddress must be a text, or hold parts such as streetAddress and postalCode";
    let tag = "locale must be a language tag such as de or de-AT";
    for (members, code, field, message) in [
        (r#""customerEmail":"jo""#, "invalid_email", "customerEmail", "customerEmail must be a mail address"),
        (r#""customerPhone":"0151""#, "invalid_phone", "customerPhone", phone),
        (r#""currency":"EURO""#, "unknown_currency", "currency", currency),
        (r#""currency":978"#, "unknown_currency", "currency", currency),
        (r#""currency":true"#, "wrong_type", "currency", "currency must be a string"),
        (r#""total":-0.01"#, "out_of_range", "total", "total must not be negative"),
        (r#""note":{}"#, "wrong_type", "note", "note must be a string"),
        (reference.as_str(), "too_long", "reference", "reference must be at most 64 characters"),
        (r#""deliverAt":"tomorrow""#, "invalid_time", "deliverAt", at),
        (r#""deliverAt":"2026-02-30""#, "invalid_time", "deliverAt", at),
        (r#""deliveryAddress":{}"#, "wrong_type", "deliveryAddress", address),
        (r#""deliveryAddress":{"street":"x"}"#, "wrong_type", "deliveryAddress", address),
        (r#""deliveryAddress":7e0,"locale":"x""#, "invalid_locale", "locale", tag),
        (r#""locale":"de--AT""#, "invalid_locale", "locale", tag),
    ] {
        assert_refused(&with(members), code, field, message);
    }
}

#[test]
fn attributes_are_a_flat_map_under_names_of_their_own() {
    let key = "A key of attributes must be 1 to 64 of A-Z a-z 0-9 _ . -";
    let own = "attributes.total has the name of an order's own field";
    let value = "attributes.a must be a string, a number, true or false";
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(257));
    for (attributes, code, field, message) in [
        ("[]", "wrong_type", "attributes", "attributes must be an object"),
        (r#"{"a b":1}"#, "invalid_attribute", "attributes.a b", key),
        (r#"{"é":1}"#, "invalid_attribute", "attributes.é", key),
        (r#"{"":1}"#, "invalid_attribute", "attributes", key),
        (r#"{"total":1}"#, "invalid_attribute", "attributes.total", own),
        (r#"{"a":[1]}"#, "wrong_type", "attributes.a", value),
        (r#"{"a":{"b":1}}"#, "wrong_type", "attributes.a", value),
        (long.as_str(), "too_long", "attributes.a", "attributes.a must be at most 256 characters"),
    ] {
        assert_refused(&with(&format!("\"attributes\":{attributes}")), code, field, message);
    }
}

#[test]
fn an_error_in_an_item_names_its_place() {
    let sku = format!(r#""productName":"x","quantity":1,"sku":"{}""#, "x".repeat(65));
    for (item, code, field, rule) in [
        ("", "missing_field", "productName", "is missing"),
        (r#""productName":"x","quantity":1,"sku":true"#, "wrong_type", "sku", "must be a string"),
        (sku.as_str(), "too_long", "sku", "must be at most 64 characters"),
        (
            r#""productName":"x","quantity":1,"unitPrice":-1"#,
            "out_of_range",
            "unitPrice",
            "must not be negative",
        ),
    ] {
        let field = format!("items[1].{field}");
        assert_refused(&with_item(item), code, &field, &format!("{field} {rule}"));
    }
    for (items, code, field, message) in [
        ("{}", "wrong_type", "items", "items must be an array"),
        ("[7]", "wrong_type", "items[0]", "items[0] must be an object"),
    ] {
        assert_refused(&with(&format!("\"items\":{items}")), code, field, message);
    }
    let nothing = "Missing customerName or productName";
    for items in ["{}", "[]", "[7]", "[{}]", "\"none\""] {
        let json = format!(r#"{{"customerName":"Jo","items":{items}}}"#);
        assert_refused(&json, "missing_field", "productName", nothing);
    }
}

#[test]
fn what_is_just_within_a_limit_is_taken() {
    let name = "📦".repeat(limits::NAME);
    let read = details(&format!(r#"{{"customerName":"{name}","productName":"x"}}"#));
    assert_eq!(read.customer_name, Some(name));
    let note = "n".repeat(60_000);
    assert_eq!(details(&with(&format!(r#""note":"{note}""#))).note, Some(note));
    let items = |count: usize| {
        let items = vec![r#"{"productName":"x","quantity":1000000}"#; count].join(",");
        format!(r#"{{"customerName":"Jo","items":[{items}]}}"#)
    };
    assert_eq!(details(&items(1_500)).products.iter().count(), 1_500);
    let attributes = |count: usize| {
        let attributes: Vec<_> = (0..count).map(|number| format!(r#""{number:064}":true"#)).collect();
        with(&format!(r#""attributes":{{{}}}"#, attributes.join(",")))
    };
    assert_eq!(details(&attributes(20)).attributes.len(), 20);
    assert_eq!(refused(&attributes(21)).0, "out_of_range");
    assert_eq!(refused(&with(&format!(r#""attributes":{{"{}":1}}"#, "k".repeat(65)))).0, "invalid_attribute");
}

#[test]
fn money_is_exact_as_a_number_and_as_a_text() {
    for (written, kept) in [
        ("0.1", "0.1"),
        ("19.990", "19.990"),
        ("\"7\"", "7"),
        ("999999999999999.999999", "999999999999999.999999"),
        ("1e3", "1000"),
        ("1.5E3", "1500"),
        ("1e-05", "0.00001"),
        ("0.10000000", "0.1"),
        ("-0", "0"),
        ("\"1E+2\"", "100"),
        ("\" 19.90 \"", "19.90"),
    ] {
        assert_eq!(details(&with(&format!("\"total\":{written}"))).total.unwrap().to_string(), kept);
    }
    for blank in ["\"\"", "\" \\t\"", "null"] {
        assert_eq!(details(&with(&format!("\"total\":{blank}"))).total, None, "{blank}");
    }
    for written in [
        "1e15",
        "1e-7",
        "1e999",
        "\"+1\"",
        "\".5\"",
        "\"5.\"",
        "\"1_000\"",
        "\"1,5\"",
        "\"٣\"",
        "\"NaN\"",
        "\"0x10\"",
        "\"\\ud800\"",
        "0.1234567",
        "1234567890123456",
        "true",
        "[1]",
        "{}",
    ] {
        let (code, field, message) = refused(&with(&format!("\"total\":{written}")));
        assert_eq!((code, field.as_str()), ("not_a_number", "total"), "{written}");
        assert!(message.contains("15 digits before the point and 6 after it"), "{message}");
    }
    let huge = format!("\"total\":{}", "9".repeat(100_000));
    assert_eq!(refused(&with(&huge)).0, "not_a_number");
}

#[test]
fn of_members_that_stand_there_twice_the_last_counts() {
    let order =
        details(r#"{"customerName":"A","customerName":"B","productName":"P","total":"?","total":"1"}"#);
    assert_eq!((order.customer_name.as_deref(), order.total), (Some("B"), Some(1.into())));
}

#[test]
fn every_script_and_sign_is_taken_as_it_is() {
    for name in [
        "📦👩‍🚀",
        "مريم",
        "\u{202e}abc",
        "a\u{200b}b",
        "Zoë",
        "e\u{301}",
        "漢字",
        "<script>",
        "' OR 1=1 --",
        "\\",
    ] {
        let json = serde_json::json!({"customerName": name, "productName": name}).to_string();
        assert_eq!(details(&json).customer_name.as_deref(), Some(name));
    }
}

#[test]
fn deep_or_huge_json_neither_overflows_the_stack_nor_panics() {
    let depth = 300_000;
    let arrays = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    for deep in [&arrays, &objects] {
        assert!(OrderDetails::parse(deep.as_bytes()).is_err());
        assert!(OrderDetails::parse(&deep.as_bytes()[..depth]).is_err());
        for member in ["unknown", "items", "total", "attributes", "note", "quantity", "deliveryAddress"] {
            let order = details(&with(&format!("\"{member}\":{deep}")));
            assert!(order.extra.is_some(), "{member}");
        }
        assert_eq!(refused(&with(&format!("\"attributes\":{{\"a\":{deep}}}"))).0, "wrong_type");
    }
    let many = with(&format!(r#""items":[{}1]"#, "1,".repeat(1_000_000)));
    assert_eq!(refused(&many).0, "out_of_range");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = OrderDetails::parse(&bytes);
    }

    #[test]
    fn no_damage_to_a_good_order_makes_it_panic(
        sent in sent_orders(), place: prop::sample::Index, byte: u8, end: prop::sample::Index,
    ) {
        let mut bytes = sent.json.into_bytes();
        bytes.truncate(end.index(bytes.len()).max(1));
        let place = place.index(bytes.len());
        bytes[place] = byte;
        if let Err(invalid) = OrderDetails::parse(&bytes) {
            prop_assert!(!invalid.message.is_empty());
        }
    }

    #[test]
    fn any_value_in_any_field_is_taken_or_refused_by_name(
        field in prop::sample::select(vec![
            "customerName", "productName", "quantity", "items", "customerEmail", "customerPhone", "currency", "total",
            "note", "attributes", "reference", "deliveryAddress", "deliverAt", "locale",
        ]),
        value in prop_oneof![
            Just("null".to_owned()), Just("[]".to_owned()), Just("{}".to_owned()), Just("true".to_owned()),
            any::<f64>().prop_filter("JSON", |number| number.is_finite()).prop_map(|number| number.to_string()),
            any::<i128>().prop_map(|number| number.to_string()),
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        ],
    ) {
        let json = format!(r#"{{"customerName":"Jo","productName":"Mouse","{field}":{value}}}"#);
        if let Err(invalid) = OrderDetails::parse_strictly(json.as_bytes()) {
            prop_assert!(invalid.field.starts_with(field), "{}", invalid.field);
        }
    }
}

#[test]
fn a_name_of_which_nobody_sees_anything_is_refused() {
    for name in [
        "\u{200b}",
        "\u{3164}\u{3164}",
        "\u{feff}",
        "\u{2060} \u{ad}",
        "\u{202e}\u{202c}",
        "\u{2800}",
        "\u{e0041}",
        "\u{115f}\u{1160}",
        "\u{ffa0}",
        "\u{fe0f}",
        "\u{e0100}",
        "\u{61c}\u{200e}\u{200f}",
        "\u{2066}\u{2069}",
        "\u{180e}",
        "\u{1d173}",
        "\u{fff9}\u{fffa}\u{fffb}",
        " \u{a0}\u{200b}\u{3000} ",
        "\u{34f}\u{200d}",
    ] {
        for (field, json) in [
            ("customerName", serde_json::json!({ "customerName": name, "productName": "Mouse" })),
            ("productName", serde_json::json!({ "customerName": "Jo", "productName": name })),
            (
                "items[1].productName",
                serde_json::json!({
                    "customerName": "Jo", "items": [{ "productName": "Pad" }, { "productName": name }],
                }),
            ),
        ] {
            let refused = OrderDetails::parse_strictly(json.to_string().as_bytes()).unwrap_err();
            assert_eq!((refused.code, refused.field.as_str()), ("invisible", field), "{name:?}");
        }
    }
    for name in ["\u{200b}Jo", "\u{202e}oJ", "👩\u{200d}🍳", "می\u{200c}خواهم"] {
        let json = serde_json::json!({ "customerName": name, "productName": "Mouse" });
        assert_eq!(
            OrderDetails::parse(json.to_string().as_bytes()).unwrap().customer_name.as_deref(),
            Some(name)
        );
    }
}

#[test]
fn an_orders_address_and_number_are_kept_as_they_came_but_for_a_zero_that_is_none_of_its_digits() {
    for (field, sent, kept) in [
        ("customerPhone", "+44 (0)20 7946 0958", "+442079460958"),
        ("customerPhone", "+49(0)151 12345678", "+4915112345678"),
        ("customerPhone", "+7 (8) 495 123 45 67", "+784951234567"),
        ("customerPhone", "+39 (0)6 1234 5678", "+390612345678"),
        ("customerPhone", "+49 0151 12345678", "+49015112345678"),
        ("customerPhone", "+971050123456", "+971050123456"),
        ("customerEmail", "joe@m\u{fc}ller.Example", "joe@m\u{fc}ller.example"),
        ("customerEmail", "\"a..b\"@docomo.ne.jp", "\"a..b\"@docomo.ne.jp"),
        ("customerEmail", "joe@192.0.2.7", "joe@192.0.2.7"),
    ] {
        let json = serde_json::json!({ "customerName": "Jo", "productName": "Mouse", field: sent });
        let order = OrderDetails::parse(json.to_string().as_bytes())
            .unwrap_or_else(|refused| panic!("{sent}: {refused:?}"));
        let [mail, phone] = [order.customer_email, order.customer_phone].map(Option::unwrap_or_default);
        assert_eq!(format!("{mail}{phone}"), kept, "{sent}");
    }
}
