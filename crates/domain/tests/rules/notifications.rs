//! What one order says to its subscribers.

use crate::fixtures::{details, now, order};
use domain::language::Language;
use domain::notification::{MAX_SUBJECT, Parts, SUBJECT, event, mail_subject, order_line, text};
use domain::order::ShortReference;
use domain::reader::Reader;

#[test]
fn the_text_is_the_seeds_character_for_character() {
    let order = order(r#"{"customerName":"Vedant","productName":"Wireless Mouse"}"#);
    let expected = format!(
        "\u{1F4E6} New Order Received!\nOrder ID: {}\nCustomer: Vedant\nProduct: Wireless Mouse",
        order.id.0.hyphenated()
    );
    assert_eq!(text(&order, &Reader::default()), expected);
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
fn the_first_four_lines_are_the_seeds_whatever_the_customer_wrote() {
    let order = order(
        r#"{"customerName":"مريم 👩‍🚀 \u200b","productName":"Tee \"x\" <b>","note":"a\nProduct: other\n","quantity":2}"#,
    );
    let (headline, text) =
        (Parts::of(&order, &Reader::default()).headline(), text(&order, &Reader::default()));
    assert_eq!(headline.lines().count(), 4);
    assert!(headline.ends_with("Customer: مريم 👩‍🚀 \u{200b}\nProduct: Tee \"x\" <b>"), "{headline}");
    assert_eq!(text, format!("{headline}\n\nQuantity: 2\nNote:\n    a\n    Product: other"));
}

#[test]
fn the_whole_order_is_told_in_the_order_in_which_staff_look_for_it() {
    let order = order(
        r#"{"customerName":"Jo","items":[{"productName":"Pizza","quantity":2,"unitPrice":"9.50","sku":"P1"},
            {"productName":"Cola","unitPrice":3,"size":"0.5 l"},"Salad"],"total":22,"currency":"EUR",
            "note":"Ring twice","customerPhone":"+4915112345678","customerEmail":"jo@example.com",
            "deliveryAddress":{"streetAddress":"Main St 1","addressLocality":"Springfield","postalCode":12345},
            "deliverAt":"2026-12-24T18:00","reference":"A-1","locale":"de","attributes":{"express":true,"rank":1.5},
            "gift":{"card":"Happy\nbirthday"},"door":"left\nred"}"#,
    );
    let expected = r"
- 2 × Pizza (P1), €9.50 each
- Cola, €3 (size: 0.5 l)
- Salad

Total: €22
Wanted at: Thu, Dec 24, 2026, 6:00 PM
Note: Ring twice
Phone: +4915112345678
Email: jo@example.com
Address:
    Main St 1
    12345 Springfield
Reference: A-1
Language: de
Also sent:
    express: yes
    rank: 1.5
    gift.card:
        Happy
        birthday
    door:
        left
        red";
    assert_eq!(
        text(&order, &Reader::default()),
        format!("{}\n{expected}", Parts::of(&order, &Reader::default()).headline())
    );
}

#[test]
fn what_cannot_be_read_is_called_as_what_can_and_still_stands_among_what_else_came() {
    let order = order(
        r#"{"customerName":"Jo","items":[{"productName":"Pizza","quantity":"two","unitPrice":"free"}],"total":"19,90 €",
            "customerPhone":"0151 1234","deliveryAddress":{"streetAddress":"Main St 1","floor":3}}"#,
    );
    let told = text(&order, &Reader::default());
    let told: Vec<_> = told.lines().skip(4).collect();
    assert_eq!(
        told,
        [
            "",
            "- Pizza (Quantity: two; Price each: free)",
            "",
            "Address: Main St 1",
            "Also sent:",
            "    Total: 19,90 €",
            "    Phone: 0151 1234",
            "    Address.floor: 3",
        ]
    );
}

#[test]
fn of_a_large_object_or_item_each_member_is_told_without_repeating_what_holds_it() {
    let many: serde_json::Map<_, _> = (0..11).map(|n| (format!("m{n}"), n.into())).collect();
    let order = order(
        &serde_json::json!({"customerName": "Jo", "items": [{"productName": "Pizza", "wishes": "x".repeat(120)}],
            "many": many, "a name that is longer than most": {"a": 1}, "empty": {}})
        .to_string(),
    );
    let told = text(&order, &Reader::default());
    let wishes = format!("    items[0].wishes: {}", "x".repeat(120));
    for line in ["- Pizza", &wishes, r#"    a name that is longer than most: {"a":1}"#, "    empty: {}"] {
        assert!(told.lines().any(|told| told == line), "{line}: {told}");
    }
    assert!(told.contains("\n    many: {\"m0\":0,"), "{told}");
}

