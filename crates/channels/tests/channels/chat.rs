//! What a chat is posted, what it answers, and whose failure that is.

use std::time::Duration;

use application::ports::{Channel, Content, Message};
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::Protocol;
use domain::notification;
use domain::order::{Order, OrderDetails, ShortReference};
use domain::reader::Reader;
use orderbell_channels::chat::{Chat, ChatSettings};
use serde_json::{Value, json};

use crate::fixtures::{
    TIMEOUT, UNSUBSCRIBE, confirmation, message, notice, notification, notification_of, order, rules,
};
use crate::http_receiver::{Reaction, Receiver};

const LATER: OutcomeKind = OutcomeKind::Transient(Scope::Endpoint);
const NEVER: OutcomeKind = OutcomeKind::Permanent(Scope::Delivery);
const ENDED: OutcomeKind = OutcomeKind::Permanent(Scope::Endpoint);

/// A channel that may post to this machine.
pub(crate) fn chat() -> Chat {
    let allowed_hosts = vec!["127.0.0.0/8".parse().unwrap()];
    Chat::new(ChatSettings { allowed_hosts, ca: None, timeout: TIMEOUT, rules: rules() }).unwrap()
}

pub(crate) fn post(receiver: &Receiver, content: Content) -> Message {
    message(Protocol::Chat, &receiver.url(), content)
}

/// What is posted for `content`.
pub(crate) async fn posted(content: Content) -> Value {
    let receiver = Receiver::start([Reaction::Answer("200 OK", "ok".to_owned())]).await;
    let sent = chat().send(&post(&receiver, content)).await;
    assert_eq!((sent.outcome.kind, sent.confirmed), (OutcomeKind::Delivered, false));
    assert_eq!(sent.outcome.reply, "200 OK ok");
    let request = receiver.received().remove(0);
    assert_eq!(request.request_line, "POST /hook?key=1 HTTP/1.1");
    assert_eq!(request.header("content-type"), "application/json");
    request.json()
}

fn of(members: &Value) -> Order {
    let details = OrderDetails::parse(members.to_string().as_bytes()).unwrap();
    Order { details, ..order("Ada", "Mouse") }
}

async fn outcome(reaction: Reaction) -> Outcome {
    let receiver = Receiver::start([reaction]).await;
    let outcome = chat().send(&post(&receiver, notification())).await.outcome;
    assert_eq!(receiver.received().len(), 1, "nothing is posted twice within one attempt");
    outcome
}

#[tokio::test]
async fn an_order_is_its_products_its_facts_and_a_link_that_unsubscribes() {
    let order = of(&json!({
        "customerName": "Jane & <Doe>", "items": [{"productName": "Mouse", "quantity": 2, "unitPrice": "9.95"}, "Pad"],
        "total": "24.90", "currency": "EUR", "note": "*Ring* twice\nTotal: 0", "customerPhone": "+4915112345678",
        "gift": "yes",
    }));
    let text =
        notification::text(&order, &Reader::default()).replace("Jane & <Doe>", "Jane &amp; &lt;Doe&gt;");
    let (id, reference) = (order.id.to_string(), ShortReference::of(order.id));
    let payload = posted(notification_of(order)).await;
    let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
    let markup = |text: &str| json!({"type": "mrkdwn", "text": text, "verbatim": true});
    let facts = [
        ("*Order ID*", id.as_str()),
        ("*Customer*", "Jane &amp; &lt;Doe&gt;"),
        ("*Total*", "€24.90"),
        ("*Phone*", "+4915112345678"),
    ];
    let facts: Vec<_> = facts.iter().flat_map(|(label, text)| [markup(label), plain(text)]).collect();
    let link = format!("<{UNSUBSCRIBE}|Unsubscribe this chat>");
    assert_eq!(
        payload,
        json!({
            "text": text,
            "blocks": [
                {"type": "header", "text": plain(&format!("New Order {reference}"))},
                {"type": "section", "text": markup("*Products*")},
                {"type": "section", "text": plain("- 2 × Mouse, €9.95 each\n- Pad")},
                {"type": "section", "fields": facts},
                {"type": "section", "text": markup("*Note*")},
                {"type": "section", "text": plain("*Ring* twice\nTotal: 0")},
                {"type": "section", "text": markup("*Also sent*")},
                {"type": "section", "text": plain("gift: yes")},
                {"type": "context", "elements": [markup(&link)]},
            ],
            "unfurl_links": false,
        })
    );
}

