//! What a chat is posted, what it answers, and whose failure that is.

use std::time::Duration;

use application::ports::{Channel, Content, Message};
use domain::attempt::{Outcome, OutcomeKind, Scope};
use domain::endpoint::Protocol;
use domain::notification;
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

async fn outcome(reaction: Reaction) -> Outcome {
    let receiver = Receiver::start([reaction]).await;
    let outcome = chat().send(&post(&receiver, notification())).await.outcome;
    assert_eq!(receiver.received().len(), 1, "nothing is posted twice within one attempt");
    outcome
}

#[tokio::test]
async fn a_notification_is_its_text_and_a_link_that_unsubscribes() {
    let order = order("Jane & <Doe>", "Mouse");
    let text = notification::text(&order).replace("Jane & <Doe>", "Jane &amp; &lt;Doe&gt;");
    let payload = posted(notification_of(order)).await;
    let link = format!("<{UNSUBSCRIBE}|Unsubscribe this chat>");
    assert_eq!(
        payload,
        json!({
            "text": text,
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "New Order Notification", "emoji": false}},
                {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}},
                {"type": "context", "elements": [{"type": "mrkdwn", "text": link, "verbatim": true}]},
            ],
            "unfurl_links": false,
        })
    );
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
async fn what_is_longer_than_a_section_is_cut() {
    let items: Vec<_> = (0..100).map(|_| json!({"productName": "&".repeat(200), "quantity": 1})).collect();
    let details = json!({"customerName": "Ada", "items": items}).to_string();
    let mut long = order("Ada", "Mouse");
    long.details = domain::order::OrderDetails::parse(details.as_bytes()).unwrap();
    let payload = posted(notification_of(long)).await;
    let section = payload["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!((2_990..=3_000).contains(&section.encode_utf16().count()) && section.ends_with("&amp;…"));
    assert_eq!(payload["text"].as_str().unwrap().encode_utf16().count().div_ceil(10), 4_000);
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