#[test]
fn nothing_that_a_customer_or_his_client_wrote_can_pass_for_a_line_of_ours() {
    for forged in
        ["\nTotal: 0", "\r\nTotal: 0", "\rTotal: 0", "\u{2028}Total: 0", "\u{85}Total: 0", "\u{b}Total: 0"]
    {
        let members = serde_json::json!({
            "customerName": format!("Jo{forged}"), "productName": format!("Mouse{forged}"), "note": format!("x{forged}"),
            "deliveryAddress": format!("Main St{forged}"), "reference": format!("x{forged}"), format!("a{forged}"): "b",
            "Total": "0", "b": format!("c{forged}"), "items": [{"productName": format!("Pad{forged}")}],
            "attributes": {"Total": 0},
        });
        let order = order(&members.to_string());
        let text = text(&order, &Reader::default());
        let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        assert!(!text.split(breaks).any(|line| line.starts_with("Total")), "{text}");
        assert!(text.contains("    Total: 0"), "{text}");
    }
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
            assert!(
                text(&order, &Reader::default()).contains(&format!("\nCustomer: {shown}\n")),
                "{}",
                text(&order, &Reader::default())
            );
            assert!(
                text(&order, &Reader::default()).ends_with(shown)
                    && (name == shown || !text(&order, &Reader::default()).contains(name))
            );
            assert_eq!(
                serde_json::to_value(event(&order, text(&order, &Reader::default()))).unwrap()["data"]["customerName"],
                name
            );
        }
    }
}

#[test]
fn an_orders_line_leads_to_its_page_where_it_has_one() {
    let order = order(r#"{"customerName":"Jo","productName":"Mouse"}"#);
    let reference = ShortReference::of(order.id);
    let line = |language, url| order_line(order.id, language, url);
    assert_eq!(line(Language::En, None), format!("Order {reference}"));
    assert_eq!(
        line(Language::Fr, Some("https://x/o/t")),
        format!("Commande {reference}\u{a0}: https://x/o/t")
    );
}

#[test]
fn the_structured_form_holds_the_text_and_the_order() {
    let order = order(r#"{"customerName":"Jo","productName":"Mouse","total":19.90,"currency":"EUR"}"#);
    let json = serde_json::to_value(event(&order, text(&order, &Reader::default()))).unwrap();
    assert_eq!(json["type"], "order.placed");
    assert_eq!(json["timestamp"], now().to_string());
    assert_eq!(json["subject"], SUBJECT);
    assert_eq!(json["message"], text(&order, &Reader::default()));
    assert_eq!(json["data"]["orderId"], order.id.to_string());
    assert_eq!(json["data"]["shortReference"], ShortReference::of(order.id).to_string());
    assert_eq!(json["data"]["orderTime"], "2026-03-01T12:00:00Z");
    assert_eq!(json["data"]["productName"], "Mouse");
    assert_eq!(json["data"]["total"], "19.90");
    assert_eq!(json["data"]["currency"], "EUR");
    assert_eq!(json["data"].get("requestId"), None, "the request's id is for our log");
}

#[test]
fn a_mails_subject_says_what_was_ordered_and_for_whom_on_one_line() {
    for (json, said) in [
        (r#"{"customerName":"Jo","productName":"Mouse"}"#, "Mouse for Jo"),
        (r#"{"customerName":"Jo","productName":"Mouse","quantity":2}"#, "2 × Mouse for Jo"),
        (
            r#"{"customerName":"Jo","items":[{"productName":"Pizza","quantity":2},"Cola"]}"#,
            "2 × Pizza, Cola for Jo",
        ),
        (
            r#"{"customerName":" Jo\r\nBcc: x@y ","productName":"a\t\u0000 b\u2028c"}"#,
            "a b c for Jo Bcc: x@y",
        ),
        (r#"{"customerName":"\u202eoJ","productName":"Mouse\u2066"}"#, "Mouse[U+2066] for [U+202E]oJ"),
        (r#"{"customerName":"مريم","productName":"漢字 📦"}"#, "漢字 📦 for مريم"),
    ] {
        assert_eq!(mail_subject(&order(json), &Reader::default()), format!("{SUBJECT}: {said}"));
    }
}

#[test]
fn a_mails_subject_is_bounded_whatever_the_order_and_names_the_customer() {
    use unicode_segmentation::UnicodeSegmentation;
    for part in [
        "x",
        "é",
        "📦",
        "e\u{301}",
        "👩\u{200d}🍳",
        "🇩🇪",
        "\u{202e}a",
        "ש",
        "a\n",
        "a\u{301}\u{301}\u{301}\u{301}\u{301}",
    ] {
        let name: String = part.repeat(900);
        for customer in ["Jo", name.as_str()] {
            let items: Vec<_> =
                (0..30).map(|n| serde_json::json!({"productName": name, "quantity": n + 1})).collect();
            let json = serde_json::json!({"customerName": customer, "items": items});
            let subject = mail_subject(&order(&json.to_string()), &Reader::default());
            assert!(
                subject.graphemes(true).count() <= MAX_SUBJECT && subject.len() <= 4 * MAX_SUBJECT,
                "{subject}"
            );
            assert!(subject.contains("… for "), "{subject}");
            assert!(customer != "Jo" || subject.ends_with(" for Jo"), "{subject}");
            assert!(!subject.contains(|c: char| c.is_control() || c == '\u{202e}'), "{subject}");
        }
    }
}