#[tokio::test]
async fn what_a_client_wrote_is_never_markup() {
    let forged = "*Total* <!here> :tada: https://evil.example";
    let mut members = json!({
        "customerName": forged, "productName": forged, "items": [{"productName": forged, "sku": forged}], "note": forged,
        "deliveryAddress": {"streetAddress": forged, "addressLocality": forged}, "deliverAt": forged, "reference": "*R*",
        "attributes": {forged: forged},
    });
    members[forged] = forged.into();
    let payload = posted(notification_of(of(&members))).await;
    let mut marked = Vec::new();
    marked_up(&payload["blocks"], &mut marked);
    let labels = marked.iter().filter(|words| !words.contains("|Unsubscribe this chat>"));
    for label in labels {
        let known =
            ["*Products*", "*Order ID*", "*Customer*", "*Note*", "*Address*", "*Reference*", "*Also sent*"];
        assert!(known.contains(&label.as_str()), "{label}");
    }
    assert!(payload["text"].as_str().unwrap().contains("*Total* &lt;!here&gt;"));
}

/// Every text that Slack reads as its markup.
fn marked_up(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) if members.get("type") == Some(&json!("mrkdwn")) => {
            assert_eq!(members["verbatim"], true);
            found.push(members["text"].as_str().unwrap().to_owned());
        }
        Value::Object(members) => members.values().for_each(|value| marked_up(value, found)),
        Value::Array(values) => values.iter().for_each(|value| marked_up(value, found)),
        _ => (),
    }
}

#[tokio::test]
async fn where_blocks_are_not_shown_nobody_is_called_together_and_no_link_is_hidden() {
    let order = of(&json!({
        "customerName": "@channel", "note": "x@Everyone", "productName": "[Pay](https://evil.example)", "customerEmail": "jo@example.com",
    }));
    let payload = posted(notification_of(order)).await;
    let text = payload["text"].as_str().unwrap();
    assert!(text.contains("Customer: @\u{200b}channel\nProduct: [Pay]\u{200b}(https"), "{text}");
    assert!(text.ends_with("\nNote: x@\u{200b}Everyone\nEmail: jo@example.com"), "{text}");
}

#[tokio::test]
async fn a_customer_cannot_call_a_channel_together_or_hide_a_link() {
    let payload = posted(notification_of(order("<!channel>", "<https://evil.example|Mouse>"))).await;
    let without_our_link = payload.to_string().replace(&format!("<{UNSUBSCRIBE}|"), "");
    assert!(!without_our_link.contains("<!") && !without_our_link.contains("<https"), "{without_our_link}");
}

#[tokio::test]
async fn a_confirmation_carries_its_link_and_a_notice_names_a_command() {
    let last = |payload: &Value| payload["blocks"][2]["text"]["text"].as_str().map(str::to_owned);
    let confirm =
        "*<https://orders.example/subscriptions/confirm?token=xyz&amp;more=1|Confirm the subscription>*";
    assert_eq!(last(&posted(confirmation()).await).as_deref(), Some(confirm));
    for (content, words) in
        [(notice(), "\norderbell subscription resume "), (Content::Test, "This is a test")]
    {
        let payload = posted(content).await;
        assert_eq!(last(&payload), None, "a person's browser has no key for a link");
        assert!(payload["blocks"][1]["text"]["text"].as_str().unwrap().contains(words), "{payload}");
    }
}

