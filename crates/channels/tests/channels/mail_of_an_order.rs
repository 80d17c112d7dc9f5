//! What a mail shows of an order.

use domain::endpoint::Protocol;
use domain::order::{Order, OrderDetails, ShortReference};
use domain::reader::Reader;
use serde_json::{Value, json};

use crate::fixtures::{UNSUBSCRIBE, message, notification_of, order};
use crate::mail_form::{html, plain, received, text};

fn order_of(json: &Value) -> Order {
    let details = OrderDetails::parse(json.to_string().as_bytes()).unwrap();
    Order { details, ..order("Jo", "Mouse") }
}

async fn mail_of(order: &Order) -> Vec<u8> {
    received(&message(Protocol::Email, "jane@example.com", notification_of(order.clone()))).await
}

/// The tags of an HTML text, without their angles, and the texts between them.
fn tags_and_texts(html: &str) -> Vec<(&str, &str)> {
    let (_, body) = html.split_once("<body").unwrap();
    let body = body.split_once('>').unwrap().1.replace("<!--[if mso]>", "").replace("<![endif]-->", "");
    let body: &str = Box::leak(body.into_boxed_str());
    body.split('<').skip(1).map(|part| part.split_once('>').unwrap()).collect()
}

/// What a person reads where all CSS is removed: a line for each row, paragraph and line, its cells with a bar between them.
pub(crate) fn shown(html: &str) -> Vec<String> {
    let mut said = String::new();
    for (tag, text) in tags_and_texts(html) {
        said.push_str(match tag {
            "/td" | "/th" => "|",
            "br" => " / ",
            "/tr" | "/p" | "/h1" | "/h2" => "\n",
            _ => "",
        });
        said.push_str(&plain(&text.trim_matches('\n').replace("&nbsp;", " ")));
    }
    let lines = said.lines().map(|line| line.trim_matches('|').to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

/// Each element that is opened is closed, in turn.
pub(crate) fn assert_well_formed(html: &str) {
    let mut open = Vec::new();
    for (tag, _) in tags_and_texts(html) {
        let name = tag.split([' ', '\n']).next().unwrap();
        match name.strip_prefix('/') {
            Some("body") => break,
            Some(name) => assert_eq!(open.pop(), Some(name), "{html}"),
            None if name == "br" => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?} {html}");
}

#[tokio::test]
async fn the_html_shows_what_for_whom_how_much_and_by_when_and_then_all_else() {
    let order = order_of(&json!({
        "customerName": "Jo", "total": 22, "currency": "EUR", "deliverAt": "2026-12-24T18:00", "note": "Ring twice\n\nno onions",
        "items": [{"productName": "Pizza", "quantity": 2, "unitPrice": "9.50", "sku": "P1"}, {"productName": "Cola", "unitPrice": 3}],
        "customerPhone": "+4915112345678", "customerEmail": "jo@example.com", "reference": "A-1",
        "deliveryAddress": {"streetAddress": "Main St 1", "addressLocality": "Springfield", "postalCode": 12345},
        "attributes": {"express": true}, "gift": {"card": "x"}, "door": "left\nred",
    }));
    let html = html(&mail_of(&order).await);
    let id = format!("Order ID|{} / {}", ShortReference::of(order.id), order.id);
    let expected = [
        "📦 New Order Received!",
        "2 × Pizza, Cola",
        "Customer|Jo",
        "Total|€22",
        "Wanted at|Thu, Dec 24, 2026, 6:00\u{a0}PM",
        "Quantity|Product|Price each",
        "2|Pizza (P1)|€9.50",
        "Cola|€3",
        "Note|Ring twice /  / no onions",
        "Phone|+4915112345678",
        "Email|jo@example.com",
        "Address|Main St 1 / 12345 Springfield",
        "Reference|A-1",
        &id,
        "Also sent",
        "express|yes",
        "door|left / red",
        "gift.card|x",
        "You get this since this address is subscribed to new orders. Unsubscribe",
    ];
    assert_eq!(shown(&html), expected);
    assert_well_formed(&html);
}

#[tokio::test]
async fn an_order_of_the_two_names_alone_is_shown_in_a_few_lines() {
    let order = order_of(&json!({"customerName": "Jo", "productName": "Mouse", "quantity": 2}));
    let html = html(&mail_of(&order).await);
    let id = format!("Order ID|{} / {}", ShortReference::of(order.id), order.id);
    let footer = "You get this since this address is subscribed to new orders. Unsubscribe";
    assert_eq!(shown(&html), ["📦 New Order Received!", "2 × Mouse", "Customer|Jo", &id, footer]);
    assert_well_formed(&html);
}

#[tokio::test]
async fn what_has_neither_quantity_nor_price_has_no_column_of_them() {
    let order = order_of(&json!({"customerName": "Jo", "items": ["Mouse", "Pad"]}));
    let shown = shown(&html(&mail_of(&order).await));
    assert_eq!(shown[3..6], ["Product", "Mouse", "Pad"]);
}

/// Texts that want to be more than text.
const HOSTILE: [&str; 9] = [
    "<img src=x onerror=alert(1)>",
    "</td></tr></table><h1>Total: 0</h1>",
    "</bdi></th><script>alert(1)</script>",
    "\"><a href=\"javascript:alert(1)\">x</a>",
    "javascript:alert(1) https://evil.example/ evil@example.com",
    "<!--[if mso]><b>x</b><![endif]-->",
    "{{ subject }} {% raw %} &lt;b&gt; &amp;",
    "x\nTotal: 0 EUR\n\n-- \nUnsubscribe: https://evil.example",
    "\u{202e}RUE 0 :latoT\u{202c} \u{2066}x",
];

#[tokio::test]
async fn nothing_that_a_customer_or_his_client_wrote_is_more_than_text() {
    for hostile in HOSTILE {
        let order = order_of(&json!({
            "customerName": hostile, "productName": hostile, "note": hostile, "deliveryAddress": hostile, "total": 5,
            "reference": hostile, "customerEmail": hostile, "customerPhone": hostile, "attributes": {"a": hostile},
            "items": [{"productName": hostile, "sku": hostile, hostile: hostile}], hostile: {hostile: [hostile]},
        }));
        let mail = mail_of(&order).await;
        let html = html(&mail);
        assert_well_formed(&html);
        let known = ["table", "tr", "td", "th", "p", "h1", "h2", "br", "bdi", "span", "a", "body", "html"];
        for (tag, _) in tags_and_texts(&html) {
            let name = tag.trim_start_matches('/').split(' ').next().unwrap();
            assert!(known.contains(&name), "{tag}");
        }
        let tags: Vec<_> = tags_and_texts(&html).into_iter().map(|(tag, _)| tag).collect();
        let links: Vec<_> = tags.iter().filter(|tag| tag.contains("href")).collect();
        assert_eq!(links, [&format!("a href=\"{UNSUBSCRIBE}\" style=\"color:#5d5d70\"")], "{html}");
        assert!(
            !tags.iter().any(|tag| tag.contains("src=") || tag.contains("url(") || tag.contains(" on")),
            "{html}"
        );
        assert!(!html.contains("<link") && !html.contains("@import"), "{html}");
        assert_eq!(shown(&html).iter().filter(|line| line.starts_with("Total")).count(), 1, "{html}");
        let overrides = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!html.contains(overrides) && !text(&mail).contains(overrides));
        assert_eq!(text(&mail).lines().filter(|line| line.starts_with("Total:")).count(), 1);
        assert_eq!(text(&mail).lines().filter(|line| line.starts_with("Unsubscribe:")).count(), 1);
    }
}

#[tokio::test]
async fn a_phone_number_is_a_link_and_nothing_else_of_the_customers() {
    for (phone, linked) in [("+49 151 12345678", true), ("0151 12345678", false), ("call me", false)] {
        let order = order_of(&json!({"customerName": "Jo", "productName": "Mouse", "customerPhone": phone,
            "customerEmail": "jo@example.com", "note": "+4915112345678"}));
        let html = html(&mail_of(&order).await);
        assert_eq!(html.contains("<a href=\"tel:+4915112345678\""), linked, "{html}");
        assert!(!html.contains("mailto:"), "{html}");
    }
}

#[tokio::test]
async fn a_hundred_items_and_a_long_note_are_shown_whole() {
    let items: Vec<_> = (1..=100)
        .map(|n| json!({"productName": format!("Screw, countersunk, M{n} × 40, stainless"), "sku": format!("SC-{n}"),
            "quantity": n * 10, "unitPrice": "0.125"}))
        .collect();
    let note = "Please deliver to the back door, and ring twice. ".repeat(40);
    let order = order_of(&json!({"customerName": "ACME", "currency": "EUR", "items": items, "note": note}));
    let mail = mail_of(&order).await;
    assert_eq!(
        text(&mail),
        format!(
            "{}\n\nOrder {}\n\n-- \nUnsubscribe: {UNSUBSCRIBE}\n",
            domain::notification::text(&order, &Reader::default()),
            ShortReference::of(order.id)
        )
    );
    let html = html(&mail);
    assert_eq!(shown(&html)[1].matches("× Screw").count(), 3);
    assert!(shown(&html)[1].ends_with(" and 97 more"));
    for n in 1..=100 {
        assert!(html.contains(&format!("(<bdi>SC-{n}</bdi>)")), "{n}");
    }
    assert!(html.contains(note.trim()) && !html.contains("orderbell order show"));
}

/// The most that Gmail shows of a mail is a little more.
const MAX_MAIL: usize = 100_000;
/// The most that an order's body has.
const MAX_BODY: usize = 64 * 1_024;

/// `part` as often as it makes an order whose JSON has about `bytes`.
fn filled(part: &str, bytes: usize) -> String {
    part.repeat(bytes / (json!(part).to_string().len() - 2))
}

#[tokio::test]
async fn the_largest_order_is_a_bounded_mail_that_says_how_much_is_left_and_where() {
    let parts = ["x", "\"", "=", "é", "€", "📦", "\n", "\u{1}", "\u{2028}", "\u{202e}", "👩\u{200d}🍳"];
    for part in parts {
        let long = filled(part, MAX_BODY - 500);
        let half = filled(part, MAX_BODY / 2 - 500);
        let some = filled(part, 200);
        let many: Vec<_> =
            (0..MAX_BODY / 260).map(|_| json!({"productName": format!("a{some}"), "quantity": 2})).collect();
        let least: Vec<_> = (0..MAX_BODY / 4 - 100).map(|_| "a").collect();
        let other: serde_json::Map<_, _> =
            (0..MAX_BODY / 240).map(|n| (format!("{n}"), json!(some))).collect();
        for (kind, members) in [
            ("a note", json!({"note": format!("x{long}x")})),
            ("an address", json!({"deliveryAddress": format!("x{long}x")})),
            ("both", json!({"note": format!("x{half}x"), "deliveryAddress": format!("x{half}x")})),
            ("items", json!({"items": many})),
            ("small items", json!({"items": least})),
            ("other members", Value::Object(other)),
            ("one other member", json!({"a": format!("x{long}x")})),
            ("a member's name", json!({format!("x{long}x"): "x"})),
            ("an item's other members", json!({"items": [{"productName": "x", "a": format!("x{long}x")}]})),
        ] {
            let mut json =
                json!({"customerName": "Jo", "customerPhone": "+4915112345678", "reference": "A-1"});
            json.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            if json.get("items").is_none() {
                json["productName"] = json!("Mouse");
            }
            assert!(json.to_string().len() <= MAX_BODY, "{kind} of {part:?}: {}", json.to_string().len());
            assert_bounded(&order_of(&json), &format!("{kind} of {part:?}")).await;
        }
    }
}

async fn assert_bounded(order: &Order, what: &str) {
    let rest = format!("orderbell order show {}", order.id);
    let mail = mail_of(order).await;
    assert!(mail.len() < MAX_MAIL, "{what}: {}", mail.len());
    assert!(mail.split(|byte| *byte == b'\n').all(|line| line.len() <= 998), "{what}");
    let (text, html) = (text(&mail), html(&mail));
    assert_well_formed(&html);
    assert!(
        text.contains("+4915112345678") && html.contains("+4915112345678"),
        "{what}: what is short is whole"
    );
    if html.contains(&rest) {
        assert!(text.contains(&rest) && text.contains(" more") && html.contains(" more"), "{what}");
    } else {
        assert!(text.starts_with(&domain::notification::text(order, &Reader::default())), "{what}: it fits");
    }
}
