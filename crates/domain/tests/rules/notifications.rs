//! What one order says to its subscribers.

use domain::notification::{SUBJECT, event, text};

use crate::fixtures::{details, now, order};

#[test]
fn the_text_is_the_seeds_character_for_character() {
    let order = order(r#"{"customerName":"Vedant","productName":"Wireless Mouse"}"#);
    let expected = format!(
        "\u{1F4E6} New Order Received!\nOrder ID: {}\nCustomer: Vedant\nProduct: Wireless Mouse",
        order.id.0.hyphenated()
    );
    assert_eq!(text(&order), expected);
    assert_eq!(SUBJECT, "New Order Notification");
}

#[test]
fn products_stand_on_one_line() {
    let shown = |json: &str| details(json).products.to_string();
    assert_eq!(shown(r#"{"customerName":"Jo","productName":"Wireless Mouse"}"#), "Wireless Mouse");
    assert_eq!(shown(r#"{"customerName":"Jo","productName":"Mouse","quantity":2}"#), "2 × Mouse");
    assert_eq!(
        shown(
            r#"{"customerName":"Jo","items":[{"productName":"Mouse","quantity":2},{"productName":"Pad","quantity":1}]}"#
        ),
        "2 × Mouse, 1 × Pad"
    );
}

#[test]
fn the_text_has_four_lines_whatever_the_customer_wrote() {
    let order = order(
        r#"{"customerName":"مريم 👩‍🚀 \u200b","productName":"Tee \"x\" <b>","note":"a\nProduct: other\n","total":"1.00"}"#,
    );
    let text = text(&order);
    assert_eq!(text.lines().count(), 4);
    assert!(text.ends_with("Customer: مريم 👩‍🚀 \u{200b}\nProduct: Tee \"x\" <b>"));
}

#[test]
fn what_turns_the_direction_of_a_name_is_written_out_in_the_text_and_kept_in_the_order() {
    for (name, shown) in [
        ("evil\u{202e}gpj.exe", "evil[U+202E]gpj.exe"),
        ("\u{202d}Jo\u{202c}", "[U+202D]Jo[U+202C]"),
        ("a\u{2066}b\u{2069}", "a[U+2066]b[U+2069]"),
        ("\u{202a}x", "[U+202A]x"),
        ("\u{2067}\u{2068}x", "[U+2067][U+2068]x"),
        ("مريم", "مريم"),
        ("می\u{200c}خواهم", "می\u{200c}خواهم"),
    ] {
        let item = serde_json::json!({ "productName": name, "quantity": 2 });
        for json in [
            serde_json::json!({ "customerName": name, "productName": name }),
            serde_json::json!({ "customerName": name, "items": [item.clone(), item] }),
        ] {
            let order = order(&json.to_string());
            assert!(text(&order).contains(&format!("\nCustomer: {shown}\n")), "{}", text(&order));
            assert!(text(&order).ends_with(shown) && (name == shown || !text(&order).contains(name)));
            assert_eq!(serde_json::to_value(event(&order)).unwrap()["data"]["customerName"], name);
        }
    }
}

#[test]
fn the_structured_form_holds_the_text_and_the_order() {
    let order = order(r#"{"customerName":"Jo","productName":"Mouse","total":19.90,"currency":"EUR"}"#);
    let json = serde_json::to_value(event(&order)).unwrap();
    assert_eq!(json["type"], "order.placed");
    assert_eq!(json["timestamp"], now().to_string());
    assert_eq!(json["subject"], SUBJECT);
    assert_eq!(json["message"], text(&order));
    assert_eq!(json["data"]["orderId"], order.id.to_string());
    assert_eq!(json["data"]["orderTime"], "2026-03-01T12:00:00Z");
    assert_eq!(json["data"]["productName"], "Mouse");
    assert_eq!(json["data"]["total"], "19.90");
    assert_eq!(json["data"]["currency"], "EUR");
    assert_eq!(json["data"].get("requestId"), None, "the request's id is for our log");
}