#[tokio::test]
async fn what_is_longer_than_a_post_is_cut_and_it_says_where_the_rest_is() {
    for order in large_orders() {
        let rest =
            format!("This order is longer than a message. See all of it: orderbell order show {}", order.id);
        let payload = posted(notification_of(order)).await;
        let text = payload["text"].as_str().unwrap();
        assert!((3_900..=4_000).contains(&text.encode_utf16().count()) && text.ends_with(&rest), "{text}");
        let blocks = payload["blocks"].as_array().unwrap();
        assert!(blocks.len() < 50);
        assert_eq!(blocks[blocks.len() - 2]["elements"][0]["text"], rest, "{payload}");
        let written = payload["blocks"].to_string().encode_utf16().count();
        assert!((2_000..12_000).contains(&written), "{written}");
        for block in blocks {
            let text = block["text"]["text"].as_str().unwrap_or_default();
            assert!(text.encode_utf16().count() <= 3_000);
            for field in block["fields"].as_array().into_iter().flatten() {
                let text = field["text"].as_str().unwrap();
                assert!((1..=2_000).contains(&text.encode_utf16().count()));
            }
            assert!(block["fields"].as_array().is_none_or(|fields| fields.len() <= 10));
        }
    }
}

#[tokio::test]
async fn of_many_products_as_many_are_shown_as_fit_and_the_others_are_counted() {
    let payload = posted(notification_of(large_orders().remove(0))).await;
    let products = payload["blocks"][2]["text"]["text"].as_str().unwrap();
    let shown = products.lines().count() - 1;
    assert_eq!(products.lines().last(), Some(format!("+{} more items", 1_000 - shown).as_str()));
    assert!(shown > 100 && products.starts_with("- 1 × Product 0\n- 1 × Product 1\n"), "{products}");
}

/// Orders that no post can tell, each in another way.
pub(crate) fn large_orders() -> Vec<Order> {
    let items: Vec<_> =
        (0..1_000).map(|n| json!({"productName": format!("Product {n}"), "quantity": 1})).collect();
    let long: Vec<_> = (0..50).map(|_| json!({"productName": "&".repeat(1_000)})).collect();
    let attributes: serde_json::Map<_, _> =
        (0..20).map(|n| (format!("a{n}"), json!("&".repeat(256)))).collect();
    [
        json!({"items": items}),
        json!({"items": long}),
        json!({"productName": "Mouse", "note": "<\n".repeat(15_000)}),
        json!({"productName": "📦".repeat(1_000), "attributes": attributes, "note": "語".repeat(9_000)}),
        json!({"productName": "Mouse", "gifts": vec!["\"<>&\u{202e}"; 5_000]}),
        json!({"productName": "Mouse", "deliveryAddress": "&\n".repeat(9_000), "note": "&".repeat(9_000), "b": "&".repeat(9_000)}),
    ]
    .into_iter()
    .map(|mut members| {
        members["customerName"] = "Ada".into();
        of(&members)
    })
    .collect()
}

#[tokio::test]
async fn slacks_word_says_what_a_refusal_means() {
    for (status, word, kind) in [
        ("400 Bad Request", "invalid_payload", NEVER),
        ("400 Bad Request", "no_text", NEVER),
        ("400 Bad Request", "invalid_blocks", NEVER),
        ("400 Bad Request", "no_active_hooks", LATER),
        ("403 Forbidden", "action_prohibited", LATER),
        ("403 Forbidden", "posting_to_general_channel_denied", LATER),
        ("403 Forbidden", "invalid_token", ENDED),
        ("404 Not Found", "no_service", ENDED),
        ("404 Not Found", "no_team", ENDED),
        ("404 Not Found", "channel_not_found\n", ENDED),
        ("404 Not Found", "<html>some proxy's page</html>", LATER),
        ("410 Gone", "channel_is_archived", ENDED),
        ("410 Gone", "", ENDED),
        ("500 Internal Server Error", "rollup_error", LATER),
        ("503 Service Unavailable", "no_service", LATER),
        ("302 Found", "", LATER),
    ] {
        let outcome = outcome(Reaction::Answer(status, word.to_owned())).await;
        assert_eq!(outcome.kind, kind, "{status} {word}");
    }
}

#[tokio::test]
async fn the_word_that_says_what_became_of_a_post_is_waited_for() {
    let refused = outcome(Reaction::Late("404 Not Found", "no_service".to_owned())).await;
    assert_eq!(refused.kind, ENDED);
    let taken = outcome(Reaction::Late("200 OK", "ok".to_owned())).await;
    assert_eq!((taken.kind, taken.reply.as_str()), (OutcomeKind::Delivered, "200 OK ok"));
}

#[tokio::test]
async fn a_post_is_delivered_where_a_chat_says_so() {
    let portal = format!("<html><title>Log in</title>{}", "x".repeat(100_000));
    for (status, body, kind) in [
        ("200 OK", "ok", OutcomeKind::Delivered),
        ("200 OK", "OK\n", OutcomeKind::Delivered),
        ("200 OK", "1", OutcomeKind::Delivered),
        ("202 Accepted", "", OutcomeKind::Delivered),
        ("204 No Content", "", OutcomeKind::Delivered),
        ("200 OK", r#"{"success":true}"#, OutcomeKind::Delivered),
        ("200 OK", r#"{"result":"success","msg":""}"#, OutcomeKind::Delivered),
        ("200 OK", r#"{"name":"spaces/A/messages/B","text":"…"}"#, OutcomeKind::Delivered),
        ("200 OK", portal.as_str(), LATER),
        ("200 OK", "  <!doctype html>", LATER),
        ("200 OK", "<?xml version=\"1.0\"?><error/>", LATER),
        ("200 OK", "invalid_token", LATER),
        ("200 OK", "Please log in", LATER),
        ("200 OK", "[]", LATER),
        ("200 OK", r#"{"ok":false,"error":"invalid_auth"}"#, LATER),
        ("200 OK", r#"{"success":false}"#, LATER),
        ("200 OK", r#"{"captive":true}"#, LATER),
        (
            "200 OK",
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x",
            OutcomeKind::Throttled { scope: Scope::Endpoint, retry_after: None },
        ),
    ] {
        let outcome = outcome(Reaction::Answer(status, body.to_owned())).await;
        assert_eq!(outcome.kind, kind, "{status} {body}: {}", outcome.reply);
    }
    assert_eq!(outcome(Reaction::BreakOff("200 OK")).await.kind, OutcomeKind::Unknown);
}

#[tokio::test]
async fn the_retry_after_of_a_chat_is_kept() {
    let throttled = |seconds: Option<u64>| OutcomeKind::Throttled {
        scope: Scope::Endpoint,
        retry_after: seconds.map(Duration::from_secs),
    };
    for (status, header, kind) in [
        ("429 Too Many Requests", "Retry-After: 30", throttled(Some(30))),
        ("429 Too Many Requests", "x-nothing: 0", throttled(None)),
        ("503 Service Unavailable", "Retry-After: 5", throttled(Some(5))),
    ] {
        let reaction = Reaction::AnswerWith(status, header, "rate_limited".to_owned());
        assert_eq!(outcome(reaction).await.kind, kind, "{status}, {header}");
    }
}

#[tokio::test]
async fn an_address_inside_is_never_posted_to() {
    let receiver = Receiver::start([]).await;
    let settings = ChatSettings { allowed_hosts: Vec::new(), ca: None, timeout: TIMEOUT, rules: rules() };
    let outcome = Chat::new(settings).unwrap().send(&post(&receiver, notification())).await.outcome;
    assert_eq!(outcome.kind, NEVER, "{}", outcome.reply);
    assert!(receiver.received().is_empty());
}
